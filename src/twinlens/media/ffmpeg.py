"""Video to frames through ffmpeg: local files only, within limits, and in words.

ffmpeg is the system's, or else the binary that `imageio-ffmpeg` ships.
"""

import functools
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import ffmpeg
import numpy as np
from numpy.typing import NDArray

# A playlist with a video's name would make ffmpeg open other files: only these
# containers are opened, and only as files.
CONTAINERS = "avi,mov,matroska,mpegts,mpeg,mpegvideo,m4v,ogg,flv,asf,gif,yuv4mpegpipe"
OLDEST = (5, 1)  # the first that knows -fps_mode
SUFFIXES = frozenset(
    ".avi .mp4 .m4v .mov .mkv .webm .ts .mpg .mpeg .ogv .flv .wmv .gif .y4m".split()
)


class RejectedError(ValueError):
    """A file that gives no usable clip; the text is the reason."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What a single file may cost."""

    seconds: float = 300.0
    """Wall time of its decoding."""
    frames: int = 20_000
    """Frames that are decoded of it at most."""
    pixels: int = 4096 * 2304
    """Pixels of a frame."""
    bytes: int = 4 << 30
    """Memory of its frames."""


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
    """What ffmpeg found wrong inside and mended as it could; empty for nothing."""


def binary() -> str:
    """Path of the ffmpeg to use.

    Raises:
        FileNotFoundError: there is none.
    """
    found = shutil.which("ffmpeg")
    if found and _version(found) >= OLDEST:
        return found
    try:
        import imageio_ffmpeg

        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except (ImportError, RuntimeError) as error:
        raise FileNotFoundError(
            f"no ffmpeg of version {OLDEST[0]}.{OLDEST[1]} or newer: install one, or"
            " `pip install imageio-ffmpeg`"
        ) from error


@functools.cache
def _version(path: str) -> tuple[int, int]:
    """Its release; a build without one counts as new."""
    said = subprocess.run(
        [path, "-version"], capture_output=True, text=True, check=False
    )
    found = re.match(r"ffmpeg version n?(\d+)\.(\d+)", said.stdout)
    return (int(found.group(1)), int(found.group(2))) if found else (99, 0)


def decode(path: Path, limits: Limits | None = None) -> Clip:
    """Decode a video file's first video stream.

    Args:
        path: a local file in one of `CONTAINERS`.
        limits: what it may cost.

    Raises:
        RejectedError: unreadable, not a video, empty, cut, over a limit; the reason.
    """
    limits = limits or Limits()
    if not path.is_file():
        raise RejectedError("no such file")
    if path.stat().st_size == 0:
        raise RejectedError("the file is empty")
    code, raw, messages = _run(path, limits)
    size = re.findall(r"Video: rawvideo.*?, (\d+)x(\d+)", messages)
    if not size or not raw:
        raise RejectedError(_reason(messages, code))
    width, height = map(int, size[-1])
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
    fps, stated = _fps(messages), _stated_frames(path)
    # By time, not by number: AVI files may repeat a frame by an empty chunk.
    if fps and _reached(messages) + 0.1 < 0.98 * stated / fps:
        raise RejectedError(f"truncated: {count} of {stated} frames can be decoded")
    return Clip(
        frames=frames.reshape(count, height, width, 3),
        fps=fps,
        container_frames=stated,
        concealed=_errors(messages),
    )


def _run(path: Path, limits: Limits) -> tuple[int, bytes, str]:
    """Run ffmpeg: its exit status, raw RGB and messages."""
    settings: dict[str, Any] = {
        "protocol_whitelist": "file,pipe",
        "format_whitelist": CONTAINERS,
        "threads": 1,
    }
    command = (
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
            fs=limits.bytes + 1,
            **{"map": "0:v:0", "frames:v": limits.frames + 1},
        )
        .global_args("-nostdin", "-hide_banner", "-loglevel", "level+info", "-stats")
        .global_args("-max_alloc", str(64 * limits.pixels))
        .compile(cmd=binary())
    )
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=limits.seconds, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise RejectedError(
            f"decoding took longer than {limits.seconds:g} s"
        ) from error
    return done.returncode, done.stdout, done.stderr.decode(errors="replace")


def _reason(messages: str, code: int) -> str:
    """What ffmpeg said was wrong, in one line."""
    if "matches no streams" in messages:
        return "no video stream in it (audio only?)"
    return f"ffmpeg: {_errors(messages) or f'no frame, exit status {code}'}"


def _errors(messages: str) -> str:
    """The first errors among ffmpeg's messages."""
    worst = re.findall(r"\[(?:fatal|error)\] (.+)", messages)
    return "; ".join(dict.fromkeys(line.strip() for line in worst[:2]))


def _stated_frames(path: Path) -> int:
    """The count in the container's header, 0 if none.

    ffmpeg's messages don't give it, and its duration follows a cut file's size; OpenCV
    gives it. Only for files that passed `decode`'s allow-lists.
    """
    video = cv2.VideoCapture(str(path.resolve()), cv2.CAP_FFMPEG)
    try:
        return max(0, int(video.get(cv2.CAP_PROP_FRAME_COUNT)))
    finally:
        video.release()


def _reached(messages: str) -> float:
    """The time of the last decoded frame's end, in seconds."""
    found = re.findall(r"time=(\d+):(\d+):(\d+\.\d+)", messages)
    if not found:
        return 0.0
    hours, minutes, seconds = found[-1]
    return 3600 * int(hours) + 60 * int(minutes) + float(seconds)


def _fps(messages: str) -> float:
    stream = re.search(r"^\[info\] +Stream #0:\d+.*?: Video: .*", messages, re.M)
    found = stream and re.search(r"([\d.]+) (?:fps|tbr)", stream.group())
    return float(found.group(1)) if found else 0.0
