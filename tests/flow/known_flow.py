"""Pairs of pictures whose optical flow is known, made from photographs.

H W a picture, S its set. A pair obeys ``first(x) == second(x + flow(x))`` wherever the
point is visible in both. Photographs are those that come with scikit-image.
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import skimage.data
from numpy.typing import NDArray
from scipy import ndimage

SETS = ("small", "medium", "large", "turn", "layers", "noise")
"""Smooth fields of growing speed, rotation with zoom, occlusion, noisy pictures."""

_PHOTOGRAPHS = ("astronaut", "camera", "chelsea", "coffee", "rocket", "coins")
_ORDER = 5
_NOISE = 6.0  # grey levels, standard deviation
_FLOATS = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two uint8 (H, W) pictures and the float32 (2, H, W) flow between them, px."""

    first: NDArray[np.uint8]
    second: NDArray[np.uint8]
    flow: _FLOATS


def make_pairs(
    name: str, count: int, width: int = 320, height: int = 240
) -> list[Pair]:
    """Make the first `count` pairs of one of `SETS`, always the same ones."""
    seed = SETS.index(name)
    return [
        _make(name, np.random.default_rng((seed, index)), index, (height, width))
        for index in range(count)
    ]


def end_point_error(output_n2hw: _FLOATS, pairs: list[Pair]) -> float:
    """Mean distance in px between made and true flow, over all pixels of all pairs."""
    true_n2hw = np.stack([pair.flow for pair in pairs])
    return float(np.hypot(*np.moveaxis(output_n2hw - true_n2hw, 1, 0)).mean())


def _make(
    name: str, random: np.random.Generator, index: int, size: tuple[int, int]
) -> Pair:
    flow = _field(name, random, size)
    scene = _scene(index, size)
    second, first = scene(_grid(size)), scene(_grid(size) + flow)
    if name == "layers":
        first, second, flow = _cover(first, second, flow, random, index)
    if name == "noise":
        first = first + random.normal(0, _NOISE, size)
        second = second + random.normal(0, _NOISE, size)
    return Pair(_to_bytes(first), _to_bytes(second), flow.astype(np.float32))


def _field(name: str, random: np.random.Generator, size: tuple[int, int]) -> _FLOATS:
    """A flow; speeds scale with the picture, so that every size is as hard."""
    unit = size[1] / 320
    shift = random.normal(size=(2, 1, 1))
    shift /= np.hypot(*shift)
    if name == "turn":
        return (unit * shift + _turn(random, size)).astype(np.float32)
    speed, bend = {
        "small": (0.7, 0.5),
        "medium": (3.0, 1.2),
        "large": (8.0, 2.0),
        "layers": (1.5, 0.5),
        "noise": (3.0, 1.2),
    }[name]
    return (unit * (speed * shift + bend * _waves(random, size))).astype(np.float32)


def _grid(size: tuple[int, int]) -> _FLOATS:
    y, x = np.mgrid[: size[0], : size[1]]
    return np.stack([x, y]).astype(np.float32)


def _waves(random: np.random.Generator, size: tuple[int, int]) -> _FLOATS:
    """A smooth random field of standard deviation 1, about four bumps across."""
    coarse = random.normal(size=(4, 5, 2)).astype(np.float32)
    field = cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_CUBIC)
    return np.moveaxis(field / field.std(), 2, 0)


def _turn(random: np.random.Generator, size: tuple[int, int]) -> _FLOATS:
    x, y = _grid(size) - np.array(size[::-1], np.float32).reshape(2, 1, 1) / 2
    angle, zoom = random.uniform(-0.04, 0.04), random.uniform(-0.03, 0.03)
    return np.stack([zoom * x - angle * y, angle * x + zoom * y])


def _scene(index: int, size: tuple[int, int]) -> Callable[[_FLOATS], _FLOATS]:
    """A photograph that can be looked up at fractional pixels, margins included."""
    photograph = getattr(skimage.data, _PHOTOGRAPHS[index % len(_PHOTOGRAPHS)])()
    if photograph.ndim == 3:
        photograph = cv2.cvtColor(photograph, cv2.COLOR_RGB2GRAY)
    height, width = (round(1.3 * side) for side in size)
    wide = cv2.resize(photograph, (width, height), interpolation=cv2.INTER_AREA)
    # A spline of high order: no method's own interpolation is favoured.
    spline = ndimage.spline_filter(wide.astype(np.float32), _ORDER, mode="mirror")
    margin = np.array([(width - size[1]) / 2, (height - size[0]) / 2])

    def look(at_2hw: _FLOATS) -> _FLOATS:
        rows_columns = (at_2hw + margin.reshape(2, 1, 1))[::-1]
        return ndimage.map_coordinates(
            spline, rows_columns, order=_ORDER, mode="mirror", prefilter=False
        )

    return look


def _cover(
    first: _FLOATS,
    second: _FLOATS,
    flow: _FLOATS,
    random: np.random.Generator,
    index: int,
) -> tuple[_FLOATS, _FLOATS, _FLOATS]:
    """Let three discs, cut from the next photograph, move over the picture."""
    size = first.shape
    scene, grid, unit = _scene(index + 1, size), _grid(size), size[1] / 320
    for _ in range(3):
        centre = random.uniform(0.2, 0.8, (2, 1, 1)) * np.array(size[::-1]).reshape(
            2, 1, 1
        )
        radius = unit * random.uniform(20, 45)
        own = (unit * random.uniform(-5, 5, (2, 1, 1))).astype(np.float32)
        before = np.hypot(*(grid + own - centre)) < radius
        after = np.hypot(*(grid - centre)) < radius
        first = np.where(before, scene(grid + own), first)
        second = np.where(after, scene(grid), second)
        flow = np.where(before, own, flow)
    return first, second, flow


def _to_bytes(picture: _FLOATS) -> NDArray[np.uint8]:
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)
