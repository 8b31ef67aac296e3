"""Where clips take place: a background for each group, a camera, a light, a noise.

A group owns one tile of one photograph, and no two groups of a data set own the same
pixels; that is why groups can be dealt to training and test sets in any way.
"""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from twinlens.errors import DataError
from twinlens.media.playground import textures
from twinlens.media.playground.motions import Track
from twinlens.media.playground.render import Maps, place
from twinlens.media.playground.textures import Floats, Random

TILE_HEIGHTS = (144, 132, 120, 108, 96, 84, 72, 60)
"""Of tiles, in pixels of the photographs; the first that gives enough is used."""


LITTLE = 15.0
"""A tile whose brightness varies less, in grey levels, shows next to nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tile:
    """A part of a photograph, a third wider than high."""

    photo: str
    top: int
    left: int
    height: int

    @property
    def box(self) -> tuple[slice, slice]:
        """Its rows and columns."""
        width = 4 * self.height // 3
        rows = slice(self.top, self.top + self.height)
        return rows, slice(self.left, self.left + width)


def tiles(
    photos: tuple[str, ...], count: int, random: Random, *, full: bool = False
) -> list[Tile]:
    """Cut as many parts of photographs, shuffled, that share no pixel.

    Args:
        photos: file names.
        count: how many tiles.
        random: source of chance.
        full: leave out tiles with little to see, which teach neither SR nor flow, and
            let the others come round again where they are too few.

    Raises:
        DataError: the photographs are too small for so many.
    """
    for height in TILE_HEIGHTS:
        cut = [tile for name in photos for tile in _grid(name, height)]
        if full:
            cut = [tile for tile in cut if _contrast(tile) > LITTLE]
        if len(cut) >= count or full:
            order = random.permutation(len(cut))
            return [cut[order[rank % len(cut)]] for rank in range(count)]
    raise DataError(
        f"the photographs that scenes are cut from ({', '.join(photos)}) hold no"
        f" {count} tiles of {TILE_HEIGHTS[-1]} pixels: generate fewer clips"
    )


def _contrast(tile: Tile) -> float:
    """Standard deviation of the tile's brightness, in grey levels."""
    return float(textures.photo(tile.photo)[tile.box].mean(axis=2).std())


