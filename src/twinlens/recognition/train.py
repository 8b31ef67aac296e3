"""Train one stream of a recogniser on original clips (TSN, Wang et al. 2016).

A clip is cut into segments, one snippet is drawn from each, the network's scores are
averaged over them before softmax. Order, crops and dropout are pure functions of seed,
epoch and clip, so a run that was killed goes on to the same weights.
"""

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from twinlens import checkpoints, provenance, steps
from twinlens.artifacts import reader, writer
from twinlens.artifacts.table import read_csv, write_csv
from twinlens.errors import ArtifactError
from twinlens.progress import say, track
from twinlens.protocol import Protocol
from twinlens.recognition import backbones, networks
from twinlens.recognition.shards import TEMPORAL, Snippets
from twinlens.recognition.views import Views, network_input, train_crop


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe:
    """How a stream is trained; the config's `recogniser.training.<stream>`, typed."""

    steps: int
    """Optimiser steps."""
    lr: float
    """Initial learning rate of SGD."""
    batch: int = 128
    """Clips a step."""
    milestones: tuple[float, ...] = ()
    """Parts of `steps` after which the learning rate is divided by 10."""
    schedule: str = "steps"
    """"steps" by `milestones`, or "cosine" down to zero."""
    momentum: float = 0.9
    weight_decay: float = 5e-4
    """Of weights; biases have none and twice the learning rate, as in TSN's nets."""
    clip: float = 40.0
    """Largest norm of all gradients together."""
    dropout: float = 0.8
    settings: dict[str, Any] = field(default_factory=dict)
    """Further arguments of the backbone's `build`."""

    def __post_init__(self) -> None:
        """Refuse a training that would not train."""
        if self.steps < 1 or self.batch < 1 or self.schedule not in {"steps", "cosine"}:
            raise ValueError(f"a recipe needs steps, batch and a schedule: {self}")

    def rate(self, step: int) -> float:
        """The learning rate of a step."""
        return steps.rate(step, self.steps, self.lr, self.schedule, self.milestones)


