"""Generate pictures of letters and digits, which the perceptual network classifies.

They share nothing with any action set: no photograph, no pattern, no person, no motion.
"""

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

GLYPHS = "ABEHKMRSTX"
FONTS = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
)
KINDS = len(GLYPHS)


def pictures(count: int, side: int, seed: int) -> tuple[Tensor, Tensor]:
    """Draw pictures (count, 3, side, side), RGB 0..1, and which glyph each shows."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(KINDS, size=count)
    drawn = np.stack([picture(GLYPHS[each], side, rng) for each in labels])
    images = torch.from_numpy(drawn).permute(0, 3, 1, 2).float() / 255
    return images, torch.from_numpy(labels)


def picture(glyph: str, side: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw a glyph in a random font, colour, size and position before a blotchy ground.

    Returns:
        uint8 (side, side, 3), RGB 0..255.
    """
    base = rng.uniform(60, 195, 3)
    coarse = (base + rng.normal(0, 20, (4, 4, 3))).astype(np.float32)
    ground = cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)
    ink = np.zeros((side, side), np.uint8)
    scale, thick = side / 48 * rng.uniform(1.1, 1.5), int(rng.integers(2, 5))
    font = FONTS[rng.integers(len(FONTS))]
    (width, height), _ = cv2.getTextSize(glyph, font, scale, thick)
    corner = (side - width) // 2, (side + height) // 2
    cv2.putText(ink, glyph, corner, font, scale, 255, thick, cv2.LINE_AA)
    turn = cv2.getRotationMatrix2D((side / 2, side / 2), rng.uniform(-15, 15), 1.0)
    turn[:, 2] += rng.uniform(-side / 12, side / 12, 2)
    ink = cv2.warpAffine(ink, turn, (side, side))
    cover = ink[..., None] / 255
    colour = base + rng.choice([-1, 1]) * rng.uniform(50, 120, 3)
    image = ground * (1 - cover) + colour * cover + rng.normal(0, 6, (side, side, 3))
    as_bytes: NDArray[np.uint8] = np.clip(image, 0, 255).astype(np.uint8)
    return as_bytes
