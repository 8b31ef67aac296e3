"""How a recogniser's network is trained by SGD, typed; imports no PyTorch."""

from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from twinlens.networks import schedule
from twinlens.settings import STRICT, Count, NotNegative, Rate, Share

Below1 = Annotated[float, Field(ge=0, lt=1)]


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class SgdRecipe:
    """Steps, rates and batches of SGD with momentum."""

    steps: Count
    """Optimiser steps."""
    lr: Rate
    """First learning rate of SGD."""
    batch: Count = 128
    """Clips a step."""
    milestones: tuple[Share, ...] = ()
    """Fractions of `steps` after which the rate falls to a tenth."""
    schedule: Literal["steps", "cosine"] = "steps"
    """How the rate falls: at milestones, or by a cosine to zero."""
    momentum: Below1 = 0.9
    """Of SGD."""
    weight_decay: NotNegative = 5e-4
    """Of weights; biases have none and twice the learning rate."""
    clip: Rate = 40.0
    """Largest norm of all gradients together."""

    def rate(self, step: int) -> float:
        """Compute the learning rate of a step."""
        fall = self.schedule, self.milestones
        return schedule.rate(step, self.steps, self.lr, *fall)
