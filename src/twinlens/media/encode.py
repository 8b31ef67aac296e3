"""Frames to a video file, with times, colours and sound of the video they are of."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray

from twinlens.artifacts.publish import publish
from twinlens.errors import REMEDIES, ArtifactError
from twinlens.media.ffmpeg import LOCAL_FILES
from twinlens.media.shown import UNKNOWN, Shown
from twinlens.progress import say

Frame = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Container:
    """A kind of file that is written, by ffmpeg's names."""

    format: str
    picture: str
    """The encoder of frames."""
    sound: str
    """The encoder of sound that does not fit as it is."""
    any_times: bool = True
    """Whether frames may be shown at any times."""
    tags: bool = True
    """Whether it says what colours are."""
    any_pixels: bool = True
    """Whether pixels may have another shape than a square."""


_MP4 = Container("mp4", "libx264", "aac")
CONTAINERS: Mapping[str, Container] = {
    ".mp4": _MP4,
    ".m4v": _MP4,
    ".mov": Container("mov", "libx264", "aac"),
    ".mkv": Container("matroska", "libx264", "aac"),
    ".webm": Container("webm", "libvpx-vp9", "libopus", any_pixels=False),
    ".avi": Container("avi", "mpeg4", "pcm_s16le", any_times=False, tags=False),
}
"""By the endings of their files."""
MATRICES = {
    "bt709": Colorspace.ITU709,
    "fcc": Colorspace.FCC,
    "bt470bg": Colorspace.ITU601,
    "smpte170m": Colorspace.ITU601,
    "smpte240m": Colorspace.SMPTE240M,
    "bt2020nc": Colorspace.BT2020,
}
"""Matrices by ffmpeg's names."""
TRIAL = 50
"""Packets of sound that are written to see whether a container takes it."""
LAYOUTS = dict(enumerate("mono stereo 3.0 4.0 5.0 5.1 7.1 7.1".split(), 1))
"""Of sound, by the number of channels."""
GAP = Fraction(1, 10)
"""Seconds of silence that are noticed."""
BACK = Fraction(1, 2)
"""Seconds by which times may go back before another clock is taken."""
HDR = {"smpte2084": "PQ", "arib-std-b67": "HLG"}
"""Transfers of high dynamic range."""


def container(path: Path) -> Container:
    """Choose the kind of a file that is to be written by its ending.

    Raises:
        ArtifactError: it has none that is known.
    """
    try:
        return CONTAINERS[path.suffix.lower()]
    except KeyError:
        raise ArtifactError(
            f"{path}: can't write {path.suffix or 'a file without an ending'}: give it"
            f" one of {' '.join(CONTAINERS)}"
        ) from None


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
        shown = replace(shown, size=size, range="tv", space=UNKNOWN)
        shown = replace(shown, space=shown.matrix)
    with publish(path) as temporary, _errors_in_words(path), ExitStack() as stack:
        out = av.open(f"file:{temporary}", "w", format=kind.format)
        stack.enter_context(out)
        picture = _picture(out, kind, size, shown, rate, quality)
        file = stack.enter_context(_opened(source))
        start = Fraction(file.start_time or 0, av.time_base)
        sound = _Sound(file, start, out, kind, source)
        for warning in _left_out(file):
            say(f"WARNING {source}: {warning}")
        out.metadata.update(file.metadata)
        base = shown.time_base if kind.any_times else 1 / rate
        times = _timed(frames, shown.time_base, start, base, rate)
        for frame, at in times:
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
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise ArtifactError(f"{path}: encoding failed: {error}") from error


def _timed(
    frames: Iterable[tuple[Frame, int | None]],
    given: Fraction,
    start: Fraction,
    base: Fraction,
    rate: Fraction,
) -> Iterator[tuple[Frame, int]]:
    """Bring times to units of `base` from `start` on; each is after the one before."""
    step = max(1, round(1 / rate / base))
    last, moved, uneven = -step, 0, 0
    for frame, time in frames:
        at = last + step if time is None else round((time * given - start) / base)
        if at < last - BACK / base:  # another clock: it goes on
            start -= (last + step - at) * base
            at = last + step
        moved += at <= last
        uneven += base == 1 / rate and at != last + 1 and last >= 0
        last = max(at, last + 1)
        yield frame, last
    if moved:
        say(f"WARNING {moved} frames are shown later than in the source")
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


def _opened(path: Path) -> Any:
    """Open a local file, which can make ffmpeg open no other."""
    return av.open(f"file:{path}", options=dict(LOCAL_FILES))


def _left_out(file: Any) -> Iterator[str]:
    """Say what of a file does not go along."""
    if count := len(file.streams.subtitles):
        yield f"{count} tracks of subtitles are left out"
    if count := len(file.chapters()):
        yield f"{count} chapters are left out"


