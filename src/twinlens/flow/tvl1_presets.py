"""The four ways to schedule TV-L1: pyramids, warps, medians and stop tests.

H W a picture of one scale. Pictures are float32 0..255, flow is float32 (2, H, W) in
pixels of that scale. See `twinlens.flow.tvl1` for what the presets stand for.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from twinlens.flow import tvl1_kernels as kernels

_Floats = NDArray[np.float32]

_EPSILON = 0.01  # px; iterations stop when the flow changes less, root mean square
_SMALLEST = 16  # px; a pyramid has no side shorter than this
_CHUNK = 8  # iterations in one pass: their rows fit the second-level cache


class Scale:
    """The planes of one pyramid level, all of one pair's levels in the same memory."""

    def __init__(self, memory: _Floats, flow: _Floats, blocks: tuple[int, ...]) -> None:
        _, self.height, self.width = flow.shape
        self.blocks = blocks
        pitch = kernels.BLOCK * len(blocks) + kernels.MARGIN
        shape = (self.height + 2, kernels.PLANES, pitch)
        self.space = memory[: math.prod(shape)].reshape(shape)
        self.space[1:, kernels.P11 : kernels.P22 + 1] = 0
        for plane, start in zip(self.flow, flow, strict=True):
            plane[:] = start

    @property
    def flow(self) -> _Floats:
        """A writable view of the flow, (2, H, W)."""
        columns = slice(kernels.MARGIN, kernels.MARGIN + self.width)
        return self.space[1:-1, : kernels.U2 + 1, columns].transpose(1, 0, 2)

    @property
    def state(self) -> _Floats:
        """A writable view of all that iterations change: flow and dual field."""
        return self.space[:, : kernels.P22 + 1]

    @property
    def threshold(self) -> float:
        """The sum of squared changes below which iterations stop."""
        return _EPSILON * _EPSILON * (self.height * self.width)

    def smooth(self) -> None:
        """Replace the flow by its median over 5 x 5 pixels."""
        for plane in self.flow:
            cv2.medianBlur(plane, 5, dst=plane)

    def sweep_exact(self, count: int) -> NDArray[np.float64]:
        """Run iterations; return each one's sum of squared changes."""
        changes = np.empty(count)
        for start in range(0, count, _CHUNK):
            part = changes[start : start + _CHUNK]
            kernels.sweep_exact(
                self.space.ravel(), self.height, self.width, self.blocks, part
            )
        return changes

    def sweep_fast(self, count: int) -> float:
        """Run iterations; return the sum of squared changes of the last one."""
        changes = np.empty(count)
        kernels.sweep_fast(
            self.space.ravel(), self.height, self.width, self.blocks, changes
        )
        return float(changes[-1])


@dataclass(frozen=True, slots=True)
class Preset:
    """How one preset builds its pyramid and solves one of its levels."""

    shrink: Callable[[_Floats], _Floats]
    """Makes the next coarser picture."""
    enlarge: Callable[[_Floats, tuple[int, int]], _Floats]
    """Takes a plane of the flow to the next finer (H, W), values included."""
    solve: Callable[[Scale, _Floats, _Floats, bool], None]
    """Improves the flow of a scale, given both pictures and whether it is the finest."""
    levels: int
    """At most so many pictures in a pyramid."""


def solve_pair(first: _Floats, second: _Floats, preset: Preset) -> _Floats:
    """Flow (2, H, W) of one pair, from the coarsest level of the pyramid down."""
    pyramid = list(
        zip(_pyramid(first, preset), _pyramid(second, preset), strict=True)
    )
    height, width = first.shape
    memory = kernels.workspace(height, width).ravel()
    flow = np.zeros((2, *pyramid[-1][0].shape), np.float32)
    for level in reversed(range(len(pyramid))):
        one, two = pyramid[level]
        if flow.shape[1:] != one.shape:
            flow = np.stack([preset.enlarge(plane, one.shape) for plane in flow])
        scale = Scale(memory, flow, kernels.blocks_for(width))
        preset.solve(scale, one, two, level == 0)
        flow = scale.flow.copy()
    return flow


def _pyramid(picture: _Floats, preset: Preset) -> list[_Floats]:
    levels = [picture]
    while len(levels) < preset.levels:
        smaller = preset.shrink(levels[-1])
        if min(smaller.shape) < _SMALLEST:
            break
        levels.append(smaller)
    return levels


def _shrink_centred(picture: _Floats) -> _Floats:
    return cv2.resize(picture, None, fx=0.8, fy=0.8, interpolation=cv2.INTER_LINEAR)


def _enlarge_centred(plane: _Floats, shape: tuple[int, int]) -> _Floats:
    return cv2.resize(plane, shape[::-1]) * np.float32(1 / 0.8)


# --- opencv: the CPU class, bit by bit ----------------------------------------------


