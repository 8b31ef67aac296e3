"""How the narrow FlowNet2 is trained, typed; imports no PyTorch."""

from dataclasses import field
from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from twinlens.networks import schedule
from twinlens.settings import STRICT, Count, Rate

Stage = Literal["flownetc", "flownets_1", "flownets_2", "flownets_d", "flownetfusion"]
SMALL_STAGE: Stage = "flownets_d"
STAGES: tuple[Stage, ...] = (
    "flownetc",
    "flownets_1",
    "flownets_2",
    SMALL_STAGE,
    "flownetfusion",
)
"""Of FlowNet2's training, by the parts of its cascade."""
STEP = 64
"""Sides of FlowNet2's pictures are multiples of it."""
Side = Annotated[int, Field(ge=STEP, le=4096, multiple_of=STEP)]


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Recipe:
    """How it is trained on generated pairs; an entry's `recipe`."""

    steps: Annotated[
        dict[Stage, Count],
        Field(json_schema_extra={"default": dict.fromkeys(STAGES, 500)}),
    ] = field(default_factory=lambda: dict.fromkeys(STAGES, 500))
    """Optimiser steps of each of the five stages."""
    batch: Annotated[int, Field(ge=2, le=10**4, multiple_of=2)] = 8
    """Pairs a step, an even number: half are the others turned by 180 degrees."""
    lr: Rate = 2e-3
    """First learning rate of Adam, down to zero by a cosine in each stage."""
    size: tuple[Side, Side] = (64, 64)
    """Height and width of the pairs in px, multiples of 64."""

    def __post_init__(self) -> None:
        """Refuse a training without one of its stages.

        Raises:
            ValueError: a stage has no steps.
        """
        if set(self.steps) != set(STAGES):
            raise ValueError(f"steps {self.steps} need 1 or more of each of {STAGES}")

    @property
    def total(self) -> int:
        """Steps of all stages."""
        return sum(self.steps.values())

    def stage(self, step: int) -> tuple[Stage, int]:
        """Find the stage of a step of the whole training, and the step within it."""
        for stage in STAGES:
            if step < self.steps[stage]:
                return stage, step
            step -= self.steps[stage]
        raise ValueError(f"there are {self.total} steps, not {self.total + step + 1}")

    def rate(self, step: int) -> float:
        """Compute the learning rate of a step of the whole training."""
        stage, within = self.stage(step)
        return schedule.rate(within, self.steps[stage], self.lr, "cosine", ())


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class FlowTraining:
    """A training of FlowNet2: all that decides its network."""

    network: str
    """Its name."""
    width: Annotated[float, Field(gt=0, le=1)]
    """Fraction of the published channels."""
    recipe: Recipe
    """How to train."""
    seed: int = 0
    """Of weights and pairs."""
