"""Choose the crops of a pair of frames, and check them.

H W sides of the frames, S side of a crop. Pure functions of arrays.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinlens import colour
from twinlens.flow.warp import warp
from twinlens.patches.settings import PatchSettings

Spot = tuple[int, int]
FLAT, WARP, SCENE_CUT = "flat", "warp", "scene cut"
REASONS = (SCENE_CUT, FLAT, WARP)


def best(
    flow_2hw: NDArray[np.floating], how: PatchSettings, rng: np.random.Generator
) -> list[Spot]:
    """Find the crops with most motion: (y, x) of their upper left corners, most first.

    Candidates stand on a grid with a random start; each is ranked by the sum of the
    flow's length over its interior. Where frames are degraded whole, corners lie on
    multiples of 4, so that low and high resolution are cut alike.

    Args:
        flow_2hw: of frames that are as large as a patch, or larger.
        how: sides, number and grid of the crops.
        rng: draws the grid's start.
    """
    height, width = flow_2hw.shape[1:]
    speed = np.hypot(*flow_2hw.astype(np.float32))
    rows = _grid(height - how.size, how.stride[1], how, rng)
    columns = _grid(width - how.size, how.stride[0], how, rng)
    spots = [(y, x) for y in rows for x in columns]
    if how.first_twice:
        spots.insert(0, spots[0])
    motion = [float(speed[_inner(spot, how)].sum()) for spot in spots]
    order = sorted(range(len(spots)), key=lambda index: -motion[index])
    return [spots[index] for index in order[: how.crops]]


def _grid(
    span: int, stride: int, how: PatchSettings, rng: np.random.Generator
) -> list[int]:
    start = int(rng.integers(min(stride, span + 1)))
    offsets = range(start, span + 1, stride)
    if how.cut == "patch":
        return list(offsets)
    return sorted({offset // 4 * 4 for offset in offsets})


def cut(picture: NDArray[Any], spot: Spot, size: int) -> NDArray[Any]:
    """Cut a square of (..., H, W, C) at a corner: (..., size, size, C)."""
    y, x = spot
    return picture[..., y : y + size, x : x + size, :]


def _inner(spot: Spot, how: PatchSettings) -> tuple[slice, slice]:
    (y, x), end = spot, how.size - how.margin
    return slice(y + how.margin, y + end), slice(x + how.margin, x + end)


def scene_cut(
    first: NDArray[np.uint8], second: NDArray[np.uint8], how: PatchSettings
) -> bool:
    """Whether two whole frames (H, W, 3) differ as much as at a cut."""
    if how.least_pair_psnr is None:
        return False
    return psnr(first, second) < how.least_pair_psnr


def fault(
    first: NDArray[np.uint8],
    second: NDArray[np.uint8],
    flow: NDArray[np.floating],
    spot: Spot,
    how: PatchSettings,
) -> str:
    """Name what makes a crop unfit to train on; "" if it is fit.

    Args:
        first: whole frame (H, W, 3), RGB 0..255.
        second: the other of the pair.
        flow: (2, H, W), pixels, from the first to the second.
        spot: corner of the crop.
        how: what is asked of it.
    """
    inner = _inner(spot, how)
    planes = np.moveaxis(first[inner] / 255, -1, 0)
    if colour.luma(*planes).var() < how.least_variance:
        return FLAT
    if how.warp_must_help:
        patch = cut(second, spot, how.size).astype(np.float32)
        y, x = spot
        back = warp(patch, flow[:, y : y + how.size, x : x + how.size])
        back = back[how.margin : -how.margin or None, how.margin : -how.margin or None]
        warped = np.rint(np.clip(back, 0, 255)).astype(np.uint8)
        if psnr(first[inner], warped) <= psnr(first[inner], second[inner]):
            return WARP
    return ""


def psnr(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Compute the peak signal-to-noise ratio of uint8 pictures, dB; inf if equal."""
    error = np.square(one.astype(np.float64) - other).mean()
    return float("inf") if error == 0 else float(10 * np.log10(255**2 / error))
