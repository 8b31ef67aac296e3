"""Video to frames through ffmpeg: local files only, within limits, and in words."""

import errno
import os
import re
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeVar

import ffmpeg
import numpy as np
from numpy.typing import NDArray

from twinlens.artifacts.contents import sha1
from twinlens.decoder import binary
from twinlens.errors import DecodingError, RejectedError, message
from twinlens.media import shown
from twinlens.media.ends import end
from twinlens.media.settings import Limits
from twinlens.media.shown import Shown

Result = TypeVar("Result")

# A playlist with a video's name would make ffmpeg open other files: only these
# containers are opened, and only as files.
READ_FORMATS = "avi,mov,matroska,mpegts,mpeg,mpegvideo,m4v,ogg,flv,asf,gif,yuv4mpegpipe"
LOCAL_FILES = {"protocol_whitelist": "file,pipe", "format_whitelist": READ_FORMATS}
"""Options with which ffmpeg opens no file but the one that is named."""
MOST_WORDS = 1 << 22  # bytes of messages at their start, and at their end
DISK_FAULT = os.strerror(errno.EIO)
"""What ffmpeg says when a file could not be read to its end, or is damaged."""
MACHINE_FAULTS = tuple(
    os.strerror(each)
    for each in (
        *(errno.ESTALE, errno.ETIMEDOUT, errno.ENOTCONN, errno.EMFILE, errno.ENFILE),
        *(errno.ENOSPC, errno.EDQUOT, errno.EPIPE, errno.EAGAIN),
    )
)
"""What it says when the machine failed it: no video gives these words."""
OWN_COMPLAINT = "non monotonically increasing dts to muxer"
"""What it says of times that it gives to its own output, which has none."""
NO_MEMORY = os.strerror(errno.ENOMEM)
AGAIN = message(
    "run the same command again: finished clips are kept. If it fails for this video"
    " alone each time, leave it out of the data set's list or folder"
)


class _DiskError(RejectedError):
    """Words of a failing disk, which a damaged video can give too."""


@dataclass(kw_only=True, slots=True)
class Video:
    """A video that is decoded as it is read."""

    width: int
    height: int
    fps: float
    """Frames per second that the container states; 0 if it states none."""
    seconds: float
    """Duration that it states; 0 if it states none."""
    end: str
    """Whether the file is whole, see `ends.end`."""
    frames: Iterator[NDArray[np.uint8]]
    """(H, W, 3), RGB 0..255, once each."""
    shown: Shown | None = None
    """How they are shown, where it was asked for."""
    times: Iterator[int | None] = iter(())
    """When, each after its frame, on the file's own clock, in units of
    `shown.time_base`; None where it does not say."""
    notes: tuple[str, ...] = ()
    """What the decoder concealed or changed; known after the last frame."""


def decode(path: Path, limits: Limits, consume: Callable[[Video], Result]) -> Result:
    """Decode a video file's first video stream.

    Args:
        path: a local file in one of `READ_FORMATS`.
        limits: what it may cost.
        consume: takes the video and reads its frames to the end. It is called once
            more where the disk failed on the way.

    Returns:
        What `consume` does.

    Raises:
        RejectedError: not a video, empty, cut, over a limit; the reason.
        DecodingError: the decoder was ended from outside or by its time limit, or the
            disk could not be read: nothing is known of the video.
    """
    try:
        with stream(path, limits) as video:
            return consume(video)
    except _DiskError:
        _read_whole(path)
    with stream(path, limits, in_memory=True) as video:
        return consume(video)


@contextmanager
def stream(
    path: Path, limits: Limits, *, in_memory: bool = False, timed: bool = False
) -> Iterator[Video]:
    """Decode a file of any length frame by frame, once.

    Args:
        path: a local file in one of `READ_FORMATS`.
        limits: what it may cost.
        in_memory: whether the file was just read to its end, so that words of a failing
            disk are the video's.
        timed: whether to learn when and how frames are shown.

    Raises:
        RejectedError: as `decode`; of what comes on the way, while frames are read.
        DecodingError: likewise.
    """
    whole = _end(path, limits)
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(
            _command(path, limits, timed), stdout=subprocess.PIPE, stderr=said
        ) as process,
    ):
        decoder = _Decoder(path, limits, process, said, in_memory)
        try:
            with decoder.deadline():
                width, height = decoder.size()
                video = Video(
                    width=width,
                    height=height,
                    fps=_fps(decoder.messages()),
                    seconds=_seconds(decoder.messages()),
                    end=whole,
                    frames=iter(()),
                )
                video.frames = decoder.frames(video)
                if timed:
                    video.shown = shown.parse(decoder.messages())
                    video.times = decoder.times()
                yield video
        finally:
            process.kill()


