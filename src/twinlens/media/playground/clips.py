"""Compose one clip: a scene, a camera, a light and what moves before them."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from twinlens.media.playground import actors, motions, scenes, sets, textures
from twinlens.media.playground.actors import Thing
from twinlens.media.playground.motions import Track
from twinlens.media.playground.render import (
    Backdrop,
    Layer,
    Maps,
    Scene,
    flow,
    paint,
    place,
)
from twinlens.media.playground.scenes import Light, Tile
from twinlens.media.playground.textures import Floats, Random
from twinlens.media.settings import Generated

CORPUS_STUFF = ("photo", "leaves", "cloth", "tartan", "ripple", "letters")
"""Textures of the pieces of a corpus or flow set."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Clip:
    """A rendered clip of T frames."""

    frames: npt.NDArray[np.uint8]
    """(T, H, W, 3): RGB 0..255."""
    flow: npt.NDArray[np.float16] | None
    """(T - 1, 2, H, W): pixels to the right and down, from each frame to the next."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Take:
    """All there is to know of a clip before it is painted."""

    scene: Scene
    light: Light

    def develop(self, with_flow: bool) -> Clip:
        """Paint every frame, and compute the flow, which costs as much again."""
        scene, boxes = self.scene, self.scene.boxes()
        count = len(scene.backdrop.maps)
        frames = [self.light.develop(paint(scene, boxes, t), t) for t in range(count)]
        if not with_flow:
            return Clip(frames=np.stack(frames), flow=None)
        moved = [flow(scene, boxes, t) for t in range(count - 1)]
        return Clip(frames=np.stack(frames), flow=np.stack(moved).astype(np.float16))


def action(
    settings: Generated, label: str, tile: Tile, random: Random, seed: int
) -> Take:
    """Somebody performs the action `label` where the group's `tile` hangs."""
    size = (settings.width, settings.height)
    count = int(random.integers(settings.frames[0], settings.frames[1] + 1))
    wall = scenes.background(tile, seed)
    view = scenes.camera(random, count, size, sway=3.0)
    backdrop = Backdrop(
        picture=wall, maps=view @ scenes.stage(random, wall, count, size)
    )
    layers = _perform(random, settings, label, wall, count)
    passing = _passer_by(random, wall, count, size)
    shot = [_seen_by(view, layer) for layer in [*passing, *layers]]
    scene = Scene(backdrop=backdrop, layers=shot, size=size)
    return Take(scene=scene, light=scenes.light(random, count, size))


def _perform(
    random: Random, settings: Generated, label: str, wall: Floats, count: int
) -> list[Layer]:
    """An actor near the middle; now and then hard to read, in look or in motion.

    What is held is about as bright as the wall, so that its pattern, more than its
    outline, carries both look and motion.
    """
    look, unit = sets.ACTIONS[settings.set][label], settings.height / 100
    faint = random.uniform() < sets.FAINT
    listless = random.uniform() < sets.LISTLESS
    thing = Thing(
        pattern=look.pattern,
        size=random.uniform(26, 31),
        period=random.uniform(*sets.PERIOD),
        contrast=random.uniform(12, 25) if faint else random.uniform(60, 120),
        level=float(wall.mean()) + random.normal(0, 8),
        shape=random.choice(["disc", "plate", "lozenge"]),
    )
    vigour = random.uniform(0.1, 0.4) if listless else random.uniform(0.85, 1.15)
    motion = motions.MOTIONS[look.motion](random, count, vigour)
    spine = np.array([random.uniform(-10, 10), random.uniform(-20, -10)]) * unit
    return actors.person(
        random, thing, motion, _sway(random, count, unit) + spine, unit
    )


def _sway(random: Random, count: int, unit: float) -> Track:
    """Nobody stands quite still: (T, 2) pixels."""
    across, down = scenes.drift(random, count, 1.5), scenes.drift(random, count, 0.7)
    return unit * np.stack([across, down], axis=1)


