"""Video to frames through ffmpeg: local files only, within limits, and in words."""

import errno
import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import ffmpeg
import numpy as np
from numpy.typing import NDArray

from twinlens.artifacts.contents import sha1
from twinlens.artifacts.publish import publish
from twinlens.decoder import binary
from twinlens.errors import DecodingError, RejectedError, message
from twinlens.media.settings import Limits

# A playlist with a video's name would make ffmpeg open other files: only these
# containers are opened, and only as files.
CONTAINERS = "avi,mov,matroska,mpegts,mpeg,mpegvideo,m4v,ogg,flv,asf,gif,yuv4mpegpipe"
MOST_WORDS = 1 << 24  # bytes of messages
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
NO_MEMORY = os.strerror(errno.ENOMEM)
AGAIN = message(
    "run the same command again: finished clips are kept. If it fails for this video"
    " alone each time, leave it out of the data set's list or folder"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Clip:
    """A decoded clip."""

    frames: NDArray[np.uint8]
    """(T, H, W, 3), RGB 0..255."""
    fps: float
    """Frames per second that the container states; 0 if it states none."""
    container_frames: int
    """Frames that the container states; 0 if it states none."""
    concealed: str
    """Errors in the stream that ffmpeg reported and concealed; empty for none."""


def decode(path: Path, limits: Limits | None = None) -> Clip:
    """Decode a video file's first video stream.

    Args:
        path: a local file in one of `CONTAINERS`.
        limits: what it may cost.

    Raises:
        RejectedError: not a video, empty, cut, over a limit; the reason.
        DecodingError: the decoder was ended from outside or by its time limit, or the
            disk could not be read: nothing is known of the video.
    """
    limits = limits or Limits()
    if not path.is_file():  # to read a pipe or a device would never end
        there = path.exists()
        raise RejectedError("not a regular file" if there else "no such file")
    size = path.stat().st_size
    if size == 0:
        raise RejectedError("the file is empty")
    if size > limits.file:
        raise RejectedError(f"the file takes over the limit of {limits.file} bytes")
    code, raw, messages = _run(path, limits)
    if DISK_FAULT in _error_lines(messages, path):
        # A damaged video can give these words too. Once it was read whole it lies in
        # memory: what ffmpeg says then is the video's fault.
        _read_whole(path)
        code, raw, messages = _run(path, limits)
    sides = re.findall(r"Video: rawvideo.*?, (\d+)x(\d+)", messages)
    if not sides or not raw:
        raise RejectedError(_reason(messages, code))
    width, height = map(int, sides[-1])
    frame = 3 * width * height
    if frame > 3 * limits.pixels:
        raise RejectedError(f"frames of {width}x{height} are over the limit of pixels")
    count = len(raw) // frame
    if len(raw) > limits.bytes:
        raise RejectedError(f"its frames take over the limit of {limits.bytes} bytes")
    if count > limits.frames:
        raise RejectedError(f"longer than the limit of {limits.frames} frames")
    if code != 0 or count == 0:
        raise RejectedError(_reason(messages, code))
    frames = np.frombuffer(raw, np.uint8, count * frame)
    stated = _stated_frames(path)
    if cut := _truncated(messages, count, stated):
        raise RejectedError(cut)
    return Clip(
        frames=frames.reshape(count, height, width, 3),
        fps=_fps(messages),
        container_frames=stated,
        concealed=_errors(messages),
    )


def _run(path: Path, limits: Limits) -> tuple[int, bytes, str]:
    """Run ffmpeg; return its exit status, raw RGB and messages.

    Raises:
        DecodingError: it did not end by itself, or the machine failed it: it had no
            memory for frames of a size that is allowed, no file, no connection.
    """
    try:
        done = subprocess.run(
            _command(path, limits),
            capture_output=True,
            timeout=limits.seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _too_slow(path, limits) from error
    messages = done.stderr.decode(errors="replace")
    if why := _stopped(done.returncode, messages, path, limits):
        raise DecodingError(f"{path}: {why}; {AGAIN}")
    return done.returncode, done.stdout, messages


def _too_slow(path: Path, limits: Limits) -> DecodingError:
    return DecodingError(
        f"{path}: decoding took longer than {limits.seconds:g} s: run the same"
        " command again when the machine is less busy, or raise limits.seconds of"
        " its data set"
    )


def _stopped(code: int, messages: str, path: Path, limits: Limits) -> str:
    """Return why a decoder's end says nothing about its video; "" if it does."""
    if code < 0:
        return _ended(code)
    # On a signal that it can catch, ffmpeg says so and ends with 255.
    if found := re.search(r"^(?:\[\w+\] )?Exiting .*signal (\d+)", messages, re.M):
        return _ended(-int(found[1]))
    errors = _error_lines(messages, path)
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
    found = re.search(r"Video: .*?, (\d+)x(\d+)", messages)
    return found is None or int(found[1]) * int(found[2]) <= limits.pixels


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


def _command(path: Path, limits: Limits | None) -> list[str]:
    """Build the command that decodes a file to raw RGB on standard output."""
    settings: dict[str, Any] = {
        "protocol_whitelist": "file,pipe",
        "format_whitelist": CONTAINERS,
        "threads": 1,
    }
    ends: dict[str, Any] = {"map": "0:v:0"}
    if limits:
        ends |= {"frames:v": limits.frames + 1, "fs": limits.bytes + 1}
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
            **ends,
        )
        .global_args("-nostdin", "-hide_banner", "-loglevel", "level+info", "-stats")
        .global_args("-max_alloc", str(64 * (limits or Limits()).pixels))
        .compile(cmd=binary())
    )
    return command


