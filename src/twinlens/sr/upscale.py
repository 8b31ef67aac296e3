"""Super-resolve any video file, frame by frame as it is decoded."""

from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from twinlens import checkpoints, formats, models
from twinlens.media import ffmpeg
from twinlens.progress import say, track
from twinlens.sr.enlarge import enlarge
from twinlens.training import networks

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
        weights: HDF5 "network/1"; by default the one that a world in `results` has.
        results: folder of the worlds.
        threads: CPU threads.
        quality: constant rate factor of H.264; 0 is lossless, larger is smaller.

    Raises:
        ArtifactError: no trained network is found, or several worlds have one.
        RejectedError: the file can't be decoded.
    """
    torch.set_num_threads(threads)
    device = checkpoints.device()
    network = _network(method, weights, results).to(device)
    with ffmpeg.stream(file) as video, torch.inference_mode():
        size = models.SCALE * video.width, models.SCALE * video.height
        say(f"{file}: {video.width}x{video.height} to {size[0]}x{size[1]} by {method}")
        made = _enlarged(network, video.frames, device)
        label = f"upscale {method}"
        shown = track(made, label, "frames", video.container_frames or None)
        ffmpeg.write(out, shown, size, video.fps, sound=file, quality=quality)
    say(f"{out}")


def _network(method: str, weights: Path | None, results: Path) -> Any:
    """The network of a method, from an artifact or without weights."""
    if weights is None and method in models.names():
        bare = models.build(method)
        if not any(True for _ in bare.parameters()):
            return bare.eval()
    found = [weights] if weights else sorted(results.glob(f"*/networks/*/{method}.h5"))
    if not found:
        raise formats.ArtifactError(
            f"no trained network of {method!r} in {results}/*/networks: train it"
            " (snakemake --cores all results/table3.csv), or name a file by --weights"
        )
    if len(found) > 1:
        worlds = ", ".join(map(str, found))
        raise formats.ArtifactError(
            f"several worlds have {method!r}: choose by --weights one of {worlds}"
        )
    with formats.reading(found[0], networks.NETWORK) as file:
        about = formats.about(file)
    return networks.load(found[0], about["model"], about["settings"])


def _enlarged(
    network: Any, frames: Iterable[Frame], device: torch.device
) -> Iterator[Frame]:
    """Enlarge frames as they come, keeping those that the network reads around."""
    if network.frames == models.WHOLE_CLIP:
        low = np.stack(list(frames))
        index = np.arange(len(low))
        yield from enlarge(network, low, index, index, len(low), device)
        return
    half = int(network.frames) // 2
    near: deque[Frame] = deque(maxlen=2 * half + 1)
    first, done = 0, 0

    def one(place: int, total: int) -> Frame:
        index = np.arange(first, first + len(near))
        wanted = np.array([place])
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
