"""The four ways to schedule TV-L1: pyramids, warps, medians and stop tests.

H W a picture of one scale. Pictures are float32 0..255, flow is float32 (2, H, W) in
pixels of that scale. See `twinlens.flow.tvl1` for what the presets stand for.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from twinlens.flow import tvl1_kernels as kernels

_Floats = NDArray[np.float32]

EPSILON = 0.01  # px; iterations stop when the flow changes less, root mean square
_SMALLEST = 16  # px; a pyramid has no side shorter than this


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

    def smooth(self) -> None:
        """Replace the flow by its median over 5 x 5 pixels."""
        for plane in self.flow:
            cv2.medianBlur(plane, 5, dst=plane)

    def settle(self, kernel: Callable[..., bool | None], most: int) -> bool | None:
        """Run one of the kernels that iterate until the flow changes little."""
        # As OpenCV: the sum of squared changes, compared in single precision.
        threshold = np.float32(EPSILON * EPSILON * (self.height * self.width))
        planes, size = self.space.ravel(), (self.height, self.width)
        return kernel(planes, *size, self.blocks, float(threshold), most)


@dataclass(frozen=True, slots=True)
class Preset:
    """How one preset builds its pyramid and solves one of its levels."""

    shrink: Callable[[_Floats], _Floats]
    """Makes the next coarser picture."""
    enlarge: Callable[[_Floats, tuple[int, int]], _Floats]
    """Takes a plane of the flow to the next finer (H, W), values included."""
    solve: Callable[[Scale, _Floats, _Floats, bool], None]
    """Improves a scale's flow, from both pictures and whether it is the finest."""
    levels: int
    """At most so many pictures in a pyramid."""


def solve_pair(
    first: NDArray[np.uint8], second: NDArray[np.uint8], preset: Preset
) -> _Floats:
    """Compute flow (2, H, W) of a pair (H, W), from coarsest to finest level."""
    pictures = (first.astype(np.float32), second.astype(np.float32))
    pyramids = [pyramid(picture, preset) for picture in pictures]
    height, width = first.shape
    memory = kernels.workspace(height, width).ravel()
    flow = np.zeros((2, *pyramids[0][-1].shape), np.float32)
    for one, two in zip(*map(reversed, pyramids), strict=True):
        if flow.shape[1:] != one.shape:
            flow = np.stack([preset.enlarge(plane, one.shape) for plane in flow])
        scale = Scale(memory, flow, kernels.blocks_for(width))
        preset.solve(scale, one, two, one.shape == first.shape)
        flow = scale.flow.copy()
    return flow


def pyramid(picture: _Floats, preset: Preset) -> list[_Floats]:
    """Shrink a picture (H, W) again and again; the largest first."""
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


def _solve_opencv(scale: Scale, first: _Floats, second: _Floats, _finest: bool) -> None:
    table = kernels.gradient_table(second, 0, 3)
    columns = np.arange(scale.width, dtype=np.float32)
    rows = np.arange(scale.height, dtype=np.float32)[:, np.newaxis]
    x, y, moved = np.empty_like(second), np.empty_like(second), np.empty_like(table)
    for _ in range(5):
        np.add(columns, scale.flow[0], out=x)
        np.add(rows, scale.flow[1], out=y)
        cv2.remap(table, x, y, cv2.INTER_CUBIC, dst=moved)
        kernels.linearise_exact(scale.space, first, moved)
        for _ in range(10):
            scale.smooth()
            if scale.settle(kernels.settle_exact, 30):
                break


# --- fast: the same energy, settings chosen by measured error and time ---------------


def _solve_fast(scale: Scale, first: _Floats, second: _Floats, finest: bool) -> None:
    """Warp once, three times at the finest scale; test every sixth iteration.

    A median after the iterations does more for the error than one before them, and the
    bicubic warp more than further iterations.
    """
    table = kernels.gradient_table(second, kernels.EDGE, 4)
    for _ in range(3 if finest else 1):
        kernels.linearise_fast(scale.space, first, table)
        scale.settle(kernels.settle_fast, 30)
    scale.smooth()


# --- gpu24 and cuda: the GPU classes -------------------------------------------------


def _solve_gpu(scale: Scale, first: _Floats, second: _Floats, _finest: bool) -> None:
    table = kernels.gradient_table(second, kernels.EDGE, 4)
    for _ in range(5):
        kernels.linearise_gpu(scale.space, first, table)
        scale.settle(kernels.settle_gpu, 300)


def _sample(
    plane: _Floats, shape: tuple[int, int], down: float, across: float
) -> _Floats:
    """Sample bilinearly at multiples of two steps; the edge continues beyond.

    OpenCV's GPU code lets the corners of both grids coincide, its CPU code the centres
    of the pictures.
    """
    columns = np.arange(shape[1], dtype=np.float32) * np.float32(across)
    rows = np.arange(shape[0], dtype=np.float32) * np.float32(down)
    x, y = np.meshgrid(columns, rows)
    return cv2.remap(plane, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _shrink_aligned(picture: _Floats) -> _Floats:
    height, width = picture.shape
    return _sample(picture, (round(0.8 * height), round(0.8 * width)), 1.25, 1.25)


def _enlarge_aligned(plane: _Floats, shape: tuple[int, int], factor: float) -> _Floats:
    down, across = (old / new for old, new in zip(plane.shape, shape, strict=True))
    return _sample(plane, shape, down, across) * np.float32(factor)


PRESETS = {
    "opencv": Preset(_shrink_centred, _enlarge_centred, _solve_opencv, levels=5),
    "fast": Preset(_shrink_centred, _enlarge_centred, _solve_fast, levels=99),
    "gpu24": Preset(
        cv2.pyrDown, partial(_enlarge_aligned, factor=2.0), _solve_gpu, levels=5
    ),
    "cuda": Preset(
        _shrink_aligned, partial(_enlarge_aligned, factor=1.25), _solve_gpu, levels=5
    ),
}
