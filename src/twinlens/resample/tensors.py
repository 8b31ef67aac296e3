"""The bicubic enlargement of `twinlens.resample.bicubic` on tensors, with gradients.

B batch, C channels, h w low resolution, R scale.
"""

import functools
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import conv2d, pixel_shuffle

from twinlens.resample.bicubic import pass_weights


def upscale(low_bchw: Tensor, scale: int = 4, *, as_bytes: bool = False) -> Tensor:
    """Enlarge pictures as MATLAB's `imresize` does.

    Args:
        low_bchw: float (B, C, h, w); any range, 0..1 with `as_bytes`.
        scale: R, how many times larger each side becomes.
        as_bytes: round and clip to 256 levels after each pass, as `imresize` does with
            uint8: for 0..1 values that stand for bytes the result is then the same as
            `bicubic.upscale` of those bytes.

    Returns:
        (B, C, R h, R w) of the same dtype.
    """
    if as_bytes:
        # Whole numbers in double: sums with these weights are exact, halves too.
        return (_both(low_bchw.double().mul(255).round(), scale, _bytes) / 255).to(
            low_bchw.dtype
        )
    if torch.compiler.is_exporting():
        return _by_taps(low_bchw, scale)
    return _both(low_bchw, scale, lambda pictures: pictures)


def _both(
    pictures_bchw: Tensor, scale: int, after: Callable[[Tensor], Tensor]
) -> Tensor:
    """Do both passes, rows first, each followed by `after`; never in half precision."""
    kind, device = pictures_bchw.dtype, pictures_bchw.device
    height, width = pictures_bchw.shape[-2:]
    with torch.autocast(device.type, enabled=False):
        rows = after(_matrix(height, scale, kind, device) @ pictures_bchw)
        return after(rows @ _matrix(width, scale, kind, device).T)


def _bytes(levels: Tensor) -> Tensor:
    return (levels.clamp(0, 255) + 0.5).floor()  # MATLAB rounds halves up


@functools.lru_cache(maxsize=16)
def _matrix(side: int, scale: int, kind: torch.dtype, device: torch.device) -> Tensor:
    """Build one pass as a matrix (R side, side)."""
    dense = pass_weights(side, scale * side, float(scale)).toarray()
    with torch.inference_mode(False):  # it is kept, and a training may be next
        return torch.from_numpy(dense).to(device, kind)


def _by_taps(pictures_bchw: Tensor, scale: int) -> Tensor:
    """Enlarge pictures of any size, 2 pixels or more, by one convolution.

    For export: matrices would fix the sides. Equal to `_both` but for rounding.
    """
    batch = pictures_bchw.shape[0]
    padded = _mirrored(_mirrored(pictures_bchw, 2), 3).flatten(0, 1)[:, None]
    kernel = _taps(scale).to(padded.device, padded.dtype)
    output = pixel_shuffle(conv2d(padded, kernel), scale)
    return output.unflatten(0, (batch, -1))[:, :, 0]


def _mirrored(pictures: Tensor, axis: int) -> Tensor:
    """Add two pixels at both ends of an axis, the last one first."""
    side = pictures.shape[axis]
    start = pictures.narrow(axis, 0, 2).flip(axis)
    end = pictures.narrow(axis, side - 2, 2).flip(axis)
    return torch.cat([start, pictures, end], axis)


def _taps(scale: int) -> Tensor:
    """Collect the weights (R R, 1, 5, 5) of an inner pixel's neighbours."""
    side, middle = 9, 4
    weights = pass_weights(side, scale * side, float(scale)).toarray()
    line = weights[middle * scale : (middle + 1) * scale, middle - 2 : middle + 3]
    grid = np.einsum("ay,bx->abyx", line, line)
    return torch.from_numpy(grid).reshape(scale * scale, 1, 5, 5)
