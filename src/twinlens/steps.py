"""What a training does at a step, as pure functions: a killed run goes on the same."""

import functools
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twinlens.errors import ArtifactError


def rate(
    step: int, steps: int, lr: float, schedule: str, milestones: Sequence[float]
) -> float:
    """The learning rate of a step.

    Args:
        step: from 0.
        steps: how many there are.
        lr: the first rate.
        schedule: "steps" divides it by 10 at each milestone, "cosine" brings it to 0.
        milestones: parts of `steps`, 0..1.
    """
    done = step / steps
    if schedule == "cosine":
        return lr * 0.5 * (1 + float(np.cos(np.pi * done)))
    return lr * 0.1 ** sum(done >= mark for mark in milestones)


def refuse_nan(name: str, values: ArrayLike, first: int, what: str = "loss") -> None:
    """Stop a training that went astray: its weights would give numbers all the same.

    Args:
        name: of what is trained.
        values: (N,) of steps in a row.
        first: step of the first, from 0.
        what: "loss", or another word for what the values are.

    Raises:
        ArtifactError: one is not finite; the text has its step.
    """
    astray = ~np.isfinite(np.asarray(values, dtype=np.float64))
    if astray.any():
        raise ArtifactError(
            f"{name}: its {what} is not a finite number at step"
            f" {first + int(astray.argmax()) + 1}: lower lr in its recipe, or"
            " look for a division by zero in its network"
        )


def draw(step: int, batch: int, count: int, seed: int) -> list[tuple[int, int]]:
    """The items of a step's batch, each with its epoch.

    Every epoch goes once through all `count` items in an order of its own; a batch may
    end one epoch and begin the next.
    """
    places = range(step * batch, (step + 1) * batch)
    found = (divmod(place, count) for place in places)
    return [(epoch, int(_order(seed, epoch, count)[at])) for epoch, at in found]


@functools.lru_cache(maxsize=4)
def _order(seed: int, epoch: int, count: int) -> NDArray[np.int64]:
    return np.random.default_rng((seed, epoch)).permutation(count)
