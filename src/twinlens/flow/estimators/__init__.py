"""Estimators of motion in pixels: a file each, the file's name is the estimator's.

Each has `load(network, preset, threads)`, which gives a function of two batches of
frames. A file is imported only when its estimator is asked for.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twinlens import named
from twinlens.errors import ArtifactError

Frames = NDArray[np.uint8]
"""(N, H, W, 3), RGB 0..255."""
Estimator = Callable[[Frames, Frames], NDArray[np.float32]]
"""First and second frames to flow (N, 2, H, W), px, x to the right then y down."""


def load(
    name: str, network: Path | None = None, preset: str = "fast", threads: int = 1
) -> Estimator:
    """An estimator, ready.

    Args:
        name: a file of this folder.
        network: the artifact of those that are networks.
        preset: of those that have some.
        threads: of the CPU.

    Raises:
        ArtifactError: no such estimator, or it lacks its network; when it is called:
            its flow is not finite.
    """
    try:
        module = named.module(Path(__file__).parent, __name__, name, "flow estimator")
    except ValueError as error:
        raise ArtifactError(str(error)) from error
    return partial(_finite, name, module.load(network, preset, threads))


def _finite(
    name: str, estimate: Estimator, first: Frames, second: Frames
) -> NDArray[np.float32]:
    flow = estimate(first, second)
    if not np.isfinite(flow).all():
        raise ArtifactError(
            f"{name} gives flow with values that are not finite numbers"
        )
    return flow
