"""Read the frames that flow is computed from."""

import cv2
import numpy as np
from numpy.typing import NDArray

from twinlens.arrays import Frames
from twinlens.artifacts.reader import JoinedClip


def pairs_of(
    clip: JoinedClip,
    first: NDArray[np.integer],
    gap: int = 1,
    size: tuple[int, int] | None = None,
) -> tuple[Frames, Frames]:
    """Read the frames of pairs of a clip: (n, H, W, 3) twice, RGB.

    Args:
        clip: of "frames/1".
        first: (n,) index of each pair's first frame.
        gap: frames from a pair's first to its second.
        size: width and height that frames are resized to first.

    Raises:
        ArtifactError: a frame is not stored.
    """
    wanted = np.unique(np.concatenate([first, first + gap]))
    frames = resized(clip.at("frames", wanted), size)
    one, other = (np.searchsorted(wanted, each) for each in (first, first + gap))
    return frames[one], frames[other]


def resized(frames: Frames, size: tuple[int, int] | None) -> Frames:
    """Resize frames (n, H, W, 3) to a width and height, as TSN's extraction does."""
    if size is None:
        return frames
    width, height = size
    found = np.empty((len(frames), height, width, frames.shape[3]), frames.dtype)
    for place, frame in zip(found, frames, strict=True):
        cv2.resize(frame, size, place, interpolation=cv2.INTER_LINEAR)
    return found


def grays(frames: Frames) -> Frames:
    """Convert RGB frames (n, H, W, 3) to gray ones (n, H, W)."""
    if not len(frames):
        return np.zeros(frames.shape[:3], np.uint8)
    return np.stack([cv2.cvtColor(each, cv2.COLOR_RGB2GRAY) for each in frames])
