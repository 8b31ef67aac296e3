"""Super-resolve any video file, frame by frame as it is decoded."""

import difflib
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from twinlens import models
from twinlens.errors import ArtifactError
from twinlens.media import ffmpeg
from twinlens.networks import artifact
from twinlens.networks.device import device, repeatable
from twinlens.progress import say, track
from twinlens.sr.enlarge import clip, enlarge

Frame = NDArray[np.uint8]


def upscale(
    file: Path,
    out: Path,
    method: str = "sosr",
    weights: Path | None = None,
    results: Path = Path("results"),
    threads: int = 2,
    quality: int = 14,
) -> None:
    """Enlarge a video 4 times; its sound is kept.

    Args:
        file: video to read.
        out: video to write; .mp4, .mkv or .mov get H.264, .avi gets MPEG-4.
        method: a method of the config that was trained, or a model without weights.
        weights: HDF5 "network/1"; by default that of the world whose tables lie in
            `results`, or of the only world there.
        results: folder of the worlds.
        threads: CPU threads.
        quality: constant rate factor of H.264; 0 is lossless, larger is smaller.

    Raises:
        ArtifactError: no trained network is found, or several worlds have one.
        RejectedError: the file can't be decoded.
    """
    if out.exists() and out.samefile(file):
        raise ArtifactError(f"{out}: would overwrite the video that is read")
    repeatable(threads)
    where = device()
    network = _network(method, weights, results).to(where)
    with ffmpeg.stream(file) as video, torch.inference_mode():
        size = models.SCALE * video.width, models.SCALE * video.height
        say(f"{file}: {video.width}x{video.height} to {size[0]}x{size[1]} by {method}")
        output = _enlarged(network, video.frames, where)
        label = f"upscale {method}"
        shown = track(output, label, "frames", video.container_frames or None)
        ffmpeg.write(out, shown, size, video.fps, sound=file, quality=quality)
    say(f"{out}")


def _network(method: str, weights: Path | None, results: Path) -> Any:
    """Load the network of a method, from an artifact or without weights."""
    if weights is None and method in models.names() and not models.learns(method):
        return models.build(method).eval()
    path = weights or _trained(method, results)
    say(f"{method}: {path}")
    return artifact.load(path, "sr", network=None if weights else method)


def _trained(method: str, results: Path) -> Path:
    """Find the newest network of a method: of the present world, or of the only one."""
    files = list(results.glob(f"*/networks/sr/*/{method}.h5"))
    found = {
        path.relative_to(results).parts[0]: path for path in sorted(files, key=_age)
    }
    if not found:
        near = _near(method, results)
        raise ArtifactError(
            f"no trained network of {method!r} in {results}/*/networks/sr{near}: run"
            " snakemake --cores all results/table3.csv, or name a file by --weights"
        )
    present = _present_world(results)
    if present in found or len(found) == 1:
        return found.get(present) or next(iter(found.values()))
    raise ArtifactError(
        f"several worlds have {method!r}: choose by --weights one of"
        f" {', '.join(map(str, found.values()))}"
    )


def _near(method: str, results: Path) -> str:
    """Suggest a trained network of nearly the same name; "" if there is none."""
    known = {path.stem for path in results.glob("*/networks/sr/*/*.h5")}
    near = difflib.get_close_matches(method, known, n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""


def _age(path: Path) -> float:
    return path.stat().st_mtime


def _present_world(results: Path) -> str:
    """Name the world whose Table 3 lies in `results`; "" if none does."""
    table = results / "table3.csv"
    text = table.read_text(encoding="utf-8") if table.exists() else ""
    return text.partition("\n")[0].partition(", world ")[2].partition(":")[0]


def _enlarged(
    network: Any, frames: Iterable[Frame], device: torch.device
) -> Iterator[Frame]:
    """Enlarge frames as they come, keeping those that the network reads around."""
    if network.frames == models.WHOLE_CLIP:
        yield from clip(network, np.stack(list(frames)), device)
        return
    half = int(network.frames) // 2
    near: deque[Frame] = deque(maxlen=2 * half + 1)
    first, done = 0, 0

    def one(at: int, total: int) -> Frame:
        index = np.arange(first, first + len(near))
        wanted = np.array([at])
        return enlarge(network, np.stack(near), index, wanted, total, device)[0]

    count = 0
    for frame in frames:
        near.append(frame)
        count += 1
        first = count - len(near)
        if count > half:
            yield one(done, count + half)
            done += 1
    while done < count:
        yield one(done, count)
        done += 1