def _end(path: Path, limits: Limits) -> str:
    """Look at a file before it is decoded.

    Raises:
        RejectedError: it can't be one, or is cut.
        DecodingError: it can't be read.
    """
    if not path.is_file():  # to read a pipe or a device would never end
        there = path.exists()
        raise RejectedError("not a regular file" if there else "no such file")
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise RejectedError("its name is not valid UTF-8: rename it") from None
    size = path.stat().st_size
    if size == 0:
        raise RejectedError("the file is empty")
    if size > limits.file:
        raise RejectedError(f"the file takes over the limit of {limits.file} bytes")
    try:
        return end(path)
    except OSError as error:
        raise unreadable(path, error) from error


class _Decoder:
    """A running ffmpeg."""

    def __init__(
        self,
        path: Path,
        limits: Limits,
        process: subprocess.Popen[bytes],
        said: IO[bytes],
        in_memory: bool,
    ) -> None:
        self.path, self.limits, self.process, self.said = path, limits, process, said
        self.in_memory = in_memory
        self.late = False
        assert process.stdout is not None
        self.pipe = process.stdout

    @contextmanager
    def deadline(self) -> Iterator[None]:
        """End it when its time is over, which `check` reports."""

        def stop() -> None:
            self.late = True
            self.process.kill()

        seconds = min(self.limits.seconds, threading.TIMEOUT_MAX)
        timer = threading.Timer(seconds, stop)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def messages(self) -> str:
        """What it has said so far: where that is long, its start and its end."""
        # Not by seek: ffmpeg writes at the offset that both would share.
        handle = self.said.fileno()
        words = os.pread(handle, MOST_WORDS, 0)
        rest = max(MOST_WORDS, os.fstat(handle).st_size - MOST_WORDS)
        words += os.pread(handle, MOST_WORDS, rest)
        # The file's name may be any words, of an error too.
        return words.decode(errors="replace").replace(str(self.path), "")

    def size(self) -> tuple[int, int]:
        """Wait for the first frame, and read the width and height of all."""
        self.start = self.pipe.read(1)  # by then it has reported the size
        sides = re.findall(r"Video: rawvideo.*?, (\d+)x(\d+)", self.messages())
        if not self.start or not sides:
            self.check(whole=False)
        width, height = map(int, sides[-1])
        if width * height > self.limits.pixels:
            raise RejectedError(
                f"frames of {width}x{height} are over the limit of pixels"
            )
        return width, height

    def frames(self, video: Video) -> Iterator[NDArray[np.uint8]]:
        """Read the frames; after the last, check how decoding ended."""
        count, got = 0, 1
        while got:
            frame = np.empty((video.height, video.width, 3), np.uint8)
            flat = memoryview(frame.reshape(-1))  # type: ignore[arg-type]
            flat[: len(self.start)] = self.start
            got = len(self.start) + self.pipe.readinto(flat[len(self.start) :])  # type: ignore[attr-defined]
            if got < len(flat):
                break
            if count == self.limits.frames:
                raise RejectedError(f"longer than the limit of {count} frames")
            yield frame
            count, self.start = count + 1, b""
        self.check(whole=count > 0 and not got)
        video.notes = tuple(_notes(self.messages()))

    def times(self) -> Iterator[int | None]:
        """Read when frames are shown, which it says before it gives them."""
        at, rest = 0, b""
        while new := os.pread(self.said.fileno(), MOST_WORDS, at):
            at += len(new)
            *lines, rest = (rest + new).split(b"\n")
            for found in filter(None, map(shown.FRAME.search, lines)):
                yield None if found[1] == b"NOPTS" else int(found[1])

    def check(self, *, whole: bool) -> None:
        """Check how it ended, and whether the frames were whole.

        Raises:
            RejectedError: the video is at fault.
            DecodingError: it did not end by itself, or the machine failed it: it had no
                memory for frames of a size that is allowed, no file, no connection.
        """
        self.pipe.read()
        code, messages = self.process.wait(), self.messages()
        if self.late:
            raise _too_slow(self.path, self.limits)
        if why := _stopped(code, messages, self.limits):
            raise DecodingError(f"{self.path}: {why}; {AGAIN}")
        if not self.in_memory and DISK_FAULT in "\n".join(_worst(messages)):
            raise _DiskError(_reason(messages, code))
        if code or not whole:
            raise RejectedError(_reason(messages, code))


def _too_slow(path: Path, limits: Limits) -> DecodingError:
    return DecodingError(
        f"{path}: decoding took longer than {limits.seconds:g} s: run the same"
        " command again when the machine is less busy, or raise limits.seconds of"
        " its data set"
    )


def _stopped(code: int, messages: str, limits: Limits) -> str:
    """Return why a decoder's end says nothing about its video; "" if it does."""
    if code < 0:
        return _ended(code)
    # On a signal that it can catch, ffmpeg says so and ends with 255.
    if found := re.search(r"^(?:\[\w+\] )?Exiting .*signal (\d+)", messages, re.M):
        return _ended(-int(found[1]))
    errors = "\n".join(_worst(messages))
    if found := re.search("|".join(map(re.escape, MACHINE_FAULTS)), errors):
        return message(f"ffmpeg failed: {found[0]}")
    if NO_MEMORY in errors and _allowed(messages, limits):
        return message("no memory left to decode it")
    return ""


