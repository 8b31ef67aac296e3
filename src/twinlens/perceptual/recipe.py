"""How the narrow perceptual network is trained, typed; imports no PyTorch."""

import functools
import math
from array import array
from itertools import accumulate
from operator import mul, truediv

from pydantic.dataclasses import dataclass

from twinlens.settings import STRICT, Count, Few, Pixels, Rate


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Recipe:
    """How it is trained on generated glyphs; `training.perceptual.recipe`."""

    widths: tuple[Few, Few, Few] = (8, 16, 32)
    """Channels of VGG-16's first three blocks."""
    steps: Count = 400
    """Optimiser steps."""
    batch: Few = 32
    """Pictures a step."""
    lr: Rate = 2e-3
    """First learning rate of Adam, down to zero by a cosine."""
    side: Pixels = 48
    """Of the generated pictures, in pixels."""

    def rate(self, step: int) -> float:
        """Compute the learning rate of a step.

        As torch's CosineAnnealingLR computes it, from one step to the next: it rounds
        otherwise than `schedule.rate`, and published numbers have these last digits.
        """
        return _rates(self.lr, self.steps)[step]


@functools.lru_cache(1)
def _rates(lr: float, steps: int) -> "array[float]":
    """Rates of all steps, and of the end: each from the one before."""
    cosine = [1 + math.cos(math.pi * step / steps) for step in range(steps + 1)]
    return array("d", accumulate(map(truediv, cosine[1:], cosine), mul, initial=lr))


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class PerceptualTraining:
    """A training of the perceptual network: all that decides it."""

    network: str
    """Its name."""
    recipe: Recipe
    """How to train."""
    seed: int = 0
    """Of weights and pictures."""
