"""Train a super-resolution network: its batches, its loss, held-out PSNR."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.utils.data import DataLoader

from twinlens import colour, models
from twinlens.networks import artifact, schedule, stop
from twinlens.networks.trainer import Run, Trainer, refuse_nan
from twinlens.patches.reader import Patches
from twinlens.perceptual import vgg
from twinlens.progress import say
from twinlens.training import objectives
from twinlens.training.recipe import Recipe, SrTraining

BORDER = models.SCALE  # px cropped before PSNR; equals the scale, as in VDSR


@dataclass(frozen=True, kw_only=True, slots=True)
class Inputs:
    """The files of a training, and how they are read."""

    patches: list[Path]
    """HDF5 "patches/1"."""
    start: Path | None = None
    """HDF5 "network/1" whose weights it begins with."""
    perceptual: Path | None = None
    """HDF5 "network/1" of the perceptual network."""
    workers: int = 0
    """Processes that read patches ahead."""


class SrTrainer(Trainer):
    """A super-resolution network under training."""

    measures = ("psnr",)

    def __init__(
        self, fabric: Fabric, run: Run, *, job: SrTraining, inputs: Inputs
    ) -> None:
        """Open the patches; see `Trainer`."""
        self.job, self.recipe, self.inputs = job, job.recipe, inputs
        self.clip = job.recipe.clip
        super().__init__(fabric, run, job.recipe.steps)
        self.objective = objectives.Objective(self.recipe.loss, self._features())
        self.objective.alpha = self.facts.get("alpha", self.objective.alpha)
        self.input = objectives.input_of(self.network)
        self.patches = self._read(validation=False)
        self.held_out = self._read(validation=True)
        if self.recipe.loss.kind == "sosr" and self.objective.alpha is None:
            self.objective.alpha = self._measure_alpha()
        self.facts["alpha"] = self.objective.alpha

    def build(self) -> nn.Module:
        """Build the model, with the weights of the start if the job names one."""
        kind, settings = self.job.model, self.job.settings
        network = models.build(kind, **settings)
        if self.inputs.start is not None:
            expected = {"kind": kind, "settings": settings, "network": self.job.start}
            start = artifact.load(self.inputs.start, "sr", **expected)
            network.load_state_dict(start.state_dict())
        return network

    def build_optimizer(self) -> torch.optim.Optimizer:
        """Use Adam, biases at their own rate."""
        return torch.optim.Adam(groups(self.network, self.recipe), self.recipe.lr)

    def rate(self, step: int) -> float:
        """Look the rate up in the recipe."""
        return self.recipe.rate(step)

    def _features(self) -> nn.Module | None:
        if self.recipe.loss.kind != "sosr" or self.inputs.perceptual is None:
            return None
        features = vgg.load(self.inputs.perceptual, after_relu=self.job.after_relu)
        return features.to(self.fabric.device)

    def _read(self, *, validation: bool) -> Patches:
        wanted = {*self.recipe.loss.wanted, self.input}
        if validation:
            wanted = {"high", "interpolated", self.input}
        return Patches(
            self.inputs.patches,
            self.recipe.patches,
            self.job.split,
            self.job.seed,
            validation=validation,
            wanted=sorted(wanted),
        )

    def batches(self, first: int) -> DataLoader[dict[str, Tensor]]:
        """Yield patches, read ahead by workers if there are some."""
        return DataLoader(
            self.patches,  # type: ignore[arg-type]
            batch_sampler=_Indices(self.fabric, self.job, len(self.patches), first),
            num_workers=self.inputs.workers,
            worker_init_fn=stop.ignore,
            pin_memory=self.fabric.device.type == "cuda",
        )

    def _measure_alpha(self) -> float:
        """Measure the alpha that brings both terms of eq. 2 to one scale."""
        seen = []
        for batch, _ in zip(
            self.on_device(0), range(self.recipe.loss.auto_batches), strict=False
        ):
            with torch.no_grad():
                seen.append(torch.stack(list(self._parts(batch).values())))
        mean: Any = self.fabric.all_reduce(torch.stack(seen).mean(dim=0))
        terms = mean.tolist()
        alpha = objectives.even_alpha(*terms)
        if self.is_first:
            say(
                f"{self.run.name}: alpha {alpha:.3g} brings wmse {terms[0]:.3g} and"
                f" perceptual {terms[1]:.3g} to one scale (measured on {len(seen)}"
                " batches before the first step)"
            )
        return alpha

    def output(self, network: nn.Module, *inputs: Any) -> Any:
        """Compute the frames of a batch, or its own loss terms if the recipe asks."""
        if self.recipe.loss.kind == "own":
            return objectives.own_terms(network, *inputs)
        return objectives.output_frames(network, *inputs)

    def loss(self, batch: Any) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Compute the recipe's loss, and its unweighted terms."""
        parts = self._parts(batch)
        return self.objective.total(parts), parts

    def _parts(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        if self.recipe.loss.kind == "own":
            terms: dict[str, Tensor] = self.forward(batch, self.step / self.steps)
            return terms
        output = self.forward(batch)
        with self.fabric.autocast():
            return self.objective.parts(output, batch)

    def after_step(self) -> Mapping[str, float]:
        """Measure PSNR of held-out patches, where the recipe asks for it."""
        looks = self.is_first and self.recipe.validates(self.step)
        return {"psnr": self._psnr()} if looks else {}

    def _psnr(self) -> float:
        """Average PSNR of held-out patches, dB of luma; bicubic's is measured once."""
        found, bicubic = [], []
        self.network.eval()
        for index in _spread(len(self.held_out), self.recipe.validation_patches):
            stored = self.held_out[index]
            one = {key: torch.from_numpy(each[None]) for key, each in stored.items()}
            batch = self.fabric.to_device(one)
            target = objectives.flat(batch["high"])
            with torch.no_grad():
                output = objectives.output_frames(self.network, batch)
            found.append(psnr(output, target))
            if "bicubic_psnr" not in self.facts:
                bicubic.append(psnr(objectives.flat(batch["interpolated"]), target))
        self.network.train()
        if bicubic:
            self.facts["bicubic_psnr"] = float(torch.cat(bicubic).mean())
        mean = float(torch.cat(found).mean())
        refuse_nan(self.run.name, [mean], self.step - 1, "PSNR")
        say(
            f"train {self.run.name}: {self.step} steps, held-out PSNR {mean:.2f} dB"
            f" (bicubic {self.facts['bicubic_psnr']:.2f} dB)"
        )
        return mean


class _Indices:
    """The indices of each step's patches, from a step on: this process's part."""

    def __init__(self, fabric: Fabric, job: SrTraining, count: int, first: int) -> None:
        self.recipe, self.seed = job.recipe, job.seed
        self.count, self.first = count, first
        self.rank, self.world = fabric.global_rank, fabric.world_size

    def __len__(self) -> int:
        return max(0, self.recipe.steps - self.first)

    def __iter__(self) -> Iterator[list[int]]:
        batch, count, seed = self.recipe.batch, self.count, self.seed
        for step in range(self.first, self.recipe.steps):
            items = schedule.batch_items(step, batch, count, seed)
            yield [index for _, index in items[self.rank :: self.world]]


def psnr(output_b3hw: Tensor, target_b3hw: Tensor) -> Tensor:
    """Compute PSNR of luma by picture (RGB 0..1, clipped), border cropped, in dB."""
    inner = (..., slice(BORDER, -BORDER), slice(BORDER, -BORDER))
    one = colour.luma(*output_b3hw.clamp(0, 1).unbind(1))[inner]
    other = colour.luma(*target_b3hw.unbind(1))[inner]
    error = (one - other).square().mean(dim=(1, 2))
    return -10 * torch.log10(error.clamp_min(1e-12))


def groups(network: nn.Module, recipe: Recipe) -> list[dict[str, Any]]:
    """Group weights, and biases at their own rate."""
    kinds: dict[float, list[Tensor]] = {1.0: [], recipe.bias_lr: []}
    for name, parameter in network.named_parameters():
        times = recipe.bias_lr if name.endswith("bias") else 1.0
        kinds[times].append(parameter)
    return [
        {"params": params, "times": times, "weight_decay": recipe.weight_decay}
        for times, params in kinds.items()
        if params
    ]


def _spread(count: int, most: int) -> list[int]:
    """Spread indices evenly over `count` items, `most` at the most."""
    return sorted({int(at) for at in np.linspace(0, count - 1, min(count, most))})
