"""Frames to a video file, with times, colours and sound of the video they are of."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.video.reformatter import ColorRange, Colorspace

from twinlens.arrays import Frame
from twinlens.artifacts.publish import publish
from twinlens.errors import REMEDIES, ArtifactError
from twinlens.media.clock import Clock
from twinlens.media.containers import Container, container
from twinlens.media.shown import UNKNOWN, Shown
from twinlens.media.sound import Sound, opened
from twinlens.progress import say

MATRICES = {
    "bt709": Colorspace.ITU709,
    "fcc": Colorspace.FCC,
    "bt470bg": Colorspace.ITU601,
    "smpte170m": Colorspace.ITU601,
    "smpte240m": Colorspace.SMPTE240M,
    "bt2020nc": Colorspace.BT2020,
}
"""Matrices by ffmpeg's names."""
HDR = {"smpte2084": "PQ", "arib-std-b67": "HLG"}
"""Transfers of high dynamic range."""


def write(
    path: Path,
    frames: Iterable[tuple[Frame, int | None]],
    size: tuple[int, int],
    shown: Shown,
    fps: float,
    source: Path,
    quality: int = 14,
) -> None:
    """Encode frames to a video file, whole or not at all.

    Args:
        path: ends in one of `CONTAINERS`.
        frames: uint8 (H, W, 3), RGB 0..255, and when each is shown, in units of
            `shown.time_base`; None for a frame's time after the last.
        size: width and height of all, even.
        shown: how the frames of the source are shown; it is written likewise.
        fps: frames per second that the source states; 25 if it is 0.
        source: the file whose sound goes along, if it has any.
        quality: constant rate factor of H.264 and VP9.

    Raises:
        ArtifactError: the encoder failed, in its own words, or the disk refused it.
    """
    kind, rate = container(path), Fraction(fps or 25).limit_denominator(1001)
    if not kind.tags:  # written as players take frames of that size
        guessed = replace(shown, size=size, range="tv", space=UNKNOWN)
        as_before = shown.space == UNKNOWN and shown.matrix == guessed.matrix
        shown = guessed if as_before else replace(guessed, space=guessed.matrix)
    with publish(path) as temporary, _errors_in_words(path), ExitStack() as stack:
        out = av.open(f"file:{temporary}", "w", format=kind.format)
        stack.enter_context(out)
        picture = _picture(out, kind, size, shown, rate, quality)
        file = stack.enter_context(opened(source))
        start = Fraction(file.start_time or 0, av.time_base)
        sound = Sound(file, start, out, kind, source)
        out.metadata.update(file.metadata)
        base = shown.time_base if kind.any_times else 1 / rate
        timed = _timed(frames, shown.time_base, Clock(start), base, rate)
        for frame, at in timed if kind.any_times else _even(timed):
            coded = _coded(frame, shown)
            coded.pts, coded.time_base = at, base
            out.mux(picture.encode(coded))
            out.mux(sound.until(at * base))
        out.mux(picture.encode())
        out.mux(sound.until(None))


@contextmanager
def _errors_in_words(path: Path) -> Iterator[None]:
    """Turn an encoder's error into words, but for those of a disk."""
    try:
        yield
    except av.FFmpegError as error:
        if error.errno in REMEDIES:
            name = str(error.filename or path).removeprefix("file:")
            raise OSError(error.errno, error.strerror, name) from error
        raise ArtifactError(f"{path}: encoding failed: {error}") from error


def _timed(
    frames: Iterable[tuple[Frame, int | None]],
    given: Fraction,
    clock: Clock,
    base: Fraction,
    rate: Fraction,
) -> Iterator[tuple[Frame, int]]:
    """Bring times from units of `given` to those of `base`, each after the last."""
    step = max(1, round(1 / rate / base))
    last, moved = -step, 0
    for frame, time in frames:
        at = last + step
        if time is not None:
            at = round(clock.read(time * given, 1 / rate) / base)
        moved += at <= last
        last = max(at, last + 1)
        yield frame, last
    if moved:
        say(f"WARNING {moved} frames are shown later than in the source")


def _even(timed: Iterable[tuple[Frame, int]]) -> Iterator[tuple[Frame, int]]:
    """Warn where frames don't follow one another, which AVI has no times for."""
    last, uneven = None, False
    for frame, at in timed:
        uneven |= last not in {None, at - 1}
        last = at
        yield frame, at
    if uneven:
        say("WARNING the source has no constant rate, and AVI has no other: use .mp4")


def _picture(
    out: Any,
    kind: Container,
    size: tuple[int, int],
    shown: Shown,
    rate: Fraction,
    quality: int,
) -> Any:
    """Add the stream of frames, with the colours that the source has."""
    options = {
        "libx264": {"crf": str(quality)},
        "libvpx-vp9": {"crf": str(quality), "b": "0", "row-mt": "1"},
        "mpeg4": {"qmin": "2", "qmax": "2"},
    }[kind.picture]
    tags = {
        "colorspace": shown.matrix,
        "color_range": "tv" if shown.space == "gbr" else shown.range,
        "color_primaries": shown.primaries,
        "color_trc": shown.transfer,
    }
    options |= {key: name for key, name in tags.items() if name != UNKNOWN}
    stream = out.add_stream(kind.picture, rate=rate, options=options)
    stream.width, stream.height = size
    stream.pix_fmt = "yuv420p"
    stream.codec_context.time_base = shown.time_base if kind.any_times else 1 / rate
    stream.codec_context.sample_aspect_ratio = shown.pixel
    if shown.pixel != 1 and not kind.any_pixels:
        say(f"WARNING {kind.format}: pixels of {shown.pixel} become square")
    return stream


def _coded(frame: Frame, shown: Shown) -> Any:
    """Bring a frame from RGB to brightness and colour differences.

    By the matrix that ffmpeg decoded them by: BT.601's where they are untagged.
    """
    space = shown.matrix if shown.space in {*MATRICES, "gbr"} else "smpte170m"
    return av.VideoFrame.from_ndarray(frame, "rgb24").reformat(
        format="yuv420p",
        dst_colorspace=MATRICES[space],
        dst_color_range=ColorRange.JPEG if shown.full_range else ColorRange.MPEG,
        interpolation="BICUBIC",
    )