def _ended(code: int) -> str:
    """Describe a signal, from an exit status below 0."""
    known = {each.value: each.name for each in signal.Signals}
    name = known.get(-code, f"signal {-code}")
    if name == "SIGKILL":
        return message("ffmpeg was ended by SIGKILL (out of memory, usually)")
    return message(f"ffmpeg was ended by {name}")


def _allowed(messages: str, limits: Limits) -> bool:
    """Whether the container states no frames over the limit of pixels."""
    width, height = map(int, (_stated_size(messages) or "0x0").split("x"))
    return width * height <= limits.pixels


def _stated_size(messages: str) -> str:
    """Width and height that the container states, as "320x240"; "" if none."""
    found = re.search(
        r"^\[info\] +Stream #0:\d+.*?: Video: .*?, (\d+x\d+)", messages, re.M
    )
    return found[1] if found else ""


def _read_whole(path: Path) -> None:
    """Read a file once.

    Raises:
        DecodingError: the disk gives it up.
    """
    try:
        sha1(path)
    except OSError as error:
        raise unreadable(path, error) from error


def unreadable(path: Path, error: OSError) -> DecodingError:
    """Build the error for a video that could not be read."""
    return DecodingError(f"{path}: can't be read: {error.strerror or error}; {AGAIN}")


def _command(path: Path, limits: Limits, timed: bool) -> list[str]:
    """Build the command that decodes a file to raw RGB on standard output."""
    settings: dict[str, Any] = {**LOCAL_FILES, "threads": 1}
    filters = {"vf": shown.FILTER} if timed else {}
    clock = ["-copyts"] if timed else []  # else it counts from the streams in use
    command: list[str] = (
        ffmpeg.input(f"file:{path}", **settings)
        .output(
            "pipe:",
            format="rawvideo",
            pix_fmt="rgb24",
            fps_mode="passthrough",
            # Exact and the same on every processor.
            sws_flags="bicubic+accurate_rnd+full_chroma_int+bitexact",
            # Titles could pass for what ffmpeg says of the stream.
            map_metadata=-1,
            **{"map": "0:V:0", "frames:v": limits.frames + 1},
            **filters,
        )
        .global_args("-nostdin", "-hide_banner", "-loglevel", "level+info", "-nostats")
        .global_args(*clock)
        .global_args("-max_alloc", str(64 * limits.pixels))
        .compile(cmd=binary())
    )
    return command


def _reason(messages: str, code: int) -> str:
    """Summarise what ffmpeg reported as wrong, in one line."""
    if "matches no streams" in messages:
        return message("no video stream in it (audio only?)")
    if code < 0:
        return _ended(code)
    if errors := _errors(messages):
        return message(f"ffmpeg: {errors}")
    return message(f"ffmpeg: no frame, exit status {code}")


def _errors(messages: str) -> str:
    """Join the first errors among ffmpeg's messages."""
    return "; ".join(dict.fromkeys(line.strip() for line in _worst(messages)[:2]))


def _worst(messages: str) -> list[str]:
    # At the start of a line, where no title can stand.
    errors = re.findall(
        r"^(?:\[[^]\n]* @ [^]\n]*\] )*\[(?:fatal|error)\] (.+)", messages, re.M
    )
    return [each for each in errors if OWN_COMPLAINT not in each]


def _notes(messages: str) -> Iterator[str]:
    """Say what the decoder concealed, or changed."""
    if errors := _errors(messages):
        yield message(f"ffmpeg concealed errors: {errors}")
    prefix = r"^(?:\[[^]\n]* @ [^]\n]*\] )?\[info\] "
    changes = prefix + r"Reconfiguring filter graph because .* changed to .*?(\d+x\d+)"
    if set(re.findall(changes, messages, re.M)) - {_stated_size(messages)}:
        yield message("its frames change size: all are brought to that of the first")


def _seconds(messages: str) -> float:
    """Read the duration that the container states, 0 if none."""
    found = re.search(r"^\[info\] +Duration: (\d+):(\d+):(\d+\.\d+)", messages, re.M)
    if not found:
        return 0.0
    hours, minutes, seconds = found.groups()
    return 3600 * int(hours) + 60 * int(minutes) + float(seconds)


def _fps(messages: str) -> float:
    stream = re.search(r"^\[info\] +Stream #0:\d+.*?: Video: .*", messages, re.M)
    found = stream and re.search(r"([\d.]+)(k?) (?:fps|tbr)", stream.group())
    return float(found[1]) * (1000 if found[2] else 1) if found else 0.0