@dataclass(frozen=True, kw_only=True, slots=True)
class Stream:
    """A video that is decoded as it is read."""

    width: int
    height: int
    fps: float
    """Frames per second that the container states; 0 if it states none."""
    container_frames: int
    """Frames that the container states; 0 if it states none."""
    frames: Iterator[NDArray[np.uint8]]
    """(H, W, 3), RGB 0..255, once each."""


@contextmanager
def stream(path: Path) -> Iterator[Stream]:
    """Decode a file of any length frame by frame.

    Args:
        path: a local file in one of `CONTAINERS`.

    Raises:
        RejectedError: unreadable, not a video, or damaged on the way; the reason.
    """
    if not path.is_file():
        raise RejectedError(f"{path}: no such file")
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(
            _command(path, None), stdout=subprocess.PIPE, stderr=said
        ) as decoder,
    ):

        def messages() -> str:
            # Not by seek: ffmpeg writes at the offset that both would share.
            return os.pread(said.fileno(), MOST_WORDS, 0).decode(errors="replace")

        assert decoder.stdout is not None
        start = decoder.stdout.read(1)  # by then ffmpeg has reported the size
        size = re.findall(r"Video: rawvideo.*?, (\d+)x(\d+)", messages())
        if not start or not size:
            decoder.kill()
            raise RejectedError(f"{path}: {_reason(messages(), decoder.wait())}")
        width, height = map(int, size[-1])

        def frames() -> Iterator[NDArray[np.uint8]]:
            raw, pipe, count = start, decoder.stdout, 0
            assert pipe is not None
            while True:
                raw += pipe.read(3 * width * height - len(raw))
                if len(raw) < 3 * width * height:
                    break
                yield np.frombuffer(raw, np.uint8).reshape(height, width, 3)
                raw, count = b"", count + 1
            if decoder.wait() or raw:
                reason = _reason(messages(), decoder.returncode)
                raise RejectedError(f"{path}: {reason}")
            if cut := _truncated(messages(), count, _stated_frames(path)):
                raise RejectedError(f"{path}: {cut}")

        try:
            yield Stream(
                width=width,
                height=height,
                fps=_fps(messages()),
                container_frames=_stated_frames(path),
                frames=frames(),
            )
        finally:
            decoder.kill()


