"""Tracks of sound from one video file to another, as they are where that goes."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any

import av

from twinlens.errors import disk_error
from twinlens.media.clock import Clock
from twinlens.media.containers import Container
from twinlens.media.ffmpeg import LOCAL_FILES
from twinlens.progress import say

TRIAL = 50
"""Packets of sound that are written to see whether a container takes it."""
LAYOUTS = dict(enumerate("mono stereo 3.0 4.0 5.0 5.1 7.1 7.1".split(), 1))
"""Of sound, by the number of channels."""
GAP = Fraction(1, 10)
"""Seconds of silence that are noticed."""


def opened(path: Path) -> Any:
    """Open a local file, which can make ffmpeg open no other."""
    return av.open(f"file:{path}", options=dict(LOCAL_FILES))


def _left_out(file: Any) -> Iterator[str]:
    """Say what of a file does not go along."""
    if count := len(file.streams.subtitles):
        yield f"{count} tracks of subtitles are left out"
    if count := len(file.chapters()):
        yield f"{count} chapters are left out"


class Sound:
    """The sound of a file on its way to another."""

    def __init__(
        self, file: Any, start: Fraction, out: Any, kind: Container, source: Path
    ) -> None:
        """Add the tracks of a file to another.

        Args:
            file: open, see `opened`.
            start: its first time, in seconds on its own clock.
            out: open for writing, before anything was written.
            kind: of `out`.
            source: the path of `file`.
        """
        self.kind, self.gaps, self.clocks = kind, 0, dict[int, Clock]()
        for warning in _left_out(file):
            say(f"WARNING {source}: {warning}")
        self.tracks = dict[int, Track]()
        for stream in file.streams.audio:
            if track := _track(stream, out, kind, source):
                self.tracks[stream.index] = track
                self.clocks[stream.index] = Clock(start)
        self.packets = self._all(file)
        self.next: Any = next(self.packets, None)

    def until(self, seconds: Fraction | None) -> list[Any]:
        """Take the packets up to a time.

        Args:
            seconds: from the file's start on; None takes the rest.

        Returns:
            Packets to write, of any tracks, in order.
        """
        found = []
        while self.next and (seconds is None or self.next[0] <= seconds):
            found += self.next[1]
            self.next = next(self.packets, None)
        return found

    def _all(self, file: Any) -> Iterator[tuple[Fraction, list[Any]]]:
        """Read all packets of sound, each with its time."""
        streams, last = [file.streams[index] for index in self.tracks], Fraction(0)
        for packet in file.demux(streams) if streams else ():
            if packet.is_discard:  # hidden by a list of edits
                continue
            if packet.dts is not None:
                last = self._move(packet, self.clocks[packet.stream.index])
            yield last, self.tracks[packet.stream.index](packet)

    def _move(self, packet: Any, clock: Clock) -> Fraction:
        """Bring a packet's times to a clock, and return its time."""
        base, end = packet.time_base, clock.end
        time = clock.read(packet.dts * base, (packet.duration or 0) * base)
        shift = round(clock.shift / base)
        packet.dts -= shift
        packet.pts = None if packet.pts is None else packet.pts - shift
        if not self.kind.any_times and time > end + GAP:
            self._report_gap()
        return time

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
        with av.open(trial, "w", format=form) as out, opened(source) as file:
            own = out.add_stream_from_template(stream)
            for packet in islice(file.demux(file.streams[stream.index]), TRIAL):
                written += _copied(packet, own)
            seconds = _seconds(written)
            out.mux(written)
        trial.seek(0)
        with av.open(trial, "r", format=form) as file:
            read = [each for each in file.demux(audio=0) if each.dts is not None]
    except (av.FFmpegError, ValueError) as error:
        if disk_error(error):
            raise
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