class _Sound:
    """The sound of a file on its way to another."""

    def __init__(
        self, file: Any, start: Fraction, out: Any, kind: Container, source: Path
    ) -> None:
        self.start, self.kind, self.gaps = start, kind, 0
        tracks = {
            stream.index: _track(stream, out, kind, source)
            for stream in file.streams.audio
        }
        self.tracks = {index: track for index, track in tracks.items() if track}
        self.packets = self._all(file)
        self.next: Any = next(self.packets, None)

    def until(self, seconds: Fraction | None) -> list[Any]:
        """Take the packets up to a time; the rest if it is None."""
        found = []
        while self.next and (seconds is None or self.next[0] <= seconds):
            found += self.next[1]
            self.next = next(self.packets, None)
        return found

    def _all(self, file: Any) -> Iterator[tuple[Fraction, list[Any]]]:
        """Read all packets of sound, each with its time."""
        if not self.tracks:
            return
        ends, last = dict.fromkeys(self.tracks, Fraction(0)), Fraction(0)
        shifts = dict.fromkeys(self.tracks, self.start)
        for packet in file.demux([file.streams[index] for index in self.tracks]):
            index = packet.stream.index
            if packet.is_discard:  # hidden by a list of edits
                continue
            if packet.dts is not None:
                # A clock that goes back, as of files that were joined, goes on.
                if packet.dts * packet.time_base - shifts[index] < ends[index] - BACK:
                    shifts[index] = packet.dts * packet.time_base - ends[index]
                shift = round(shifts[index] / packet.time_base)
                packet.dts -= shift
                packet.pts = None if packet.pts is None else packet.pts - shift
                last = packet.dts * packet.time_base
                if not self.kind.any_times and last > ends[index] + GAP:
                    self._report_gap()
                ends[index] = last + (packet.duration or 0) * packet.time_base
            yield last, self.tracks[index](packet)

    def _report_gap(self) -> None:
        self.gaps += 1
        if self.gaps == 1:
            say(
                "WARNING sound that starts late or pauses comes too early, since"
                " AVI has no times of sound: use .mp4"
            )


Track = Callable[[Any], list[Any]]
"""Packets of a track, from those of its source; an empty one is its last."""


def _track(stream: Any, out: Any, kind: Container, source: Path) -> Track | None:
    """Add a track of sound, as it is where the container takes it."""
    context = stream.codec_context
    if context is None or not context.sample_rate or not context.layout.nb_channels:
        say(f"WARNING {source}: a track of sound can't be read, and is left out")
        return None
    if _fits(stream, kind.format, source):
        own = out.add_stream_from_template(stream)
        own.metadata.update(stream.metadata)
        return lambda packet: _copied(packet, own)
    say(
        f"WARNING {source}: sound in {context.name} can't go into {kind.format} as it"
        f" is, and is encoded again as {kind.sound}"
    )
    rate = 48_000 if kind.sound == "libopus" else context.sample_rate
    layout = context.layout.name
    if layout.endswith(" channels") or kind.sound == "aac":  # the count alone is stated
        layout = LAYOUTS.get(context.layout.nb_channels, layout)
    coded = out.add_stream(kind.sound, rate=rate, layout=layout)
    coded.metadata.update(stream.metadata)
    return lambda packet: _recoded(packet, coded)


def _fits(stream: Any, form: str, source: Path) -> bool:
    """Whether a container takes sound as it is: some is written to it and read again.

    What muxers say of themselves does not do: that of AVI takes Vorbis, which then
    plays at another speed.
    """
    trial, written = BytesIO(), []
    try:
        with av.open(trial, "w", format=form) as out, _opened(source) as file:
            own = out.add_stream_from_template(stream)
            for packet in islice(file.demux(file.streams[stream.index]), TRIAL):
                written += _copied(packet, own)
            seconds = _seconds(written)
            out.mux(written)
        trial.seek(0)
        with av.open(trial, "r", format=form) as file:
            read = [each for each in file.demux(audio=0) if each.dts is not None]
    except (av.FFmpegError, ValueError):
        return False
    return abs(_seconds(read) - seconds) < 0.1


def _seconds(packets: list[Any]) -> float:
    """Time from the start of the first packet to the end of the last."""
    if not packets:
        return 0.0
    last = packets[-1]
    ticks = last.dts + (last.duration or 0)
    return float(ticks * last.time_base - packets[0].dts * packets[0].time_base)


def _copied(packet: Any, stream: Any) -> list[Any]:
    if packet.dts is None:
        return []
    packet.stream = stream
    return [packet]


def _recoded(packet: Any, stream: Any) -> list[Any]:
    packets = [each for frame in packet.decode() for each in stream.encode(frame)]
    return packets if packet.size else packets + stream.encode(None)