def _grid(name: str, height: int) -> list[Tile]:
    rows, columns = textures.photo(name).shape[:2]
    return [
        Tile(photo=name, top=top, left=left, height=height)
        for top in range(0, rows - height + 1, height)
        for left in range(0, columns - 4 * height // 3 + 1, 4 * height // 3)
    ]


@lru_cache(maxsize=8)
def background(tile: Tile, seed: int) -> Floats:
    """A group's background around its tile: float32 (h, w, 3), RGB 0..255."""
    random = textures.stream(seed, "background", tile.photo, tile.top, tile.left)
    pixels = _tint(random, textures.photo(tile.photo)[tile.box])
    wall = pixels.copy()
    if random.uniform() < 0.2:
        leaves = textures.dead_leaves(random, pixels.reshape(-1, 3), *wall.shape[:2])
        wall = textures.grain(random, leaves, 0.08)
    for _ in range(random.integers(1, 4)):
        _hang(random, wall, pixels)
    return cv2.GaussianBlur(wall, (0, 0), 0.6)


def _tint(random: Random, pixels: Floats) -> Floats:
    """Another white balance and gamma; a grey photograph gets a hue."""
    grey = np.ptp(pixels, axis=2).max() < 1
    balance = random.uniform(0.8, 1.1, 3)
    if grey:
        balance *= textures.colour(random, 0.25) / 150
    bright = np.clip(pixels * balance / 255, 0, 1) ** random.uniform(0.7, 1.2)
    return (255 * bright).astype(np.float32)


def _hang(random: Random, wall: Floats, pixels: Floats) -> None:
    """Draw a small framed picture onto the wall: detail that means nothing."""
    height, width = (int(side) for side in random.integers(16, 36, 2))
    y = int(random.integers(0, wall.shape[0] - height))
    x = int(random.integers(0, wall.shape[1] - width))
    painted = textures.dead_leaves(random, pixels.reshape(-1, 3), height, width)
    wall[y : y + height, x : x + width] = 0.3 * painted + 0.5 * pixels.mean(axis=(0, 1))
    frame, corner = textures.colour(random).tolist(), (x + width - 1, y + height - 1)
    cv2.rectangle(wall, (x, y), corner, frame, 2, cv2.LINE_AA)


def drift(random: Random, frames: int, amount: float) -> Track:
    """A smooth, slow wander about zero: (frames,)."""
    time = np.arange(frames)
    slow, quick = random.uniform(0.02, 0.10), random.uniform(0.1, 0.25)
    turns = random.uniform(0, 2 * np.pi, 2)
    return amount * (
        np.sin(slow * time + turns[0]) + 0.15 * np.sin(quick * time + turns[1])
    )


def camera(random: Random, frames: int, size: tuple[int, int], sway: float) -> Maps:
    """A hand-held camera: maps from the world's pixels to the frame's, (T, 3, 3).

    The world's origin is the middle of the frame when the camera is at rest.
    """
    middle = np.array(size) / 2
    reach = sway * size[1] / 100
    pan = [drift(random, frames, reach), drift(random, frames, 0.6 * reach)]
    zoom = np.exp(drift(random, frames, 0.006 * sway))
    roll = drift(random, frames, 0.005 * sway)
    return place((0, 0), middle + np.stack(pan, axis=1), roll, zoom, zoom)


def stage(random: Random, wall: Floats, frames: int, size: tuple[int, int]) -> Maps:
    """Where a clip hangs its group's background in the world: (T, 3, 3), all alike."""
    cover = 1.08 * max(size[0] / wall.shape[1], size[1] / wall.shape[0])
    scale = cover * random.uniform(0.95, 1.2)
    centre = (wall.shape[1] / 2, wall.shape[0] / 2)
    shift = random.uniform(-8, 8, 2)
    flip = random.choice([-1, 1])
    return place(centre, np.tile(shift, (frames, 1)), 0.0, flip * scale, scale)


@dataclass(frozen=True, kw_only=True, slots=True)
class Light:
    """What happens between surfaces and the file: uneven light, then sensor noise."""

    gain: Floats
    """(T, 3): overall, to the right, down."""
    noise: Floats
    """(H + 32, W + 32, 3): noise to take windows of."""
    corners: npt.NDArray[np.int64]
    """(T, 2): where each frame's window starts, in pixels."""

    def develop(self, image: Floats, frame: int) -> Floats:
        """Record the image, uint8 (H, W, 3); overwrites its argument."""
        height, width = image.shape[:2]
        level, across, down = self.gain[frame]
        right, below = _ramps(width, height)
        image *= level + across * right + down * below
        left, top = self.corners[frame].tolist()
        image += self.noise[top : top + height, left : left + width]
        return np.clip(image, 0, 255).astype(np.uint8)


@lru_cache(maxsize=8)
def _ramps(width: int, height: int) -> tuple[Floats, Floats]:
    """From -1 to 1, left to right and top to bottom: float32 (height, width, 3)."""
    across = np.linspace(-1, 1, width, dtype=np.float32)
    down = np.linspace(-1, 1, height, dtype=np.float32)
    right, below = np.meshgrid(across, down)
    return cv2.merge([right] * 3), cv2.merge([below] * 3)


def light(random: Random, frames: int, size: tuple[int, int]) -> Light:
    """A light that changes slowly, and a sensor's noise of 1.5 to 2.5 grey levels."""
    gain = [
        1 + drift(random, frames, 0.08),
        random.uniform(-0.12, 0.12) + drift(random, frames, 0.04),
        random.uniform(-0.12, 0.12) + drift(random, frames, 0.04),
    ]
    noise = random.standard_normal((size[1] + 32, size[0] + 32, 3), np.float32)
    return Light(
        gain=np.stack(gain, axis=1).astype(np.float32),
        noise=noise * np.float32(random.uniform(1.5, 2.5)),
        corners=random.integers(0, 32, (frames, 2)),
    )


def cutting(random: Random, wall: Floats, side: int) -> Floats:
    """A square piece of a background, as large as asked: float32 (side, side, 3)."""
    take = min(side, *wall.shape[:2])
    y = random.integers(0, wall.shape[0] - take + 1)
    x = random.integers(0, wall.shape[1] - take + 1)
    return cv2.resize(wall[y : y + take, x : x + take], (side, side))
