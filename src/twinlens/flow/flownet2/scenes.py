"""Generate pairs of pictures of known flow: what FlowNet2 is trained on here.

A ground and a few pasted shapes, each with a texture and an affine motion of its own,
drawn in order: what a shape hides or lays bare is so in both pictures, and the flow is
known at every pixel. The pictures share nothing with any action set.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from twinlens import provenance

Floats = NDArray[np.float32]
Motion = NDArray[np.float64]
"""An affine motion, (2, 3): where it takes (x, y, 1), px."""
GROUND, SHAPES = (1.0, 0.02), (4.0, 0.06)
"""Of the ground's motion, and of the shapes' upon it: mean shift in px, and standard
deviations of rotation (radians) and scale. A camera is steadier than what it films.
"""
SMALL = 0.3
"""Motion of the pairs for FlowNetSD, times that of the others."""
MARGIN = 24
"""Pixels of texture around what is seen at first."""
TEXTURES = 64
GRAINS = (24, 10, 4)
"""Sizes of a texture's blots, px."""
STILL = np.eye(2, 3)


@dataclass(frozen=True, slots=True)
class Pairs:
    """N pairs of pictures and what moves where."""

    first: NDArray[np.uint8]
    """(N, H, W, 3), RGB 0..255."""
    second: NDArray[np.uint8]
    """The same, a moment later."""
    flow: Floats
    """(N, 2, H, W), px, from first to second, x to the right then y down."""


class Scenes:
    """Draw pairs of one size, a function of seed, names and index alone."""

    def __init__(self, seed: int, size: tuple[int, int], motion: float = 1.0) -> None:
        """Prepare the textures.

        Args:
            seed: of everything.
            size: height and width, px.
            motion: times the speeds, which are about 3 px in the mean at 1; small ones
                are for FlowNetSD.
        """
        self.seed, self.size, self.motion = seed, size, motion
        rng = np.random.default_rng(provenance.seed(seed, "textures"))
        side = max(size) + 4 * MARGIN
        self.textures = [_texture(side, rng) for _ in range(TEXTURES)]
        y, x = np.mgrid[: size[0], : size[1]]
        self.grid = np.stack([x, y]).astype(np.float64)

    def draw(self, count: int, *names: str | int) -> Pairs:
        """Draw `count` pairs; the same seed and `names` always give the same ones."""
        rng = np.random.default_rng(provenance.seed(self.seed, "pairs", *names))
        drawn = [self._pair(rng) for _ in range(count)]
        return Pairs(*(np.stack(each) for each in zip(*drawn, strict=True)))

    def _pair(
        self, rng: np.random.Generator
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8], Floats]:
        """Draw one pair and its flow."""
        ground = self._motion(np.array(self.size[::-1]) / 2, GROUND, rng)
        pictures = self._layer([STILL, ground], rng)
        flow = self._flow(ground)
        for _ in range(rng.integers(3, 7)):
            ring = _ring(self.size, rng)
            motion = _chained(self._motion(ring.mean(axis=0), SHAPES, rng), ground)
            over = self._layer([STILL, motion], rng)
            covers = [self._cover(ring, each) for each in (STILL, motion)]
            pictures = [
                before + (after - before) * cover[..., None]
                for before, after, cover in zip(pictures, over, covers, strict=True)
            ]
            flow = np.where(covers[0] > 0.5, self._flow(motion), flow)
        first, second = (_seen(picture, rng) for picture in pictures)
        return first, second, flow.astype(np.float32)

    def _motion(
        self,
        middle: NDArray[np.float64],
        lively: tuple[float, float],
        rng: np.random.Generator,
    ) -> Motion:
        """Draw a motion around a point: a turn, a zoom and a shift."""
        speed, spread = lively
        length = min(rng.exponential(speed), 4 * speed) * self.motion
        way = rng.uniform(0, 2 * np.pi)
        turn = np.clip(rng.normal(0, spread), -0.2, 0.2) * self.motion
        zoom = 1 + np.clip(rng.normal(0, spread), -0.15, 0.15) * self.motion
        matrix = zoom * _turned(turn)
        shift = length * np.array([np.cos(way), np.sin(way)])
        return np.column_stack([matrix, middle + shift - matrix @ middle])

    def _layer(self, motions: list[Motion], rng: np.random.Generator) -> list[Floats]:
        """Draw a texture after each motion: (H, W, 3)."""
        texture = self.textures[rng.integers(TEXTURES)]
        spare = [len(texture) - side - MARGIN for side in self.size[::-1]]
        corner = rng.uniform(MARGIN, spare)
        gain, base = rng.uniform(0.3, 1.5, 3), rng.uniform(50, 205, 3)
        layers = []
        for motion in motions:
            matrix = motion.copy()
            matrix[:, 2] -= motion[:, :2] @ corner
            moved = cv2.warpAffine(
                texture, matrix, self.size[::-1], borderMode=cv2.BORDER_REPLICATE
            )
            layers.append(moved * np.float32(gain) + np.float32(base))
        return layers

    def _cover(self, ring: NDArray[np.float64], motion: Motion) -> Floats:
        """Compute the cover of each pixel (H, W) by a polygon after a motion, 0..1."""
        points = ring @ motion[:, :2].T + motion[:, 2]
        mask = np.zeros(self.size, np.uint8)
        fixed = np.rint(16 * points).astype(np.int32)
        cv2.fillPoly(mask, [fixed], 255, cv2.LINE_AA, 4)
        return mask.astype(np.float32) / np.float32(255)

    def _flow(self, motion: Motion) -> NDArray[np.float64]:
        """Compute the flow (2, H, W) of a motion."""
        went = np.tensordot(motion[:, :2] - np.eye(2), self.grid, axes=1)
        return went + motion[:, 2, None, None]


