"""Write the pictures of a shard's clips: every method's frames and flow, as strips.

A strip is one WebP picture of all frames, one below the other. A page can show a frame
of it, play it, and cut a row out of every frame, all without reading pixels, which
browsers refuse to pages that are opened from a disk.
"""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from twinlens import provenance
from twinlens.artifacts import reader
from twinlens.artifacts.shard import Shard
from twinlens.errors import ArtifactError
from twinlens.explorer import verdicts
from twinlens.explorer.settings import MediaJob
from twinlens.figures import sources
from twinlens.figures.sources import HR, Index, Sources
from twinlens.flow.colours import coloured, fastest
from twinlens.progress import track
from twinlens.recognition import SCORES
from twinlens.settings import mapping
from twinlens.tables import accuracy, facts

MEDIA = "media/1"
LOW, FRAMES, FLOW = "low", "frames-", "flow-"
"""Names of strips: of low resolution, of a method's frames, of its flow."""
TALLEST = 16383
"""Pixels of a WebP picture's side."""
QUALITY = 85
"""Of WebP, 0 to 100: differences between methods must survive."""
Arrays = dict[str, NDArray[Any]]


def write_media(inputs: list[Path], job: MediaJob, out: Path) -> None:
    """Write the strips of those clips of a shard that methods agree least on.

    Args:
        inputs: HDF5 "frames/1", "low/1", "flow/1" and "scores/2" of the shard's clips.
        job: what is shown.
        out: HDF5 "media/1", by clip: each strip as the uint8 bytes of a WebP file,
            called "low", "frames-<method>" or "flow-<method>"; `index` int32 of the
            frames, `flow_index` of those that flow is shown of; as attributes `height`
            and `width` of a frame, and `full`, the speed of full colour in px a frame.

    Raises:
        ArtifactError: an input is damaged, or of other clips.
    """
    about = provenance.about(
        "explorer", ["twinlens.explorer.media"], reader.ids(*inputs), **mapping(job)
    )
    with sources.open_clips(inputs) as files:
        names = _chosen(inputs, job, files[0].clips)
        with Shard(out, MEDIA, about, names) as shard:
            for name in track(shard.missing(), f"pictures {job.dataset}"):
                arrays, sizes = _strips(Sources(files, name), job.explorer.frames)
                shard.write(name, arrays, **sizes)


def _chosen(inputs: list[Path], job: MediaJob, clips: list[str]) -> list[str]:
    """Choose the clips of a shard, which may have none, that are shown."""
    if not clips:
        return []
    loaded = accuracy.load(sources.of_kinds(inputs, SCORES))
    rows = verdicts.rows(loaded, job.layout, job.dataset)
    first, right = verdicts.same(rows, job.dataset), verdicts.right(rows, job.layout)
    chosen = facts.most_disputed(right, first, clips, job.explorer.clips)
    return [name for name in clips if name in chosen]


def _strips(clip: Sources, most: int) -> tuple[Arrays, dict[str, float]]:
    """Draw the strips of a clip's frames and flow."""
    frames = dict(clip.frames)
    if sources.LOW not in frames:  # the clips are low-resolution already
        frames[sources.LOW] = frames.pop(HR)
    sides = [each.shape("frames")[:2] for each in frames.values()]
    tall = [each.shape("flow")[1] for each in clip.flow.values()]
    most = min(most, TALLEST // max(*tall, *(height for height, _ in sides)))
    index = _middle(sources.in_common(frames.values(), clip.name, "frame"), most)
    arrays: Arrays = {"index": index.astype(np.int32)}
    for method, each in frames.items():
        name = LOW if method == sources.LOW else f"{FRAMES}{method}"
        arrays[name] = strip(each.at("frames", index))
    flows, full = _flows(clip, index)
    height, width = max(sides)
    return arrays | flows, {"height": height, "width": width, "full": full}


def _middle(index: Index, most: int) -> Index:
    start = max(0, (len(index) - most) // 2)
    return index[start : start + most]


def _flows(clip: Sources, index: Index) -> tuple[Arrays, float]:
    """Draw the flow of those frames that have it by every method; its full colour."""
    for each in clip.flow.values():
        index = np.intersect1d(index, each.index)
    arrays: Arrays = {"flow_index": index.astype(np.int32)}
    if not clip.flow or not len(index):
        return arrays | {"flow_index": np.zeros(0, np.int32)}, 1.0
    flows = {
        method: np.stack([clip.flow_at(method, int(at)) for at in index])
        for method in clip.flow
    }
    full = fastest(flows.get(HR, next(iter(flows.values()))))
    for method, vectors in flows.items():
        pictures = np.stack([coloured(flow, full) for flow in vectors])
        arrays[f"{FLOW}{method}"] = strip(pictures)
    return arrays, full


def strip(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Encode pictures (T, H, W, 3), RGB, one below the other: the bytes of a WebP."""
    count, height, width, _ = pictures.shape
    below = pictures.reshape(count * height, width, 3)
    bgr = cv2.cvtColor(below, cv2.COLOR_RGB2BGR)
    done, encoded = cv2.imencode(".webp", bgr, [cv2.IMWRITE_WEBP_QUALITY, QUALITY])
    if not done:
        raise ArtifactError(f"OpenCV can't write a WebP of {below.shape}")
    found: NDArray[np.uint8] = encoded.reshape(-1)
    return found
