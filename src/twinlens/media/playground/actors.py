"""A person of cloth and skin who holds a patterned thing in each hand.

Pictures have DENSITY pixels to a pixel of the frame, so that they stay sharp when they
swell and smooth when they turn. RGBA is float32 (h, w, 4), colour times alpha.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from twinlens.media.playground import textures
from twinlens.media.playground.motions import Motion, Track
from twinlens.media.playground.render import Layer, Maps, place
from twinlens.media.playground.textures import Floats, Random

DENSITY = 2.0
SHOULDER, UPPER, FORE = 13.0, 20.0, 19.0
"""Half the shoulders' width and the arms' bones, in hundredths of a frame's height."""
HAND = (30.0, 10.0)
"""Where hands rest: across from the spine, down from the shoulders."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Thing:
    """What an actor holds."""

    pattern: str
    """One of `textures.WAVES`."""
    size: float
    """Width, in hundredths of the frame's height."""
    period: float
    """Of the pattern, in pixels of the frame."""
    contrast: float
    """Between the pattern's two colours, in brightness 0..255."""
    level: float
    """Mean brightness, 0..255."""
    shape: str
    """Outline: disc, plate or lozenge. It says nothing about the class."""


def person(
    random: Random, thing: Thing, motion: Motion, at: Track, unit: float
) -> list[Layer]:
    """The layers of one actor, back to front.

    Args:
        random: source of chance for clothes, build and looks.
        thing: what both hands hold.
        motion: what the hands do, T frames.
        at: (T, 2), where the spine meets the shoulders, in frame pixels.
        unit: pixels of a hundredth of the frame's height.
    """
    at = at + np.stack([0 * motion.body, motion.body * unit], axis=1)
    build = unit * random.uniform(0.95, 1.05)
    layers = [*_legs(random, at, build), _torso(random, at, build)]
    sleeve, skin = textures.colour(random), _skin(random)
    layers.append(_head(random, at, build, skin))
    for side, hand in ((1.0, motion.right), (-1.0, motion.left)):
        target = at + build * (hand + [side * HAND[0], HAND[1]])
        shoulder = at + build * np.array([side * SHOULDER, 3.0])
        layers += _arm(random, shoulder, target, side, build, sleeve, skin)
        layers.append(held(random, thing, motion, target, unit))
    return layers


def held(random: Random, thing: Thing, motion: Motion, at: Track, unit: float) -> Layer:
    """The thing in one hand, following `at` (T, 2) in frame pixels."""
    side = int(np.ceil(thing.size * unit * DENSITY))
    travel = motion.scroll * unit
    tall = side + int(np.ceil(DENSITY * travel.max()))
    surface = _surface(random, thing, tall, side)
    rim = outline(thing.shape, side)
    scale_x, scale_y = np.exp(motion.stretch) / DENSITY, np.exp(motion.grow) / DENSITY
    centre = (side / 2, side / 2)
    window = place(centre, at, motion.turn, scale_x, scale_y)
    if tall == side:
        return Layer(picture=cut(surface, rim), maps=window)
    # The strip starts low and slides down, so that its far end comes into view.
    offset = np.zeros((len(at), 2))
    offset[:, 1] = travel
    low = (side / 2, tall - side / 2)
    maps = place(low, at + offset, motion.turn, scale_x, scale_y)
    opaque = cut(surface, np.ones((tall, side), np.float32))
    return Layer(picture=opaque, maps=maps, window=rim, window_maps=window)


def cut(image: Floats, alpha: Floats) -> Floats:
    """RGB and an outline as one RGBA picture, colour times alpha."""
    return np.dstack([image * alpha[..., None], alpha]).astype(np.float32)


def _surface(random: Random, thing: Thing, height: int, width: int) -> Floats:
    ink, paper = textures.two_colours(random, thing.contrast, thing.level)
    period = thing.period * DENSITY
    amount = textures.pattern(thing.pattern, period, height, width, random.uniform())
    image = paper + amount[..., None] * (ink - paper)
    return textures.grain(random, image.astype(np.float32), 0.06)


