"""How a recogniser's network is trained by SGD, typed; imports no PyTorch."""

from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from twinlens.networks import schedule
from twinlens.settings import STRICT, Count, Few, NotNegative, Rate, Share

Below1 = Annotated[float, Field(ge=0, lt=1)]


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class SgdRecipe:
    """Steps, rates and batches of SGD with momentum."""

    steps: Count
    """Optimiser steps."""
    lr: Rate
    """First learning rate of SGD."""
    batch: Few = 128
    """Clips a step."""
    parts: Few = 1
    """Equal parts that a batch is computed in, one after the other, for a network that
    memory can't hold whole batches of; batch normalisation sees a part at once."""
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
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    """Of the arithmetic, as Lightning Fabric names it; bf16-mixed halves the memory."""

    def __post_init__(self) -> None:
        """Refuse parts of unequal size.

        Raises:
            ValueError: naming the settings.
        """
        if self.batch % self.parts:
            raise ValueError(
                f"batch {self.batch} is no multiple of its parts, {self.parts}"
            )

    def rate(self, step: int) -> float:
        """Compute the learning rate of a step."""
        fall = self.schedule, self.milestones
        return schedule.rate(step, self.steps, self.lr, *fall)
