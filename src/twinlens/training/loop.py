"""The loop that trains every super-resolution network, on one device or several.

Order, rate and alpha are pure functions of seed and step, and everything else stands in
the checkpoint, so that a run that was killed goes on to the same weights.
"""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from lightning_fabric.strategies.ddp import DDPStrategy
from torch import Tensor, nn
from torch.utils.data import DataLoader

from twinlens import checkpoints, colour, models, steps
from twinlens.artifacts import reader
from twinlens.losses import vgg
from twinlens.patches.reader import Patches
from twinlens.patches.settings import Split
from twinlens.progress import say, track
from twinlens.training import networks, objectives
from twinlens.training.recipe import Recipe

BORDER = models.SCALE  # px of a patch that no PSNR counts: as many as the scale (VDSR)


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """A training as plain values, so that it can be sent to other processes."""

    name: str
    about: dict[str, Any]
    patches: list[Path]
    split: Split
    recipe: Recipe
    out: Path
    start: Path | None
    start_name: str | None
    perceptual: Path | None
    after_relu: bool
    threads: int
    devices: int
    workers: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """What a finished training gives."""

    state: dict[str, Tensor]
    log: pd.DataFrame
    psnr: float
    """Of held-out patches, dB of luma."""
    bicubic: float
    """The same of their interpolation."""
    alpha: float | None
    """Of the loss "sosr", as given or measured."""


def run(job: Job) -> Found:
    """Train on one device, or on several of this machine.

    The last checkpoint brings the result here: what another process returned would end
    with it.
    """
    fabric = Fabric(
        accelerator="cuda" if torch.cuda.is_available() else "cpu",
        devices=job.devices,
        strategy=_shared(job) if job.devices > 1 else "auto",
        precision=job.recipe.precision,
        # A cluster's variables describe the job as a whole, not the processes here.
        plugins=[LightningEnvironment()],
    )
    fabric.launch(partial(_fit, job=job))
    return _found(job)


def _shared(job: Job) -> DDPStrategy:
    """Gradients shared by processes; a network's own loss may leave parts untrained."""
    own = job.recipe.loss.kind == "own"
    return DDPStrategy(start_method="spawn", find_unused_parameters=own)


def _fit(fabric: Fabric, job: Job) -> None:
    """Every step of a training, in each of its processes."""
    checkpoints.repeatable(job.threads)
    training = Training(fabric, job)
    training.measure_alpha()
    batches = training.batches(training.step)
    left = job.recipe.steps - training.step
    if fabric.is_global_zero:
        batches = track(batches, f"train {job.name}", "steps", left)
    for batch in batches:
        training.update(batch)
    training.save()


def _found(job: Job) -> Found:
    """The result, from the checkpoint of the last step."""
    path = checkpoints.path_beside(job.out, job.about["id"])
    with reader.open(path, checkpoints.CHECKPOINT, id=job.about["id"]) as file:
        names = ["step", "lr", "psnr", "loss", *file.attrs["parts"]]
        log = pd.DataFrame(file["log"][:], columns=names).astype({"step": int})
        alpha = float(file.attrs["alpha"])
        return Found(
            state=checkpoints.load_state(file["state"]),
            log=log,
            psnr=float(log["psnr"].iloc[-1]),
            bicubic=float(file.attrs["bicubic"]),
            alpha=None if math.isnan(alpha) else alpha,
        )


class _Batches:
    """The places of each step's patches, from a step on: this process's part."""

    def __init__(self, fabric: Fabric, job: Job, count: int, first: int) -> None:
        self.recipe, self.seed = job.recipe, job.about["seed"]
        self.count, self.first = count, first
        self.rank, self.world = fabric.global_rank, fabric.world_size

    def __len__(self) -> int:
        return max(0, self.recipe.steps - self.first)

    def __iter__(self) -> Iterator[list[int]]:
        for step in range(self.first, self.recipe.steps):
            drawn = steps.draw(step, self.recipe.batch, self.count, self.seed)
            yield [place for _, place in drawn[self.rank :: self.world]]