def outline(shape: str, side: int) -> Floats:
    """A plain shape that fills a square: alpha 0..1, float32 (side, side)."""
    mask = np.zeros((side, side), np.uint8)
    middle, reach = side // 2, side // 2 - 2
    if shape == "disc":
        cv2.circle(mask, (middle, middle), reach, 255, -1, cv2.LINE_AA)
    elif shape == "plate":
        inset = int(0.12 * side)
        cv2.rectangle(mask, (inset, inset), (side - inset, side - inset), 255, -1)
        mask = cv2.GaussianBlur(mask, (0, 0), 1.0)
    else:
        angles = np.arange(6) * np.pi / 3
        corners = middle + reach * np.stack([np.cos(angles), np.sin(angles)], axis=1)
        cv2.fillPoly(mask, [corners.round().astype(np.int32)], 255, cv2.LINE_AA)
    return (mask / 255).astype(np.float32)


def blob(random: Random, side: int) -> Floats:
    """A shape of no name, with corners or without: alpha 0..1, (side, side)."""
    count = int(random.integers(3, 12))
    angles = np.sort(random.uniform(0, 2 * np.pi, count))
    reach = (side / 2 - 1) * random.uniform(0.5, 1, count)
    ring = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    corners = (side / 2 + reach[:, None] * ring).round().astype(np.int32)
    mask = np.zeros((side, side), np.uint8)
    cv2.fillPoly(mask, [corners], 255, cv2.LINE_AA)
    return (mask / 255).astype(np.float32)


def _skin(random: Random) -> Floats:
    tone = random.uniform(0.35, 1.0)
    return (np.array([225, 175, 145]) * tone + 12).astype(np.float32)


def _arm(
    random: Random,
    shoulder: Track,
    hand: Track,
    side: float,
    unit: float,
    sleeve: Floats,
    skin: Floats,
) -> list[Layer]:
    """Upper arm and forearm, bent at an elbow that the two bones' lengths decide."""
    elbow = _elbow(shoulder, hand, UPPER * unit, FORE * unit, side)
    upper = _limb(random, shoulder, elbow, UPPER * unit, 7.5 * unit, sleeve)
    fore = _limb(random, elbow, hand, FORE * unit, 6.0 * unit, skin)
    return [upper, fore]


def _elbow(
    shoulder: Track, hand: Track, upper: float, fore: float, side: float
) -> Track:
    """Where two bones meet, below the line from shoulder to hand: (T, 2)."""
    span = hand - shoulder
    length = np.linalg.norm(span, axis=1, keepdims=True)
    reach = np.minimum(length, 0.999 * (upper + fore))
    along = (upper**2 - fore**2 + reach**2) / (2 * reach)
    across = np.sqrt(np.maximum(upper**2 - along**2, 0))
    aside = np.stack([-span[:, 1], span[:, 0]], axis=1) / length
    return shoulder + along * span / length + side * across * aside


def _limb(
    random: Random, start: Track, end: Track, length: float, thick: float, rgb: Floats
) -> Layer:
    """A rounded bar from `start` to `end`, stretched a little where it must be."""
    long, wide = int(length * DENSITY), int(thick * DENSITY)
    radius = wide // 2
    mask = np.zeros((wide + 2, long + wide + 2), np.uint8)
    cv2.line(
        mask, (radius, radius), (radius + long, radius), 255, wide - 1, cv2.LINE_AA
    )
    image = textures.cloth(random, *mask.shape, rgb) * _round(wide + 2)[:, None, None]
    span = end - start
    angle = np.arctan2(span[:, 1], span[:, 0])
    stretch = np.linalg.norm(span, axis=1) / long
    maps = place((radius, radius), start, angle, stretch, 1 / DENSITY)
    return Layer(picture=cut(image, (mask / 255).astype(np.float32)), maps=maps)


