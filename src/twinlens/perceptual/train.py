"""Train a narrow VGG to classify glyphs: features where no weights are published."""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from twinlens import provenance
from twinlens.networks import artifact, trainer
from twinlens.networks.trainer import Run, Trainer
from twinlens.perceptual.glyphs import KINDS, pictures
from twinlens.perceptual.recipe import PerceptualTraining
from twinlens.perceptual.vgg import Vgg
from twinlens.progress import say

TRAINING, HELD_OUT = 3000, 500
"""Pictures."""


def train_perceptual(job: PerceptualTraining, out: Path, threads: int = 1) -> None:
    """Train the narrow perceptual network.

    Args:
        job: what to train and how.
        out: HDF5 "network/1".
        threads: CPU threads of torch; other numbers give other last digits.
    """
    about = artifact.about(
        "train-vgg",
        ["twinlens.perceptual.train"],
        {},
        job,
        family="perceptual",
        network=job.network,
        kind="vgg",
        settings={"widths": list(job.recipe.widths), "inputs": "caffe"},
        threads=threads,
    )
    run = Run(name=job.network, about=about, out=out, seed=job.seed, threads=threads)
    with trainer.trained(partial(PerceptualTrainer, job=job), run) as result:
        correct = result.facts["correct"]
        say(f"perceptual: {100 * correct:.1f} % of new glyphs correct of {KINDS} kinds")
        vgg = {
            key.removeprefix("0."): value
            for key, value in result.state.items()
            if key.startswith("0.")
        }
        artifact.save(out, {**about, "correct": round(correct, 4)}, vgg)


class PerceptualTrainer(Trainer):
    """A narrow VGG under training, with a classifier that is not kept."""

    def __init__(self, fabric: Fabric, run: Run, *, job: PerceptualTraining) -> None:
        """Generate the pictures; see `Trainer`."""
        self.job, self.recipe = job, job.recipe
        super().__init__(fabric, run, job.recipe.steps)
        self.pictures, self.labels = pictures(TRAINING, self.recipe.side, job.seed)

    def build(self) -> nn.Module:
        """Build VGG, its features scaled, and a linear classifier of them."""
        widths = self.recipe.widths
        vgg = Vgg(widths)
        head = nn.Sequential(
            nn.AdaptiveAvgPool2d(6), nn.Flatten(), nn.Linear(36 * widths[-1], KINDS)
        )
        for parameter in vgg.parameters():
            if parameter.ndim > 1:
                nn.init.kaiming_normal_(parameter)
        network = nn.Sequential(vgg, _Scaled(), head)
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        return network

    def build_optimizer(self) -> torch.optim.Optimizer:
        """Use Adam."""
        return torch.optim.Adam(self.network.parameters(), self.recipe.lr)

    def rate(self, step: int) -> float:
        """Look the rate up in the recipe."""
        return self.recipe.rate(step)

    def batches(self, first: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield pictures and labels, drawn anew for each step."""
        rng = np.random.default_rng(provenance.seed(self.job.seed, "draws"))
        shape = self.recipe.steps, self.recipe.batch
        for chosen in torch.from_numpy(rng.integers(TRAINING, size=shape))[first:]:
            yield self.pictures[chosen], self.labels[chosen]

    def loss(self, batch: Any) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Compute the cross-entropy."""
        images, labels = batch
        return nn.functional.cross_entropy(self.forward(images), labels), {}

    def after_step(self) -> Mapping[str, float]:
        """Measure the accuracy on new pictures, at the end."""
        if self.step == self.steps:
            seed = provenance.seed(self.job.seed, "new glyphs")
            images, labels = pictures(HELD_OUT, self.recipe.side, seed)
            with torch.inference_mode():
                found = self.network(images.to(self.fabric.device)).argmax(dim=1).cpu()
            self.facts["correct"] = float((found == labels).float().mean())
        return {}


class _Scaled(nn.Module):
    """Features of 0..255 pictures are large; a fixed factor keeps rates usual."""

    def forward(self, features: Tensor) -> Tensor:
        return features / 64
