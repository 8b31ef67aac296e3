"""Super-resolve any video file, frame by frame as it is decoded."""

import difflib
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import numpy as np
import torch

from twinlens import models
from twinlens.arrays import Frame
from twinlens.errors import ArtifactError, RejectedError
from twinlens.media import containers, encode, ffmpeg
from twinlens.media.ffmpeg import Video
from twinlens.media.settings import UNLIMITED
from twinlens.media.shown import Shown
from twinlens.networks import artifact
from twinlens.networks.device import device, repeatable
from twinlens.progress import say, track
from twinlens.sr import tiles
from twinlens.sr.enlarge import clip, enlarge, steps
from twinlens.tables import forms


def upscale(
    file: Path,
    out: Path,
    method: str | None = None,
    weights: Path | None = None,
    results: Path = Path("results"),
    threads: int = 2,
    quality: int = 14,
    pixels: int = tiles.MOST_PIXELS,
) -> None:
    """Enlarge a video 4 times: times, shape of pixels, colours and sound stay.

    Memory does not grow with the video's length, nor with its frames' size where the
    network says how far it reads; else a warning says so.

    Args:
        file: video to read.
        out: video to write; .mp4, .m4v, .mov and .mkv get H.264, .webm gets VP9, .avi
            gets MPEG-4 at a constant rate. Sound goes along as it is where the
            container takes it, else recoded.
        method: a method of the config that was trained, or a model without weights;
            sosr by default.
        weights: HDF5 "network/1"; by default that of the world whose tables lie in
            `results`, or of the only world there.
        results: folder of the worlds.
        threads: CPU threads.
        quality: constant rate factor of H.264 and VP9; 0 is lossless, larger is
            smaller.
        pixels: of low resolution that are enlarged at once; more take more memory.

    Raises:
        ArtifactError: no trained network is found, or several worlds have one; or the
            ending of `out` is not known.
        RejectedError: the file can't be decoded.
    """
    if out.exists() and file.exists() and out.samefile(file):
        raise ArtifactError(f"{out}: would overwrite the video that is read")
    containers.container(out)
    repeatable(threads)
    where = device()
    network, name = _network(method, weights, results)
    network = network.to(where)
    with _named(file), ffmpeg.stream(file, UNLIMITED, timed=True) as video:
        assert video.shown is not None
        size = models.SCALE * video.width, models.SCALE * video.height
        say(f"{file}: {video.width}x{video.height} to {size[0]}x{size[1]} by {name}")
        for warning in _losses(video.shown):
            say(f"WARNING {file}: {warning}")
        enlarger = Enlarger(network, (video.height, video.width), pixels, where)
        times = deque[int | None]()
        output = enlarger.enlarged(_noting(video, times))
        total = round(video.seconds * video.fps) or None
        shown = track(output, f"upscale {name}", "frames", total)
        timed = ((frame, times.popleft()) for frame in shown)
        with torch.inference_mode():
            encode.write(out, timed, size, video.shown, video.fps, file, quality)
        for note in video.notes:
            say(f"WARNING {file}: {note}")
    say(f"{out}")


@contextmanager
def _named(file: Path) -> Iterator[None]:
    """Name the file in what is said against it."""
    try:
        yield
    except RejectedError as error:
        raise RejectedError(f"{file}: {error}") from None


def _noting(video: Video, times: deque[int | None]) -> Iterator[Frame]:
    """Pass frames on, and note when each is shown."""
    for frame in video.frames:
        times.append(next(video.times, None))
        yield frame


def _losses(shown: Shown) -> Iterator[str]:
    """Say what of a video's frames is lost on the way."""
    form = av.VideoFormat(shown.form, *shown.size)
    if (depth := form.components[0].bits) > 8:
        yield f"its {depth} bits a channel become 8"
    if any(each.is_alpha for each in form.components):
        yield "its transparency, if it has any, is lost"
    if name := encode.HDR.get(shown.transfer):
        yield (
            f"high dynamic range ({name}) is kept as it is coded, without the"
            " metadata of its mastering"
        )


def _network(
    method: str | None, weights: Path | None, results: Path
) -> tuple[Any, str]:
    """Load the network of a method, from an artifact or without weights; name it.

    Raises:
        ArtifactError: there is none, or the file holds another method's.
    """
    if weights:
        name = method or weights.stem
        say(f"{name}: {weights}")
        return artifact.load(weights, "sr", network=method), name
    name = method or "sosr"
    if name == "hr":
        raise ArtifactError(
            "hr: these are the original frames, which nothing enlarges: name another"
            " method by --method"
        )
    if name in models.names() and not models.learns(name):
        return models.build(name).eval(), name
    path = _trained(name, results)
    say(f"{name}: {path}")
    return artifact.load(path, "sr", network=name), name