def _round(width: int) -> Floats:
    """Light and dark across a round limb, from the top side to the under side."""
    across = np.linspace(-1, 1, width)
    return (1.08 - 0.10 * across - 0.28 * across**4).astype(np.float32)


def _torso(random: Random, at: Track, unit: float) -> Layer:
    height, width = int(52 * unit * DENSITY), int(32 * unit * DENSITY)
    mask = np.zeros((height, width), np.uint8)
    cut_line = [(0.12, 0.02), (0.88, 0.02), (0.99, 0.10), (0.88, 0.55), (0.90, 1.0)]
    cut_line += [(1 - x, y) for x, y in reversed(cut_line)]
    corners = (np.array(cut_line) * [width - 1, height - 1]).round().astype(np.int32)
    cv2.fillPoly(mask, [corners], 255, cv2.LINE_AA)
    image = textures.cloth(random, height, width, textures.colour(random))
    image *= _round(width)[None, :, None]
    _decorate(random, image)
    maps = place((width / 2, 0), at, 0.0, 1 / DENSITY, 1 / DENSITY)
    return Layer(picture=cut(image, (mask / 255).astype(np.float32)), maps=maps)


def _decorate(random: Random, shirt: Floats) -> None:
    """A collar, a line of buttons and a belt, drawn onto the image."""
    height, width = shirt.shape[:2]
    dark = (0.5 * shirt.mean(axis=(0, 1))).tolist()
    middle = width // 2
    cv2.line(shirt, (middle, 0), (middle, height), dark, 1, cv2.LINE_AA)
    for y in range(8, height - 16, max(6, height // 7)):
        cv2.circle(shirt, (middle + 3, y), 2, textures.colour(random).tolist(), -1)
    belt = int(0.88 * height)
    cv2.rectangle(shirt, (0, belt), (width, belt + 6), dark, -1)


def _head(random: Random, at: Track, unit: float, skin: Floats) -> Layer:
    height, width = int(26 * unit * DENSITY), int(19 * unit * DENSITY)
    image = textures.cloth(random, height, width, skin) * _round(width)[:, None]
    middle, hair = width // 2, textures.colour(random, 0.8) * 0.5
    cv2.ellipse(
        image,
        (middle, int(0.22 * height)),
        (middle, int(0.24 * height)),
        0,
        0,
        360,
        hair.tolist(),
        -1,
    )
    for x in (0.33, 0.67):
        cv2.circle(image, (int(x * width), int(0.46 * height)), 2, (30, 25, 25), -1)
    mouth = (
        (int(0.38 * width), int(0.68 * height)),
        (int(0.62 * width), int(0.68 * height)),
    )
    cv2.line(image, *mouth, (120, 50, 50), 2, cv2.LINE_AA)
    mask = np.zeros((height, width), np.uint8)
    cv2.ellipse(
        mask,
        (middle, int(0.44 * height)),
        (middle - 1, int(0.42 * height)),
        0,
        0,
        360,
        255,
        -1,
    )
    neck = (int(0.33 * width), int(0.75 * height)), (int(0.67 * width), height)
    cv2.rectangle(mask, *neck, 255, -1)
    nod = 0.06 * np.sin(random.uniform(0, 6.3) + 0.15 * np.arange(len(at)))
    maps: Maps = place((width / 2, height - 4), at, nod, 1 / DENSITY, 1 / DENSITY)
    return Layer(picture=cut(image, (mask / 255).astype(np.float32)), maps=maps)


def _legs(random: Random, at: Track, unit: float) -> list[Layer]:
    trousers = textures.colour(random)
    hips = at + [0, 48 * unit]
    feet = at * [1, 0] + [0, 130 * unit]
    return [
        _limb(
            random,
            hips + [x * unit, 0],
            feet + [1.4 * x * unit, 0],
            45 * unit,
            13 * unit,
            trousers,
        )
        for x in (-8, 8)
    ]
