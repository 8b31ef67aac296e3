"""TV-L1 optical flow on the CPU, several times as fast as OpenCV's."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

PRESET_NAMES = ("opencv", "fast")


def tvl1(first, second, preset="opencv", threads=1):
    from twinlens.flow.tvl1_presets import PRESETS, solve_pair

    chosen = PRESETS[preset]

    def solve(index):
        one, two = (batch[index].astype(np.float32) for batch in (first, second))
        return solve_pair(one, two, chosen)

    with ThreadPoolExecutor(threads) as pool:
        flows = list(pool.map(solve, range(len(first))))
    return np.stack(flows) if flows else np.zeros((0, 2, *first.shape[1:]), np.float32)
