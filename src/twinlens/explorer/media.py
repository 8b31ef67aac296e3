"""Write the pictures of a shard's clips: every method's frames and flow, as strips.

A strip is one WebP picture of all frames, one below the other. A page can show a frame
of it, play it, and cut a row out of every frame, all without reading pixels, which
browsers refuse to pages that are opened from a disk.
"""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from twinlens import provenance
from twinlens.artifacts import reader
from twinlens.artifacts.shard import Shard
from twinlens.errors import ArtifactError
from twinlens.explorer.settings import MediaJob
from twinlens.figures import sources
from twinlens.figures.sources import Index, Row, Sources
from twinlens.flow.colours import coloured, fastest
from twinlens.progress import track
from twinlens.recognition import SCORES
from twinlens.settings import mapping
from twinlens.tables import accuracy, facts
from twinlens.tables.accuracy import Scores

MEDIA = "media/1"
LOW = "low"
"""The strip of low resolution."""
FLOW = "-flow"
"""What the name of a strip of flow ends with."""
TALLEST = 16383
"""Pixels of a WebP picture's side."""
QUALITY = 85
"""Of WebP, 0 to 100: differences between methods must survive."""
Strips = dict[str, NDArray[np.uint8]]


def write_media(inputs: list[Path], job: MediaJob, out: Path) -> None:
    """Write the strips of those clips of a shard that are shown with pictures.

    Args:
        inputs: HDF5 "frames/1", "low/1" and "flow/1" of the shard's clips, and all
            score shards of the data set.
        job: what is shown.
        out: HDF5 "media/1", by clip: each strip as the uint8 bytes of a WebP file,
            named by the method, or "low", and with "-flow" at its end for flow;
            `index` of the frames; as attributes `height` and `width` of a frame, and
            `full`, the speed of full colour in px a frame.

    Raises:
        ArtifactError: an input is damaged, or of other clips.
    """
    scores = facts.single(
        accuracy.load(sources.of_kinds(inputs, SCORES)),
        job.shown.layout,
        job.shown.dataset,
    )
    chosen = most_disputed(scores, job.shown.layout.head, job.explorer.clips)
    about = provenance.about(
        "explorer", ["twinlens.explorer.media"], reader.ids(*inputs), **mapping(job)
    )
    with sources.open_clips(inputs) as files:
        names = [name for name in files[0].clips if name in chosen]
        with Shard(out, MEDIA, about, names) as shard:
            for name in track(shard.missing(), f"pictures {job.shown.dataset}"):
                arrays, about_clip = _strips(Sources(files, name), job)
                shard.write(name, arrays, **about_clip)


def most_disputed(scores: Mapping[str, Scores], head: str, most: int) -> set[str]:
    """Choose the clips of each class on which methods agree least.

    Args:
        scores: by method, of the same clips.
        head: by which clips are classified.
        most: clips of a class.
    """
    right = np.mean(
        [accuracy.is_correct(s.of(head), s.labels) for s in scores.values()], axis=0
    )
    first = next(iter(scores.values()))
    of_class = defaultdict(list)
    for name, label, fraction in zip(first.clips, first.labels, right, strict=True):
        of_class[int(label)].append((abs(float(fraction) - 0.5), name))
    return {name for each in of_class.values() for _, name in sorted(each)[:most]}


def _strips(
    clip: Sources, job: MediaJob
) -> tuple[dict[str, NDArray[Any]], dict[str, float]]:
    """Draw the strips of a clip's frames and flow."""
    rows = sources.rows(clip, job.shown, low=True)
    height, width = clip.frames[rows[-1].frames_of].shape("frames")[:2]
    most = min(job.explorer.frames, TALLEST // height)
    index = _middle(sources.frames_in_common(clip, rows), most)
    strips = {
        _named(row): strip(clip.frames[row.frames_of].at("frames", index))
        for row in rows
    }
    full = 1.0
    if flowing := [row for row in rows if row.flow_of in clip.flow]:
        full, flows = _flows(clip, flowing, index)
        strips |= {f"{method}{FLOW}": each for method, each in flows.items()}
    facts_of_clip = {"height": height, "width": width, "full": full}
    return {**strips, "index": index}, facts_of_clip


def _named(row: Row) -> str:
    return LOW if row.label == sources.LOW else row.frames_of


def _middle(index: Index, most: int) -> Index:
    start = max(0, (len(index) - most) // 2)
    return index[start : start + most]


def _flows(clip: Sources, rows: list[Row], index: Index) -> tuple[float, Strips]:
    """Draw each method's flow of those frames that have it; the others are white."""
    stored = {row.flow_of: np.isin(index, clip.flow[row.flow_of].index) for row in rows}
    target, known = next(iter(stored.items()))
    if not known.any():
        return 1.0, {}
    full = fastest(np.stack([clip.flow_at(target, int(at)) for at in index[known]]))
    drawn = {}
    for method, here in stored.items():
        shape = *clip.flow[method].shape("flow")[1:], 3
        pictures = [
            coloured(clip.flow_at(method, int(at)), full)
            if there
            else np.full(shape, 255, np.uint8)
            for at, there in zip(index, here, strict=True)
        ]
        drawn[method] = strip(np.stack(pictures))
    return full, drawn


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