class _Maker(nn.Module):
    """A network as Fabric takes it: what precision and shared gradients cover."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, batch: dict[str, Tensor], done: float | None = None) -> Any:
        if done is not None:
            return objectives.own_terms(self.network, batch, done)
        return objectives.made_frames(self.network, batch)


class Training:
    """A network under training: it resumes from a checkpoint of the same job."""

    def __init__(self, fabric: Fabric, job: Job) -> None:
        self.fabric, self.job, self.recipe = fabric, job, job.recipe
        about = job.about
        torch.manual_seed(about["seed"])
        network = models.build(about["model"], **about["settings"])
        if job.start is not None:
            kind = about["model"], about["settings"]
            networks.start(network, job.start, *kind, job.start_name)
        # Before the optimiser: its state is loaded to where the parameters are.
        self.plain = network.to(fabric.device).train()
        self.optimizer = torch.optim.Adam(groups(network, self.recipe), self.recipe.lr)
        self.objective = objectives.Objective(self.recipe.loss, self._features())
        self.input = objectives.input_of(network)
        self.step, self.log = 0, np.zeros((0, 0))
        self.parts = list(self.recipe.loss.parts)
        self.bicubic = math.nan
        self._fresh: list[Tensor] = []
        self._patches = self._read(validation=False)
        self._held = self._read(validation=True)
        self._resume()
        self.network, self.optimizer = self._set_up(network)
        self._saved = time.monotonic()

    def _features(self) -> nn.Module | None:
        if self.recipe.loss.kind != "sosr" or self.job.perceptual is None:
            return None
        path, after = self.job.perceptual, self.job.after_relu
        features = vgg.load(path, after_relu=after)
        return features.to(self.fabric.device)

    def _set_up(self, network: nn.Module) -> tuple[Any, Any]:
        """The network and optimiser on their device, gradients shared."""
        made: tuple[Any, Any] = self.fabric.setup(_Maker(network), self.optimizer)
        return made

    def _read(self, *, validation: bool) -> Patches:
        wanted = {*self.recipe.loss.wanted, self.input}
        if validation:
            wanted = {"high", "interpolated", self.input}
        return Patches(
            self.job.patches,
            self.recipe.patches,
            self.job.split,
            self.job.about["seed"],
            validation=validation,
            wanted=sorted(wanted),
        )

    def batches(self, first: int) -> Iterator[dict[str, Tensor]]:
        """The batches of all steps from `first` on."""
        loader: DataLoader[dict[str, Tensor]] = DataLoader(
            self._patches,  # type: ignore[arg-type]
            batch_sampler=_Batches(self.fabric, self.job, len(self._patches), first),
            num_workers=self.job.workers,
            pin_memory=self.fabric.device.type == "cuda",
        )
        for batch in loader:
            yield self.fabric.to_device(batch)

    def measure_alpha(self) -> None:
        """Bring both terms of eq. 2 to one scale where the recipe asks for it."""
        if self.recipe.loss.kind != "sosr" or self.objective.alpha is not None:
            return
        seen = []
        for batch, _ in zip(
            self.batches(0), range(self.recipe.loss.auto_batches), strict=False
        ):
            with torch.no_grad():
                seen.append(torch.stack(list(self._parts(batch).values())))
        mean: Any = self.fabric.all_reduce(torch.stack(seen).mean(dim=0))
        terms = mean.tolist()
        self.objective.alpha = objectives.even_alpha(*terms)
        if self.fabric.is_global_zero:
            say(
                f"{self.job.name}: alpha {self.objective.alpha:.3g} brings wmse"
                f" {terms[0]:.3g} and perceptual {terms[1]:.3g} to one scale"
                f" (measured on {len(seen)} batches before the first step)"
            )

    def _parts(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        if self.recipe.loss.kind == "own":
            done = self.step / self.recipe.steps
            terms: dict[str, Tensor] = self.network(batch, done)
            return terms
        made = self.network(batch)
        with self.fabric.autocast():
            return self.objective.parts(made, batch)

    def update(self, batch: dict[str, Tensor]) -> None:
        """One step of Adam."""
        rate = self.recipe.rate(self.step)
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["times"]
        parts = self._parts(batch)
        loss, self.parts = self.objective.total(parts), list(parts)
        self.optimizer.zero_grad()
        self.fabric.backward(loss)
        if self.recipe.clip:
            self.fabric.clip_gradients(
                self.network, self.optimizer, max_norm=self.recipe.clip
            )
        self.optimizer.step()
        numbers = torch.tensor([self.step, rate, math.nan], device=loss.device)
        told = torch.stack([loss, *parts.values()]).detach().float()
        self._fresh.append(torch.cat([numbers.double(), told.double()]))
        self.step += 1
        if self.recipe.validates(self.step) and self.fabric.is_global_zero:
            self._fresh[-1][2] = self._validate()
        if time.monotonic() - self._saved > checkpoints.SECONDS_BETWEEN:
            self.save()

    def _validate(self) -> float:
        """PSNR of held-out patches, dB of luma; measures the interpolation's once."""
        made, interpolated = [], []
        self.plain.eval()
        for place in _spread(len(self._held), self.recipe.validation_patches):
            stored = self._held[place]
            one = {key: torch.from_numpy(each[None]) for key, each in stored.items()}
            batch = self.fabric.to_device(one)
            true = objectives.flat(batch["high"])
            with torch.no_grad():
                pictures = objectives.made_frames(self.plain, batch)
            made.append(psnr(pictures, true))
            if math.isnan(self.bicubic):
                bicubic = objectives.flat(batch["interpolated"])
                interpolated.append(psnr(bicubic, true))
        self.plain.train()
        if interpolated:
            self.bicubic = float(torch.cat(interpolated).mean())
        found = float(torch.cat(made).mean())
        steps.refuse_nan(self.job.name, [found], self.step - 1, "PSNR")
        say(
            f"train {self.job.name}: {self.step} steps, held-out PSNR {found:.2f}"
            f" dB (bicubic {self.bicubic:.2f} dB)"
        )
        return found

    def _flush(self) -> None:
        """Take new rows of the log off the device."""
        if self._fresh:
            fresh = torch.stack(self._fresh).cpu().numpy()
            steps.refuse_nan(self.job.name, fresh[:, 3], first=self.step - len(fresh))
            self.log = np.concatenate([self.log, fresh]) if len(self.log) else fresh
            self._fresh = []

    def save(self) -> None:
        """Keep all that the rest of the training, or its end, depends on."""
        if not self.fabric.is_global_zero:
            return
        self._flush()
        path = checkpoints.path_beside(self.job.out, self.job.about["id"])
        alpha = math.nan if self.objective.alpha is None else self.objective.alpha
        checkpoints.save(
            path,
            self.job.about,
            self.plain,
            self.optimizer,
            self.log,
            step=self.step,
            alpha=alpha,
            bicubic=self.bicubic,
            parts=self.parts,
        )
        self._saved = time.monotonic()

    def _resume(self) -> None:
        path = checkpoints.path_beside(self.job.out, self.job.about["id"])
        if not path.exists():
            return
        kind = checkpoints.CHECKPOINT
        with reader.open(path, kind, id=self.job.about["id"]) as file:
            self.plain.load_state_dict(checkpoints.load_state(file["state"]))
            checkpoints.load_optimizer(file["optimizer"], self.optimizer)
            self.step, self.log = int(file.attrs["step"]), file["log"][:]
            self.parts = list(file.attrs["parts"])
            alpha, self.bicubic = (float(file.attrs[k]) for k in ("alpha", "bicubic"))
            self.objective.alpha = None if math.isnan(alpha) else alpha
        if self.fabric.is_global_zero:
            say(f"resuming at step {self.step} from {path}")


def psnr(made_b3hw: Tensor, true_b3hw: Tensor) -> Tensor:
    """PSNR of luma of each picture (RGB 0..1, clipped first) less its border, in dB."""
    inner = (..., slice(BORDER, -BORDER), slice(BORDER, -BORDER))
    one = colour.luma(*made_b3hw.clamp(0, 1).unbind(1))[inner]
    other = colour.luma(*true_b3hw.unbind(1))[inner]
    error = (one - other).square().mean(dim=(1, 2))
    return -10 * torch.log10(error.clamp_min(1e-12))


def groups(network: nn.Module, recipe: Recipe) -> list[dict[str, Any]]:
    """Weights, and biases at their own rate."""
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
    """Places evenly over `count` items, `most` at the most."""
    return sorted({int(at) for at in np.linspace(0, count - 1, min(count, most))})