def train(
    images: list[Path],
    reports: list[Path],
    classes: Path,
    dataset: str,
    stream: str,
    backbone: str,
    recipe: Recipe,
    protocol: Protocol,
    views: Views,
    out: Path,
    log: Path,
    init: Path | None = None,
    seed: int = 0,
    threads: int = 1,
) -> None:
    """Train a stream's network.

    Args:
        images: training shards: HDF5 "frames/1" (spatial) or "flow/1" (temporal).
        reports: csv of each shard's clips.
        classes: csv of the data set's classes.
        dataset: its name.
        stream: "spatial" or "temporal".
        backbone: a file of `twinlens.recognition.backbones`.
        recipe: how to train.
        protocol: how clips are sampled.
        views: how frames become inputs.
        out: HDF5 "weights/1".
        log: csv with step, loss, accuracy and learning rate.
        init: "weights/1" of an image network to start from; the temporal stream takes
            the mean of its first filters (cross-modality initialisation), and all batch
            norms but the first stay frozen (partial batch norm).
        seed: decides initial weights, order, crops and dropout.
        threads: CPU threads of torch; other numbers give other last digits.
    """
    checkpoints.repeatable(threads)
    names = read_csv(classes, "classes/1")["class"]
    about = provenance.about(
        "train",
        ["twinlens.recognition.train", f"twinlens.recognition.backbones.{backbone}"],
        reader.ids(*images, *reports, classes, *([init] if init else [])),
        dataset=dataset,
        stream=stream,
        backbone=backbone,
        recipe=asdict(recipe),
        protocol=protocol.settings(),
        views=asdict(views),
        seed=seed,
        threads=threads,
        channels=networks.channels(stream, protocol.stack),
        classes=len(names),
        settings={"dropout": recipe.dropout, **recipe.settings},
        trained=True,
    )
    run = _Run(about, recipe, stream, init, out)
    originals = {"dataset": dataset, "method": "hr", "part": "train"}
    with Snippets(
        images, reports, stream, protocol, views, seed, originals, 2 << 30
    ) as snippets:
        if snippets.rows.empty:
            raise ArtifactError(
                f"{dataset}: no training clips; give the recogniser weights in the"
                " config, or a split with training clips"
            )
        batches = _batches(snippets, recipe, seed, run.step)
        label = f"train {dataset} {stream}"
        for batch, labels in track(batches, label, "steps", recipe.steps - run.step):
            run.update(batch, labels)
    with writer.create(out, networks.WEIGHTS, about) as file:
        checkpoints.save_state(file.create_group("state"), run.network.state_dict())
    rows = pd.DataFrame(run.log, columns=["step", "loss", "accuracy", "lr"])
    write_csv(log, "training/1", rows)
    run.checkpoint.unlink(missing_ok=True)
    last = rows.tail(max(1, len(rows) // 10))
    say(
        f"{label}: loss {last['loss'].mean():.3f}, accuracy on training crops"
        f" {100 * last['accuracy'].mean():.1f} %"
    )


def _batches(
    snippets: Snippets, recipe: Recipe, seed: int, start: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """Inputs (batch, segments, C, crop, crop), labels (batch,) of each step."""
    rows = snippets.rows
    clips, frames, labels = (
        rows[key].to_numpy() for key in ("clip", "frames", "label")
    )
    flow = snippets.stream == TEMPORAL
    for step in range(start, recipe.steps):
        chosen = []
        for epoch, item in steps.draw(step, recipe.batch, len(rows), seed):
            rng = np.random.default_rng((seed, epoch, item))
            images = snippets.train(clips[item], int(frames[item]), rng)
            crop = train_crop(images, snippets.views, flow, rng)
            chosen.append((network_input(crop, flow), labels[item]))
        inputs = np.stack([each for each, _ in chosen])
        targets = np.array([label for _, label in chosen])
        yield torch.from_numpy(inputs), torch.from_numpy(targets)


class _Run:
    """A network under training: it resumes from a checkpoint of the same job."""

    def __init__(
        self,
        about: dict[str, Any],
        recipe: Recipe,
        stream: str,
        init: Path | None,
        out: Path,
    ) -> None:
        self.about, self.recipe = about, recipe
        self.device = checkpoints.device()
        self.checkpoint = checkpoints.path_beside(out, about["id"])
        torch.manual_seed(about["seed"])
        network = backbones.build(about["backbone"], **networks.build_settings(about))
        new_input = None
        if init is not None:
            _start_from(init, network, about)
            backbones.freeze_batch_norm(network)
            if stream == TEMPORAL:
                new_input = backbones.module(about["backbone"]).FIRST_CONV
        self.network = network.to(self.device).train()
        self.optimizer = torch.optim.SGD(
            _groups(self.network, recipe, new_input),
            lr=recipe.lr,
            momentum=recipe.momentum,
        )
        self.step = 0
        self.log: list[tuple[int, float, float, float]] = []
        self._resume()
        self._saved = time.monotonic()

    def update(self, batch: Tensor, labels: Tensor) -> None:
        """One step of SGD on the consensus of each clip's segments."""
        rate = self.recipe.rate(self.step)
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["times"]
        # Dropout's own seed, so that a resumed run drops the same units.
        torch.manual_seed(provenance.seed(self.about["seed"], "dropout", self.step))
        batch, labels = batch.to(self.device), labels.to(self.device)
        # bfloat16 keeps the range of gradients: no scaler whose state must be kept.
        gpu = self.device.type == "cuda"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=gpu):
            scores = self.network(batch.flatten(0, 1)).float()
        consensus = scores.reshape(*batch.shape[:2], -1).mean(dim=1)
        loss = nn.functional.cross_entropy(consensus, labels)
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), self.recipe.clip)
        self.optimizer.step()
        right = (consensus.argmax(dim=1) == labels).float().mean()
        steps.refuse_nan("recogniser", [loss.item()], self.step)
        self.log.append((self.step, loss.item(), right.item(), rate))
        self.step += 1
        if time.monotonic() - self._saved > checkpoints.SECONDS_BETWEEN:
            self._save()

    def _save(self) -> None:
        log = np.array(self.log, dtype=np.float64)
        parts = self.network, self.optimizer, log
        checkpoints.save(self.checkpoint, self.about, *parts, step=self.step)
        self._saved = time.monotonic()

    def _resume(self) -> None:
        if not self.checkpoint.exists():
            return
        with reader.open(
            self.checkpoint, checkpoints.CHECKPOINT, id=self.about["id"]
        ) as file:
            self.network.load_state_dict(checkpoints.load_state(file["state"]))
            checkpoints.load_optimizer(file["optimizer"], self.optimizer)
            self.step = int(file.attrs["step"])
            self.log = [
                (int(step), loss, right, rate)
                for step, loss, right, rate in file["log"][:]
            ]
        say(f"resuming at step {self.step} from {self.checkpoint}")


def _start_from(init: Path, network: nn.Module, about: dict[str, Any]) -> None:
    """Take the weights of an image network, its classifier aside."""
    with reader.open(init, networks.WEIGHTS, dataset="images") as file:
        state = checkpoints.load_state(file["state"])
    module = backbones.module(about["backbone"])
    if about["channels"] != state[f"{module.FIRST_CONV}.weight"].shape[1]:
        state = backbones.cross_modality(state, about["channels"])
    own = network.state_dict()
    state = {key: each for key, each in state.items() if each.shape == own[key].shape}
    backbones.load(network, state)


def _groups(
    network: nn.Module, recipe: Recipe, first_conv: str | None
) -> list[dict[str, Any]]:
    """Parameters by learning rate: biases twice and without decay, as TSN's nets say.

    `first_conv` learns five times as fast: that of a flow network which starts from an
    image network's (TSN's prototxt: 5 and 10).
    """
    first = {f"{first_conv}.{kind}" for kind in ("weight", "bias") if first_conv}
    groups: dict[tuple[float, float], list[Tensor]] = {}
    for name, parameter in network.named_parameters():
        if not parameter.requires_grad:
            continue
        bias = name.endswith(".bias")
        times = (2.0 if bias else 1.0) * (5.0 if name in first else 1.0)
        decay = 0.0 if bias else recipe.weight_decay
        groups.setdefault((times, decay), []).append(parameter)
    return [
        {"params": parameters, "times": times, "weight_decay": decay}
        for (times, decay), parameters in groups.items()
    ]