def _turned(angle: float) -> NDArray[np.float64]:
    """Compute the matrix of a rotation by radians."""
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def _chained(own: Motion, ground: Motion) -> Motion:
    """Compose a shape's motion with the ground's."""
    below = [0.0, 0.0, 1.0]
    return (np.vstack([ground, below]) @ np.vstack([own, below]))[:2]


def _texture(side: int, rng: np.random.Generator) -> Floats:
    """Draw smooth noise (side, side, 3) of several grains, around 0."""
    texture = np.zeros((side, side, 3), np.float32)
    for grain in GRAINS:
        cells = side // grain
        shade = rng.normal(0, 1, (cells, cells, 1)) * rng.normal(0, 1, 3)
        mixed = rng.uniform(4, 40) * (
            0.6 * shade + 0.4 * rng.normal(0, 1, (cells, cells, 3))
        )
        texture += cv2.resize(
            mixed.astype(np.float32), (side, side), interpolation=cv2.INTER_CUBIC
        )
    return texture


def _ring(size: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw the corners (n, 2) of a shape, an ellipse or a polygon, px."""
    if rng.random() < 0.5:
        angles = np.linspace(0, 2 * np.pi, 32, endpoint=False)
    else:
        angles = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(3, 8)))
    radii = rng.uniform(0.12, 0.35, 2) * min(size)
    ring = radii * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    middle = rng.uniform(0, 1, 2) * size[::-1]
    return ring @ _turned(rng.uniform(0, np.pi)).T + middle


def _seen(picture: Floats, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Imitate a camera: the picture a little brighter or darker, a little noise."""
    light = np.float32(rng.normal(1, 0.02)) * picture + np.float32(rng.normal(0, 2))
    noise = rng.standard_normal(picture.shape, np.float32) * np.float32(
        rng.uniform(0, 3)
    )
    seen: NDArray[np.uint8] = np.clip(np.rint(light + noise), 0, 255).astype(np.uint8)
    return seen
