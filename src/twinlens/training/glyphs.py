"""Train a narrow VGG to tell drawn letters and digits: features where none are given.

The pictures are generated on the spot and share nothing with any action set: no
photograph, no pattern, no person, no motion.
"""

from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from twinlens import checkpoints, provenance
from twinlens.losses.vgg import PERCEPTUAL, Vgg
from twinlens.progress import say, track
from twinlens.training import networks
from twinlens.training.recipe import GlyphRecipe

GLYPHS = "ABEHKMRSTX"
FONTS = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
)
KEPT, NEW = 3000, 500
"""Pictures to train on, and to judge by."""
KINDS = len(GLYPHS)


def train_perceptual(
    recipe: GlyphRecipe, out: Path, seed: int = 0, threads: int = 1
) -> None:
    """Train the narrow perceptual network.

    Args:
        recipe: how.
        out: HDF5 "perceptual/1".
        seed: of weights and pictures.
        threads: CPU threads of torch.
    """
    checkpoints.repeatable(threads)
    torch.manual_seed(seed)
    device = checkpoints.device()
    vgg = Vgg(recipe.widths)
    head = nn.Sequential(
        nn.AdaptiveAvgPool2d(6), nn.Flatten(), nn.Linear(36 * recipe.widths[-1], KINDS)
    )
    for parameter in vgg.parameters():
        if parameter.ndim > 1:
            nn.init.kaiming_normal_(parameter)
    network = nn.Sequential(vgg, _Scaled(), head).to(device)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.Adam(network.parameters(), recipe.lr)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, recipe.steps)
    pictures, labels = _pictures(KEPT, recipe.side, seed)
    draws = np.random.default_rng(provenance.seed(seed, "draws"))
    for _ in track(range(recipe.steps), "train perceptual", "steps"):
        batch = torch.from_numpy(draws.integers(KEPT, size=recipe.batch))
        made = network(pictures[batch].to(device))
        loss = nn.functional.cross_entropy(made, labels[batch].to(device))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    right = _judge(network, recipe.side, provenance.seed(seed, "new glyphs"), device)
    say(f"perceptual: {100 * right:.1f} % of new glyphs right, of {KINDS} kinds")
    about = provenance.about(
        "train-vgg",
        ["twinlens.training.glyphs"],
        {},
        pictures="caffe",
        widths=list(recipe.widths),
        recipe={"steps": recipe.steps, "batch": recipe.batch, "lr": recipe.lr},
        side=recipe.side,
        seed=seed,
        threads=threads,
        trained=True,
    )
    told = {**about, "right": round(right, 4)}
    networks.save(out, PERCEPTUAL, told, vgg)


class _Scaled(nn.Module):
    """Features of 0..255 pictures are large; a fixed factor keeps rates usual."""

    def forward(self, features: Tensor) -> Tensor:
        return features / 64


def _pictures(count: int, side: int, seed: int) -> tuple[Tensor, Tensor]:
    """Pictures (count, 3, side, side), RGB 0..1, and which glyph each shows."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(KINDS, size=count)
    pictures = np.stack([picture(GLYPHS[each], side, rng) for each in labels])
    made = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255
    return made, torch.from_numpy(labels)


def picture(glyph: str, side: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """A glyph in a random font, colour, size and place before a blotchy ground.

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
    made = ground * (1 - cover) + colour * cover + rng.normal(0, 6, (side, side, 3))
    made_bytes: NDArray[np.uint8] = np.clip(made, 0, 255).astype(np.uint8)
    return made_bytes


def _judge(network: nn.Module, side: int, seed: int, device: torch.device) -> float:
    """Part of new pictures that are told right."""
    pictures, labels = _pictures(NEW, side, seed)
    with torch.inference_mode():
        found = network(pictures.to(device)).argmax(dim=1).cpu()
    return float((found == labels).float().mean())