def _solve_opencv(scale: Scale, first: _Floats, second: _Floats, _: bool) -> None:
    table = kernels.gradient_table(second, 0, 3)
    columns = np.arange(scale.width, dtype=np.float32)
    rows = np.arange(scale.height, dtype=np.float32)[:, np.newaxis]
    for _ in range(5):
        u1, u2 = scale.flow
        moved = cv2.remap(table, columns + u1, rows + u2, cv2.INTER_CUBIC)
        kernels.linearise_exact(scale.space, first, moved)
        for _ in range(10):
            scale.smooth()
            if _settle(scale, 30):
                break


def _settle(scale: Scale, most: int) -> bool:
    """Iterate until the change is small, exactly as if tested after each iteration.

    Several iterations at once are faster, so we look ahead as far as seems safe. Who
    went too far starts again, and then knows where to stop.
    """
    start, changes = scale.state.copy(), np.empty(0)
    while len(changes) < most:
        tested = len(changes)
        ahead = min(_look_ahead(changes, scale.threshold), most - tested)
        changes = np.append(changes, scale.sweep_exact(ahead))
        stop = tested + _first_stop(changes[tested:], scale)
        if stop < len(changes):
            scale.state[:] = start
            scale.sweep_exact(stop)
            changes = changes[:stop]
        if _is_settled(changes[-1], scale):
            return True
    return False


def _look_ahead(changes: NDArray[np.float64], threshold: float) -> int:
    """How many more iterations will surely be needed, if changes go on as they did."""
    if len(changes) < 2 or changes[-1] <= threshold:
        return 1
    if changes[-1] >= changes[-2]:
        return _CHUNK
    more = math.log(changes[-1] / threshold) / math.log(changes[-2] / changes[-1])
    return min(max(int(0.8 * more), 1), _CHUNK)


def _rounding(scale: Scale) -> float:
    """A bound for what a float32 sum over all pixels loses, as a share of it."""
    return 1e-4 + 1.1 * 2.0**-24 * scale.height * scale.width


def _first_stop(changes: NDArray[np.float64], scale: Scale) -> int:
    """The number of iterations after which the test may have been passed first."""
    passed = changes <= scale.threshold * (1 + _rounding(scale))
    return int(passed.argmax()) + 1 if passed.any() else len(changes)


def _is_settled(change: float, scale: Scale) -> bool:
    """The stop test. OpenCV's sum is rounded: in a close case we round as it does."""
    threshold = np.float32(scale.threshold)
    if abs(change / threshold - 1) < _rounding(scale):
        change = kernels.sum_in_order(scale.space, scale.height, scale.width)
    return bool(change <= threshold)


# --- fast: the same energy, settings chosen by measured error and time ---------------


def _solve_fast(scale: Scale, first: _Floats, second: _Floats, finest: bool) -> None:
    """Warp once, three times at the finest scale; test every sixth iteration.

    A median after the iterations does more for the error than one before them, and the
    bicubic warp more than further iterations.
    """
    table = kernels.gradient_table(second, kernels.EDGE, 4)
    for _ in range(3 if finest else 1):
        kernels.linearise_fast(scale.space, first, table)
        for _ in range(5):
            if scale.sweep_fast(6) <= scale.threshold:
                break
    scale.smooth()


# --- gpu24 and cuda: the GPU classes -------------------------------------------------


def _solve_gpu(scale: Scale, first: _Floats, second: _Floats, _: bool) -> None:
    table = kernels.gradient_table(second, kernels.EDGE, 4)
    for _ in range(5):
        kernels.linearise_gpu(scale.space, first, table)
        done, previous, change = 0, 0.0, math.inf
        while change > scale.threshold and done < 300:
            count = _until_test(done, previous, scale.threshold)
            change = float(scale.sweep_exact(min(count, 300 - done))[-1])
            done, previous = done + count, change


def _until_test(done: int, previous: float, threshold: float) -> int:
    """Iterations up to and including the next one whose change is summed up.

    To spare sums, the GPU code guesses that each iteration lowers the last sum by one
    threshold, and looks again, at odd numbers only, when the guess is below it.
    """
    count = 1
    while (done + count) % 2 or previous >= threshold:
        previous -= threshold
        count += 1
    return count


def _sample_aligned(plane: _Floats, shape: tuple[int, int], step: float) -> _Floats:
    """Bilinear look-up at multiples of `step`: on the GPU corners coincide, not centres."""
    columns = np.arange(shape[1], dtype=np.float32) * np.float32(step)
    raise NotImplementedError(columns)


PRESETS = {
    "opencv": Preset(_shrink_centred, _enlarge_centred, _solve_opencv, 5),
    "fast": Preset(_shrink_centred, _enlarge_centred, _solve_fast, 99),
}
