"""Backward-warp frames by optical flow, in numpy.

`twinlens.losses.warp` is the same for tensors, with gradients; a test holds them equal.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def warp(frame: NDArray[np.floating], flow: NDArray[np.floating]) -> Floats:
    """Backward-warp `frame` by `flow`: out(p) = frame(p + flow(p)).

    Args:
        frame: (H, W) or (H, W, 3), any range.
        flow: (2, H, W), pixels, x to the right then y down, to where `frame` is.

    Returns:
        float32 of the shape of `frame`, bilinear; 0 beyond its borders.
    """
    height, width = frame.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    sources = x + flow[0].astype(np.float32), y + flow[1].astype(np.float32)
    warped: Floats = cv2.remap(np.float32(frame), *sources, cv2.INTER_LINEAR)
    return warped


def inside(flow: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Where flow (2, H, W) ends within the frame: (H, W)."""
    height, width = flow.shape[1:]
    y, x = np.mgrid[:height, :width] + flow[::-1].astype(np.float64)
    found: NDArray[np.bool_] = (
        (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    )
    return found
