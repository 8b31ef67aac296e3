"""Learning rate and batch order as pure functions of the step: a killed run resumes.

Imports no PyTorch: recipes use it.
"""

import functools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def rate(
    step: int, steps: int, lr: float, schedule: str, milestones: Sequence[float]
) -> float:
    """The learning rate of a step.

    Args:
        step: from 0.
        steps: how many there are.
        lr: the first rate.
        schedule: "steps" divides it by 10 at each milestone, "cosine" brings it to 0.
        milestones: fractions of `steps`.
    """
    done = step / steps
    if schedule == "cosine":
        return lr * 0.5 * (1 + float(np.cos(np.pi * done)))
    return lr * 0.1 ** sum(done >= mark for mark in milestones)


def batch_items(step: int, batch: int, count: int, seed: int) -> list[tuple[int, int]]:
    """The items of a step's batch, each with its epoch: (epoch, index).

    Every epoch goes once through all `count` items in an order of its own; a batch may
    end one epoch and begin the next.
    """
    numbers = range(step * batch, (step + 1) * batch)
    found = (divmod(number, count) for number in numbers)
    return [(epoch, int(_order(seed, epoch, count)[at])) for epoch, at in found]


@functools.lru_cache(maxsize=4)
def _order(seed: int, epoch: int, count: int) -> NDArray[np.int64]:
    return np.random.default_rng((seed, epoch)).permutation(count)
