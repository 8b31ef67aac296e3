"""How the narrow FlowNet2 is trained, typed; imports no PyTorch."""

from dataclasses import dataclass, field

SMALL_STAGE = "flownets_d"
STAGES = ("flownetc", "flownets_1", "flownets_2", SMALL_STAGE, "flownetfusion")
"""Of FlowNet2's training, by the parts of its cascade."""
STEP = 64
"""Sides of FlowNet2's pictures are multiples of it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FlowRecipe:
    """How the narrow FlowNet2 is trained; the config's `flow.flownet2.recipe`."""

    steps: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STAGES, 500))
    """Optimiser steps of each of the five stages."""
    batch: int = 8
    """Pairs a step, an even number: half are the others turned by 180 degrees."""
    lr: float = 2e-3
    """Of Adam, down to zero by a cosine in each stage."""
    size: tuple[int, int] = (64, 64)
    """Height and width of the pairs in px, multiples of 64."""

    def __post_init__(self) -> None:
        """Refuse a training that would not train.

        Raises:
            ValueError: a stage without steps or one that is none, an odd batch, or
                sides that the networks can't take.
        """
        if set(self.steps) != set(STAGES) or min(self.steps.values()) < 1:
            raise ValueError(f"steps {self.steps} need 1 or more of each of {STAGES}")
        if self.batch < 2 or self.batch % 2:
            raise ValueError(f"batch is {self.batch}, but must be even, 2 or more")
        if min(self.size) < STEP or any(side % STEP for side in self.size):
            raise ValueError(f"size {list(self.size)} must be multiples of {STEP}")
