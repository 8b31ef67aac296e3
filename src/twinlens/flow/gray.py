"""The frames that flow is computed from, gray or in colour."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from twinlens.artifacts.reader import Clip


def gray_pairs(
    clip: Clip, pairs: NDArray[np.int64], gap: int = 1, size: list[int] | None = None
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The gray frames of pairs of a clip's stored frames: (n, H, W) twice.

    Args:
        clip: group of a "frames/1" artifact.
        pairs: first frame of each, of those that the clip stores.
        gap: frames from a pair's first to its second.
        size: width and height that frames are brought to first.

    Raises:
        ArtifactError: a frame is not stored.
    """
    if not len(pairs):
        height, width = clip["frames"].shape[1:3]
        none = np.zeros((0, height, width), np.uint8)
        return none, none
    return _pairs(clip, pairs, gap, lambda frame: gray(frame, size))


def colour_pairs(
    clip: Clip, pairs: NDArray[np.int64], gap: int = 1
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The same in colour and as stored: (n, H, W, 3) twice, RGB."""
    if not len(pairs):
        none = np.zeros((0, *clip["frames"].shape[1:]), np.uint8)
        return none, none
    return _pairs(clip, pairs, gap, np.asarray)


def _pairs(
    clip: Clip,
    pairs: NDArray[np.int64],
    gap: int,
    change: Callable[[NDArray[np.uint8]], NDArray[np.uint8]],
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The frames of pairs, each read and changed once."""
    wanted = np.unique(np.concatenate([pairs, pairs + gap]))
    frames = clip["frames"]
    made = np.stack([change(frames[row]) for row in clip.rows(wanted)])
    first, second = (np.searchsorted(wanted, each) for each in (pairs, pairs + gap))
    return made[first], made[second]


def gray(frame: NDArray[np.uint8], size: list[int] | None = None) -> NDArray[np.uint8]:
    """Colour (H, W, 3) is resized, then made gray: as TSN's extraction tool does."""
    if size is not None:
        frame = cv2.resize(frame, (size[0], size[1]), interpolation=cv2.INTER_LINEAR)
    return cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