def write(
    path: Path,
    frames: Iterable[NDArray[np.uint8]],
    size: tuple[int, int],
    fps: float,
    *,
    sound: Path | None = None,
    quality: int = 14,
) -> None:
    """Encode frames to a video file, whole or not at all.

    Args:
        path: .avi gets MPEG-4, all others H.264.
        frames: uint8 (H, W, 3), RGB 0..255.
        size: width and height, even.
        fps: frames per second; 25 if it is 0.
        sound: a file whose first sound goes along, if it has one.
        quality: constant rate factor of H.264.

    Raises:
        RejectedError: the encoder failed; its own words.
    """
    with publish(path) as temporary, tempfile.TemporaryFile() as said:
        command = [binary(), "-hide_banner", "-loglevel", "error", "-y"]
        command += ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{size[0]}x{size[1]}"]
        command += ["-r", _rational(fps or 25.0), "-i", "pipe:"]
        if sound:
            command += ["-i", f"file:{sound}", "-map", "0:v", "-map", "1:a:0?"]
            # Any sound fits these two as it is; the others may lack its codec.
            kept = path.suffix.lower() in {".mkv", ".avi"}
            command += ["-c:a", *(["copy"] if kept else ["aac", "-b:a", "192k"])]
        if path.suffix.lower() == ".avi":
            command += ["-c:v", "mpeg4", "-q:v", "2"]
        else:
            command += ["-c:v", "libx264", "-crf", str(quality)]
        command += ["-pix_fmt", "yuv420p", f"file:{temporary}"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=said) as encoder:
            assert encoder.stdin is not None
            try:
                for frame in frames:
                    encoder.stdin.write(frame.tobytes())
                encoder.stdin.close()
            except BrokenPipeError:
                pass  # it ended early, and says why below
            except BaseException:
                encoder.kill()
                raise
            code = encoder.wait()
        if code:
            said.seek(0)
            words = said.read().decode(errors="replace").strip().splitlines()
            raise RejectedError(f"{path}: encoding failed: {'; '.join(words[:2])}")


def _rational(fps: float) -> str:
    """Format frames per second for ffmpeg, which reports 29.97 for 30000/1001."""
    for whole in (24, 30, 48, 60, 120):
        if abs(fps - whole / 1.001) < 0.006:
            return f"{1000 * whole}/1001"
    return f"{fps:g}"


def _reason(messages: str, code: int) -> str:
    """Summarise what ffmpeg reported as wrong, in one line."""
    if "matches no streams" in messages:
        return message("no video stream in it (audio only?)")
    if code < 0:
        return _ended(code)
    if errors := _errors(messages):
        return message(f"ffmpeg: {errors}")
    return message(f"ffmpeg: no frame, exit status {code}")


def _error_lines(messages: str, path: Path) -> str:
    """Select the lines with errors, less the file's name, which may be any words."""
    return "\n".join(_worst(messages.replace(str(path), "")))


def _errors(messages: str) -> str:
    """Join the first errors among ffmpeg's messages."""
    return "; ".join(dict.fromkeys(line.strip() for line in _worst(messages)[:2]))


def _worst(messages: str) -> list[str]:
    return re.findall(r"\[(?:fatal|error)\] (.+)", messages)


def _stated_frames(path: Path) -> int:
    """Read the frame count in the container's header, 0 if none.

    ffmpeg's messages don't give it, and its duration follows a cut file's size; OpenCV
    gives it. Only for files that passed `decode`'s allow-lists.
    """
    video = cv2.VideoCapture(str(path.resolve()), cv2.CAP_FFMPEG)
    if not video.isOpened():  # a read that failed once? ffmpeg could open it
        _read_whole(path)
        video.open(str(path.resolve()), cv2.CAP_FFMPEG)
    try:
        return max(0, int(video.get(cv2.CAP_PROP_FRAME_COUNT)))
    finally:
        video.release()


def _truncated(messages: str, count: int, stated: int) -> str:
    """Describe how a file ended early; "" if it did not.

    By time, not by number: AVI files may repeat a frame by an empty chunk.
    """
    fps = _fps(messages)
    if fps and _reached(messages) + 0.1 < 0.98 * stated / fps:
        return message(f"truncated: {count} of {stated} frames can be decoded")
    return ""


def _reached(messages: str) -> float:
    """Read the time of the last decoded frame's end, in seconds."""
    found = re.findall(r"time=(\d+):(\d+):(\d+\.\d+)", messages)
    if not found:
        return 0.0
    hours, minutes, seconds = found[-1]
    return 3600 * int(hours) + 60 * int(minutes) + float(seconds)


def _fps(messages: str) -> float:
    stream = re.search(r"^\[info\] +Stream #0:\d+.*?: Video: .*", messages, re.M)
    found = stream and re.search(r"([\d.]+) (?:fps|tbr)", stream.group())
    return float(found.group(1)) if found else 0.0
