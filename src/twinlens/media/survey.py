"""Decode a clip of any length within bounded memory.

Which frames are read follows from how many there are, which is known after the last
one. So a clip's frames are held until then, up to `HELD` bytes; a longer clip is
decoded a second time, for those that are read.
"""

import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from twinlens.arrays import Frame, Frames
from twinlens.errors import ArtifactError, DecodingError, refused
from twinlens.media.ffmpeg import AGAIN, Video, decode
from twinlens.media.settings import Limits
from twinlens.resample.bicubic import resize

HELD = 1 << 28
"""Bytes of frames that are held in memory."""
LEVELS = 8
"""Of brightness, below which a clip shows one colour only: noise of coding."""


class Survey:
    """What is known of a clip once it was decoded."""

    def __init__(self, video: Video) -> None:
        """Read a video to its end.

        Args:
            video: being decoded.
        """
        self.fps, self.end = video.fps, video.end
        self.total = 0
        """Its frames."""
        self.held: list[Frame] | None = []
        """They themselves; None if they take over `HELD` bytes."""
        content, look = xxhash.xxh3_64(), _Look()
        for frame in video.frames:
            self.total += 1
            self._hold(frame)
            content.update(frame.data)
            look.update(frame)
        self.size = video.height, video.width
        self.notes = video.notes
        self.content = content.hexdigest()
        """Digest of all frames."""
        self.look = look.result()
        """ "one colour" or "still" where it shows no action, else ""."""

    def _hold(self, frame: Frame) -> None:
        if self.held is not None:
            self.held.append(frame)
            if self.total * frame.nbytes > HELD:
                self.held = None


class _Look:
    """Whether frames show no action."""

    def __init__(self) -> None:
        self.first: Frame | None = None
        self.still = self.plain = True
        self.lowest, self.highest = np.full(3, 255, np.uint8), np.zeros(3, np.uint8)

    def update(self, frame: Frame) -> None:
        """Look at the next frame."""
        if self.first is None:
            self.first = frame
        self.still = self.still and np.array_equal(frame, self.first)
        if self.plain:
            self.lowest = np.minimum(self.lowest, frame.min(axis=(0, 1)))
            self.highest = np.maximum(self.highest, frame.max(axis=(0, 1)))
            self.plain = int((self.highest - self.lowest).max()) < LEVELS

    def result(self) -> str:
        """Say what they show instead; "" if they may show one."""
        if self.plain:
            return "one colour"
        return "still" if self.still else ""


def keep(
    path: Path,
    limits: Limits,
    survey: Survey,
    index: NDArray[np.int64],
    short_side: int | None,
    folder: Path,
) -> Frames:
    """Take some frames of a clip, decoding it once more where it is long.

    Args:
        path: of the clip.
        limits: what it may cost.
        survey: of the clip.
        index: of the frames to take, ascending, each once.
        short_side: shrinks frames to this short side, aspect kept; None leaves them.
        folder: where frames of more than `HELD` bytes are spilled to, in a file
            without a name.

    Returns:
        uint8 (n, H, W, 3), RGB 0..255.

    Raises:
        DecodingError: see `decode`.
        ArtifactError: they take more bytes than is allowed, or than there is space for.
            To leave out the clip would be silent: another reader keeps fewer frames.
    """
    shape = (len(index), *fitted_size(survey.size, short_side), 3)
    if (size := int(np.prod(shape))) > limits.bytes:
        raise ArtifactError(
            f"{path}: the frames that are read of it take {size} bytes, over the limit"
            f" of {limits.bytes}: raise limits.bytes of its data set in the config,"
            " leave out the video, or leave out methods that read whole clips"
        )
    kept = _spilled(shape, folder) if size > HELD else np.empty(shape, np.uint8)

    def again(video: Video) -> None:
        places = {int(at): place for place, at in enumerate(index)}
        content = xxhash.xxh3_64()
        for at, frame in enumerate(video.frames):
            content.update(frame.data)
            if at in places and frame.shape[:2] == survey.size:
                kept[places[at]] = fitted(frame[None], short_side)[0]
        if content.hexdigest() != survey.content:
            raise DecodingError(f"{path}: changed while it was decoded; {AGAIN}")

    if survey.held is None:
        decode(path, limits, again)
    else:
        for place, at in enumerate(index):
            kept[place] = fitted(survey.held[at][None], short_side)[0]
    return kept


def _spilled(shape: tuple[int, ...], folder: Path) -> NDArray[Any]:
    """Make an array whose pages the system may write to a disk."""
    with tempfile.TemporaryFile(dir=folder) as file:
        try:  # a full disk says so here, and nowhere later
            os.posix_fallocate(file.fileno(), 0, int(np.prod(shape)))
        except OSError as error:
            raise refused(folder, error) from error
        return np.memmap(file, np.uint8, "r+", shape=shape)


def fitted_size(size: tuple[int, int], short_side: int | None) -> tuple[int, int]:
    """Height and width that frames of a size are shrunk to, never enlarged."""
    scale = (short_side or min(size)) / min(size)
    return size if scale >= 1 else (round(scale * size[0]), round(scale * size[1]))


def fitted(frames: Frame | Frames, short_side: int | None) -> Frames:
    """Shrink frames to a short side, never enlarge; aspect kept. None leaves them."""
    size = frames.shape[1], frames.shape[2]
    target = fitted_size(size, short_side)
    return frames if target == size else resize(frames, target)
