"""Bicubic interpolation, the paper's first row: nothing is learnt."""

from collections.abc import Callable
from functools import partial

from twinlens.degrade.bicubic import upscale
from twinlens.models import Frames


def build(scale: int = 4) -> Callable[[Frames], Frames]:
    """Interpolation as MATLAB's `imresize`; rounds and clips to uint8."""
    return partial(upscale, scale=scale)
