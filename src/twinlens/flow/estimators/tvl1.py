"""TV-L1 of the frames' grey."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twinlens.flow.estimators import Estimator, Frames
from twinlens.flow.gray import gray
from twinlens.flow.tvl1 import tvl1


def load(network: Path | None, preset: str, threads: int) -> Estimator:
    """TV-L1 of a preset; there is no network to it."""

    def estimate(first: Frames, second: Frames) -> NDArray[np.float32]:
        return tvl1(_gray(first), _gray(second), preset, threads=threads)

    return estimate


def _gray(frames: Frames) -> NDArray[np.uint8]:
    none = np.zeros((0, *frames.shape[1:3]), np.uint8)
    return np.stack([gray(frame) for frame in frames]) if len(frames) else none
