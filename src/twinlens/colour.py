"""Luma and chroma as MATLAB's `rgb2ycbcr`: BT.601, studio range.

Written with `+` and `*` only, so that numpy arrays and torch tensors both go in.
All values are parts of full scale: 0..1, where black has luma 16/255, white 235/255.
"""

from typing import Any

# Rows: luma, blue and red chroma; columns: red, green, blue.
TO_YCBCR = (
    (65.481 / 255, 128.553 / 255, 24.966 / 255),
    (-37.797 / 255, -74.203 / 255, 112.0 / 255),
    (112.0 / 255, -93.786 / 255, -18.214 / 255),
)
OFFSETS = (16 / 255, 128 / 255, 128 / 255)
LUMA_TO_RGB = 255 / 219
"""What a change of luma by 1 adds to red, green and blue, chroma unchanged."""


def luma(red: Any, green: Any, blue: Any) -> Any:
    """Luma of RGB planes in 0..1: 16/255..235/255, any shape.

    Example:
        `luma(*numpy.moveaxis(frames / 255, -1, 0))`, `luma(*pictures_bchw.unbind(1))`
    """
    weights = TO_YCBCR[0]
    return OFFSETS[0] + weights[0] * red + weights[1] * green + weights[2] * blue
