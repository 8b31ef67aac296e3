"""Surfaces to paint with: photographs, natural-looking noise, leaves and patterns.

Images are float32 (H, W, 3), RGB 0..255, unless said otherwise.
"""

from functools import cache
from pathlib import Path
from zlib import crc32

import cv2
import numpy as np
import numpy.typing as npt
import skimage

Floats = npt.NDArray[np.float32]
Random = np.random.Generator


def stream(seed: int, *words: object) -> Random:
    """A random generator that depends on nothing but the seed and these words."""
    text = "/".join(str(word) for word in words)
    return np.random.default_rng([seed, crc32(text.encode())])


@cache
def photo(name: str) -> Floats:
    """A photograph that ships inside scikit-image's wheel; grey ones become RGB."""
    # Read as a file: going through skimage.data could start a download.
    path = Path(skimage.__file__).parent / "data" / name
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise FileNotFoundError(f"scikit-image's wheel has no picture {path}")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB).astype(np.float32)


def fractal(random: Random, height: int, width: int, slope: float = 1.2) -> Floats:
    """Noise whose amplitude falls as 1 / f**slope, as in photographs.

    Returns:
        float32 (height, width), mean 0, standard deviation 1.
    """
    up, across = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None]
    frequency = np.maximum(np.hypot(up, across), 1 / max(height, width))
    white = np.fft.rfft2(random.standard_normal((height, width)))
    noise = np.fft.irfft2(white / frequency**slope, s=(height, width))
    return ((noise - noise.mean()) / noise.std()).astype(np.float32)


def colour(random: Random, saturation: float = 0.6) -> Floats:
    """A colour of any hue, neither black nor white; float32 (3,)."""
    hue, value = random.uniform(0, 1), random.uniform(70, 210)
    wheel = 0.5 + 0.5 * np.cos(2 * np.pi * (hue - np.array([0, 1, 2]) / 3))
    return (value * (1 - saturation * random.uniform(0, 1) * wheel)).astype(np.float32)


def brightness(rgb: Floats) -> float:
    """How bright a colour looks, 0..255 (BT.601)."""
    return float(rgb @ np.array([0.299, 0.587, 0.114]))


def two_colours(
    random: Random, contrast: float, middle: float
) -> tuple[Floats, Floats]:
    """Two colours of random hue: they say nothing about a class.

    Args:
        random: source of chance.
        contrast: between their brightness, 0..255; which is darker is a coin toss.
        middle: brightness halfway between them, 0..255; moved where it must be.
    """
    pair = [colour(random), colour(random)]
    middle = float(np.clip(middle, 15 + contrast / 2, 240 - contrast / 2))
    sign = random.choice([-0.5, 0.5])
    for index, side in enumerate((sign, -sign)):
        pair[index] = pair[index] + middle + side * contrast - brightness(pair[index])
    return np.clip(pair[0], 5, 250), np.clip(pair[1], 5, 250)


def dead_leaves(random: Random, palette: Floats, height: int, width: int) -> Floats:
    """Overlapping blobs of all sizes, the classic model of natural images.

    Args:
        random: source of chance.
        palette: colours to draw from, float32 (N, 3), e.g. pixels of a photograph.
        height: of the image, in pixels.
        width: of the image, in pixels.
    """
    image = np.empty((height, width, 3), np.float32)
    image[:] = palette[0]
    count = height * width // 40
    # Radii with density r**-3 between 2 and 40: equal detail at every scale.
    radii = 1 / np.sqrt(random.uniform(1 / 40**2, 1 / 2**2, count))
    for radius in radii:
        centre = (int(random.integers(width)), int(random.integers(height)))
        axes = (int(radius + 1), int(radius * random.uniform(0.4, 1) + 1))
        ink = palette[random.integers(len(palette))] + random.normal(0, 6, 3)
        angle = random.uniform(0, 180)
        cv2.ellipse(image, centre, axes, angle, 0, 360, ink.tolist(), -1, cv2.LINE_AA)
    return np.clip(image, 0, 255)


def grain(random: Random, image: Floats, strength: float) -> Floats:
    """The image with natural-looking light and dark in it."""
    height, width = image.shape[:2]
    shade = 1 + strength * fractal(random, height, width)[..., None]
    return np.clip(image * shade, 0, 255).astype(np.float32)


def cloth(random: Random, height: int, width: int, rgb: Floats) -> Floats:
    """A plain fabric: folds, and a weave too fine to say anything."""
    folds = 0.10 * fractal(random, height, width, 1.6)
    weave = 0.03 * random.standard_normal((height, width))
    return np.clip(rgb * (1 + folds + weave)[..., None], 0, 255).astype(np.float32)


