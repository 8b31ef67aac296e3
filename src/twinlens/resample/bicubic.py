"""Bicubic resampling exactly as MATLAB's `imresize`.

The kernel is Keys' with a = -0.5, widened by the scale when shrinking; pixels are
half-pixel centred, borders mirror with the edge pixel repeated, weights sum to 1, and
integer images are rounded and clipped after each pass (MATLAB resizes one dimension at
a time and returns the image's class from each). Pillow and torch drop the taps outside
the image instead, OpenCV does not widen the kernel: at borders, or everywhere, they
differ.
"""

import functools
import math
from typing import Any

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

Array = NDArray[Any]


def downscale(frames: Array, scale: int = 4) -> Array:
    """Shrink images `scale` times: the low-resolution twin of a frame.

    Args:
        frames: uint8 (0..255) or float, `(H, W)` or `(..., H, W, 3)`.
        scale: how many times smaller each side becomes.

    Returns:
        The same dtype, sides `ceil(H / scale)`, `ceil(W / scale)`.

    Raises:
        ValueError: another shape, or integers other than uint8.
    """
    height, width = _sides(frames)
    size = math.ceil(height / scale), math.ceil(width / scale)
    return _imresize(frames, size, (1 / scale, 1 / scale))


def upscale(frames: Array, scale: int = 4) -> Array:
    """Enlarge images `scale` times; arguments and result as for `downscale`."""
    height, width = _sides(frames)
    return _imresize(frames, (height * scale, width * scale), (scale, scale))


def resize(frames: Array, size: tuple[int, int]) -> Array:
    """Bring images to `size` (height, width), as `imresize(frames, size)`."""
    height, width = _sides(frames)
    return _imresize(frames, size, (size[0] / height, size[1] / width))


def _sides(frames: Array) -> tuple[int, int]:
    if frames.dtype != np.uint8 and not np.issubdtype(frames.dtype, np.floating):
        raise ValueError(f"images must be uint8 or float, not {frames.dtype}")
    if frames.ndim == 2:
        return frames.shape[0], frames.shape[1]
    if frames.ndim >= 3 and frames.shape[-1] == 3:
        return frames.shape[-3], frames.shape[-2]
    raise ValueError(f"images must be (H, W) or (..., H, W, 3), not {frames.shape}")


def _imresize(
    frames: Array, size: tuple[int, int], scales: tuple[float, float]
) -> Array:
    """Do both passes, the smaller scale first, rows before columns at a tie."""
    gray = frames.ndim == 2
    flat = frames.reshape(-1, *frames.shape[-2:], 1) if gray else frames
    flat = flat.reshape(-1, *flat.shape[-3:])
    for axis in sorted((0, 1), key=lambda axis: scales[axis]):
        flat = _pass(flat, axis + 1, size[axis], scales[axis])
    return flat.reshape(size if gray else (*frames.shape[:-3], *size, 3))


def _pass(frames: Array, axis: int, size: int, scale: float) -> Array:
    """Resample one axis of (N, H, W, C)."""
    if frames.shape[axis] == size and scale == 1:
        return frames
    weights = pass_weights(frames.shape[axis], size, scale)
    kind = frames.dtype
    # Doubles as in MATLAB; in blocks, since they take eight times the memory.
    resampled = [_apply(weights, block, axis, kind) for block in _blocks(frames)]
    return np.concatenate(resampled) if resampled else _empty(frames, axis, size)


def _blocks(frames: Array, pixels: int = 1 << 22) -> list[Array]:
    step = max(1, pixels // max(1, math.prod(frames.shape[1:])))
    return [frames[start : start + step] for start in range(0, len(frames), step)]


def _empty(frames: Array, axis: int, size: int) -> Array:
    shape = list(frames.shape)
    shape[axis] = size
    return np.empty(shape, frames.dtype)


def _apply(
    weights: scipy.sparse.csr_array, block: Array, axis: int, kind: np.dtype[Any]
) -> Array:
    moved = np.moveaxis(block, axis, 0)
    output = weights @ moved.reshape(len(moved), -1).astype(np.float64)
    output = np.moveaxis(output.reshape(-1, *moved.shape[1:]), 0, axis)
    if kind == np.uint8:
        output = np.floor(np.clip(output, 0, 255) + 0.5)  # MATLAB rounds halves up
    return np.ascontiguousarray(output.astype(kind))


@functools.cache
def pass_weights(before: int, after: int, scale: float) -> scipy.sparse.csr_array:
    """Build the pass from `before` to `after` pixels as a matrix (after, before)."""
    shrink = min(scale, 1.0)
    width = 4 / shrink
    centre = (np.arange(after) + 0.5) / scale - 0.5
    taps = math.ceil(width) + 2
    first = np.floor(centre - width / 2).astype(int)
    index = first[:, None] + np.arange(taps)
    weight = shrink * _kernel(shrink * (centre[:, None] - index))
    weight /= weight.sum(axis=1, keepdims=True)
    mirrored = np.mod(index, 2 * before)
    mirrored = np.where(mirrored < before, mirrored, 2 * before - 1 - mirrored)
    rows = np.repeat(np.arange(after), taps)
    matrix = scipy.sparse.coo_array(
        (weight.ravel(), (rows, mirrored.ravel())), shape=(after, before)
    )
    return matrix.tocsr()


def _kernel(distance: Array) -> Array:
    """Evaluate Keys' cubic with a = -0.5."""
    x = np.abs(distance)
    near = 1.5 * x**3 - 2.5 * x**2 + 1
    far = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(x <= 1, near, np.where(x <= 2, far, 0.0))