class Enlarger:
    """Enlarges frames as they come."""

    def __init__(
        self, network: Any, size: tuple[int, int], pixels: int, device: torch.device
    ) -> None:
        """Prepare for a video.

        Args:
            network: on `device`, in evaluation mode.
            size: height and width of its frames, in pixels.
            pixels: of low resolution that are enlarged at once.
            device: where to work.
        """
        self.network, self.device = network, device
        self.tiles = self._tiles(size, pixels)

    def _tiles(self, size: tuple[int, int], pixels: int) -> tiles.Tiles:
        """Cut large frames where the network says how far it reads."""
        height, width = size
        whole = tiles.cut(size, 0, height * width)
        if height * width <= pixels:
            return whole
        reach = getattr(self.network, "reach", None)
        try:
            found = whole if reach is None else tiles.cut(size, reach, pixels)
        except ValueError:  # it reads too far around a pixel
            found = whole
        if found is whole:
            say(
                f"WARNING frames of {width}x{height} are enlarged whole, since the"
                " network can't be cut: memory grows with their size"
            )
            return whole
        say(f"frames are enlarged in {len(found)} tiles, {reach} pixels around each")
        return found

    def enlarged(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Enlarge frames, keeping those that the network reads around.

        Args:
            frames: uint8 (h, w, 3), RGB 0..255, all of a clip in order.

        Yields:
            uint8 (4h, 4w, 3), of each.
        """
        if self.network.frames == models.WHOLE_CLIP:
            yield from self._clip(frames)
            return
        half = int(self.network.frames) // 2
        near: deque[Frame] = deque(maxlen=2 * half + 1)
        count = done = 0
        for frame in frames:
            near.append(frame)
            count += 1
            if count > half:
                yield self._one(near, done, count, count + half)
                done += 1
        while done < count:
            yield self._one(near, done, count, count)
            done += 1

    def _one(self, near: deque[Frame], at: int, count: int, total: int) -> Frame:
        """Enlarge frame `at`; those in `near` end with frame `count` - 1."""
        index, wanted = np.arange(count - len(near), count), np.array([at])
        low = np.stack(near)
        output = np.empty(
            (*(models.SCALE * side for side in low.shape[1:3]), 3), np.uint8
        )
        for row, column in self.tiles:
            part = low[:, slice(*row.read), slice(*column.read)]
            high = enlarge(self.network, part, index, wanted, total, self.device)[0]
            output[_high(row.placed), _high(column.placed)] = high[
                _high(row.kept), _high(column.kept)
            ]
        return output

    def _clip(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Enlarge frames by a network of whole clips, step by step if it can."""
        if hasattr(self.network, "step"):
            yield from steps(self.network, frames, self.device)
            return
        held = np.stack(list(frames))
        say(f"WARNING the network reads the whole clip: {held.nbytes >> 20} MB of it")
        yield from clip(self.network, held, self.device)


def _high(span: tuple[int, int]) -> slice:
    """Where something lies once it is enlarged."""
    return slice(*(models.SCALE * side for side in span))


def _trained(method: str, results: Path) -> Path:
    """Find the newest network of a method: of the present world, or of the only one."""
    files = list(results.glob(f"*/networks/sr/*/{method}.h5"))
    found = {
        path.relative_to(results).parts[0]: path for path in sorted(files, key=_age)
    }
    if not found:
        raise ArtifactError(
            f"no trained network of {method!r} in {results}/*/networks/sr; there are"
            f" {_others(method, results)}. If it is a method of your config, run"
            " snakemake --cores all results/table3.csv, or name a file by --weights"
        )
    present = forms.world_of(results / "table3.csv")
    if present in found or len(found) == 1:
        return found.get(present) or next(iter(found.values()))
    raise ArtifactError(
        f"several worlds have {method!r}: choose by --weights one of"
        f" {', '.join(map(str, found.values()))}"
    )


def _others(method: str, results: Path) -> str:
    """List the methods that there are, the nearest alone if one is near."""
    known = {path.stem for path in results.glob("*/networks/sr/*/*.h5")}
    known |= {name for name in models.names() if not models.learns(name)}
    near = difflib.get_close_matches(method, known, n=1)
    return f"{', '.join(sorted(known))}" + (
        f" (did you mean {near[0]!r}?)" if near else ""
    )


def _age(path: Path) -> float:
    return path.stat().st_mtime