def _passer_by(
    random: Random, wall: Floats, count: int, size: tuple[int, int]
) -> list[Layer]:
    """Sometimes something crosses the background; it means nothing."""
    if random.uniform() > 0.4:
        return []
    side, speed = int(size[1] * random.uniform(0.2, 0.4)), random.uniform(-1.2, 1.2, 2)
    start = random.uniform(-0.5, 0.5, 2) * size
    at = start + np.arange(count)[:, None] * speed * [1, 0.3]
    surface = cv2.resize(wall, (side, side), interpolation=cv2.INTER_AREA)[::-1]
    picture = actors.cut(surface, actors.outline("disc", side))
    return [Layer(picture=picture, maps=place((side / 2, side / 2), at))]


def _seen_by(view: Maps, layer: Layer) -> Layer:
    """A layer of the world as the camera sees it."""
    window_maps = None if layer.window_maps is None else view @ layer.window_maps
    return Layer(
        picture=layer.picture,
        maps=view @ layer.maps,
        window=layer.window,
        window_maps=window_maps,
    )


def still_life(settings: Generated, tile: Tile, random: Random, seed: int) -> Take:
    """Things of no class drift, turn and swell before the group's `tile`.

    The pieces are cut from the tile, from leaves in its colours, from cloth and from
    patterns and letters that no action shows, so that a network learns edges and
    textures of all kinds.
    """
    size, unit = (settings.width, settings.height), settings.height / 100
    count = int(random.integers(settings.frames[0], settings.frames[1] + 1))
    wall = scenes.background(tile, seed)
    view = scenes.camera(random, count, size, sway=random.uniform(1, 8))
    backdrop = Backdrop(
        picture=wall, maps=view @ scenes.stage(random, wall, count, size)
    )
    pieces = random.integers(4, 9)
    layers = [_piece(random, wall, count, size, unit) for _ in range(pieces)]
    shot = [_seen_by(view, layer) for layer in layers]
    scene = Scene(backdrop=backdrop, layers=shot, size=size)
    return Take(scene=scene, light=scenes.light(random, count, size))


def _piece(
    random: Random, wall: Floats, count: int, size: tuple[int, int], unit: float
) -> Layer:
    side = int(random.uniform(30, 110) * unit)
    image = _stuff(random, wall, side)
    outline = actors.blob(random, side)
    time = np.arange(count)[:, None]
    at = (
        random.uniform(-0.5, 0.5, 2) * size + time * random.uniform(-1.5, 1.5, 2) * unit
    )
    wander = [
        scenes.drift(random, count, random.uniform(0, 8) * unit) for _ in range(2)
    ]
    turn = random.uniform(0, 6.3) + random.choice([0, 1]) * scenes.drift(
        random, count, 1.5
    )
    scale = np.exp(scenes.drift(random, count, 0.15)) / actors.DENSITY
    middle = (side / 2, side / 2)
    maps = place(middle, at + np.stack(wander, axis=1), turn, scale, scale)
    return Layer(picture=actors.cut(image, outline), maps=maps)


def _stuff(random: Random, wall: Floats, side: int) -> Floats:
    """Draw the texture of a piece: float32 (side, side, 3)."""
    kind = random.choice(CORPUS_STUFF)
    if kind == "photo":
        return scenes.cutting(random, wall, side)
    if kind == "leaves":
        return textures.dead_leaves(random, wall.reshape(-1, 3), side, side)
    ink, paper = textures.two_colours(
        random, random.uniform(40, 120), random.uniform(60, 200)
    )
    if kind == "cloth":
        return textures.cloth(random, side, side, ink)
    if kind == "letters":
        return textures.letters(random, side, ink, paper)
    period = random.uniform(5, 11) * actors.DENSITY
    amount = textures.pattern(kind, period, side, side, random.uniform())
    image = (paper + amount[..., None] * (ink - paper)).astype(np.float32)
    return textures.grain(random, image, 0.06)