def edge(wave: npt.NDArray[np.floating], sharpness: float) -> Floats:
    """A wave in -1..1 as ink in 0..1, with soft but definite borders."""
    return (0.5 + 0.5 * np.tanh(sharpness * wave)).astype(np.float32)


def pattern(kind: str, period: float, height: int, width: int, turn: float) -> Floats:
    """One of the fine patterns that tell objects apart.

    Args:
        kind: name of the pattern.
        period: of its repeats, in pixels of the result.
        height: of the result.
        width: of the result.
        turn: phase of the repeats, 0..1.

    Returns:
        float32 (height, width), how much of the second colour, 0..1.
    """
    v, u = np.mgrid[:height, :width].astype(np.float32)
    u, v = (u - width / 2) / period, (v - height / 2) / period
    if kind not in WAVES:
        raise ValueError(f"no pattern {kind!r}; there are {sorted(WAVES)}")
    return edge(WAVES[kind](u, v, turn), 2.5)


def _wave(x: npt.NDArray[np.floating]) -> Floats:
    return np.sin(2 * np.pi * x).astype(np.float32)


def _bars(u: Floats, v: Floats, turn: float) -> Floats:
    return _wave(v + turn)


def _pales(u: Floats, v: Floats, turn: float) -> Floats:
    return _wave(u + turn)


def _checker(u: Floats, v: Floats, turn: float) -> Floats:
    return 1.4 * _wave(0.75 * u + turn) * _wave(0.75 * v + turn)


def _dots(u: Floats, v: Floats, turn: float) -> Floats:
    row = np.floor(v)
    across = (u + turn + 0.5 * (row % 2)) % 1 - 0.5
    far = np.hypot(across, v - row - 0.5)
    return (2.2 * (1 - far / 0.3)).astype(np.float32)


def _rings(u: Floats, v: Floats, turn: float) -> Floats:
    return _wave(np.hypot(u, v) + turn)


def _spokes(u: Floats, v: Floats, turn: float) -> Floats:
    return np.sin(6 * np.arctan2(v, u) + 2 * np.pi * turn).astype(np.float32)


def _zigzag(u: Floats, v: Floats, turn: float) -> Floats:
    return _wave(v + turn + 0.9 * np.abs((0.6 * u) % 1 - 0.5))


def _slant(u: Floats, v: Floats, turn: float) -> Floats:
    return _wave((u + v) / np.sqrt(2) + turn)


def _bricks(u: Floats, v: Floats, turn: float) -> Floats:
    row = np.floor(1.1 * v)
    bed = 0.20 - np.abs((1.1 * v) % 1 - 0.5)
    joint = 0.38 - np.abs((0.55 * u + turn + 0.5 * (row % 2)) % 1 - 0.5)
    return (6 * np.minimum(bed, joint)).astype(np.float32)


def _crosses(u: Floats, v: Floats, turn: float) -> Floats:
    x, y = np.abs((0.6 * u + turn) % 1 - 0.5), np.abs((0.6 * v) % 1 - 0.5)
    arm = np.minimum(x, y) < 0.12
    return np.where(arm & (np.maximum(x, y) < 0.40), 1, -1).astype(np.float32)


def _tartan(u: Floats, v: Floats, turn: float) -> Floats:
    along = u * np.cos(6.3 * turn) + v * np.sin(6.3 * turn)
    over = v * np.cos(6.3 * turn) - u * np.sin(6.3 * turn)
    return 0.5 * (_wave(along) + _wave(0.37 * along) + _wave(0.6 * over))


def _ripple(u: Floats, v: Floats, turn: float) -> Floats:
    along = u * np.cos(6.3 * turn) + v * np.sin(6.3 * turn)
    over = v * np.cos(6.3 * turn) - u * np.sin(6.3 * turn)
    return _wave(along + 0.05 * along**2 + 0.6 * _wave(0.2 * over))


WAVES = {
    "bars": _bars,
    "pales": _pales,
    "checker": _checker,
    "dots": _dots,
    "rings": _rings,
    "spokes": _spokes,
    "zigzag": _zigzag,
    "slant": _slant,
    "bricks": _bricks,
    "crosses": _crosses,
    "tartan": _tartan,
    "ripple": _ripple,
}


def letters(random: Random, side: int, ink: Floats, paper: Floats) -> Floats:
    """A page of random letters: float32 (side, side, 3)."""
    mask, step = np.zeros((side, side), np.uint8), int(random.integers(14, 28))
    for y in range(step, side + step, step):
        text = "".join(chr(code) for code in random.integers(33, 123, side // 6))
        font = cv2.FONT_HERSHEY_SIMPLEX
        cv2.putText(mask, text, (-3, y), font, step / 30, 255, 2, cv2.LINE_AA)
    image = paper + (mask / np.float32(255))[..., None] * (ink - paper)
    return grain(random, image.astype(np.float32), 0.06)
