"""Train one stream of a recogniser on original clips (TSN, Wang et al. 2016).

A clip is cut into segments, one snippet is drawn from each, the network's scores are
averaged over them before softmax. Order, crops and dropout are pure functions of seed,
epoch and clip, so a run that was killed resumes to the same weights.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from twinlens import provenance
from twinlens.artifacts import reader
from twinlens.artifacts.table import read_csv, write_csv
from twinlens.errors import ArtifactError
from twinlens.networks import artifact, schedule, trainer
from twinlens.networks.device import device
from twinlens.networks.trainer import Run, Trainer
from twinlens.progress import say
from twinlens.recognisers import STILLS
from twinlens.recognisers.tsn import (
    Recipe,
    RecogniserTraining,
    Sampling,
    channels,
    train_stacks,
)
from twinlens.recognition import backbones
from twinlens.recognition.shards import TEMPORAL, Snippets
from twinlens.recognition.views import network_input, train_crop

CACHE = 2 << 30
"""Bytes of images that are kept in memory, if all fit."""


def train(
    job: RecogniserTraining,
    frames: list[Path],
    flow: list[Path],
    classes: Path,
    starts: list[Path],
    out: Path,
    log: Path,
    threads: int = 1,
) -> None:
    """Train a stream's network.

    Args:
        job: what to train and how.
        frames: HDF5 "frames/1" of training clips, for the spatial stream.
        flow: HDF5 "flow/1" of these, for the temporal one.
        classes: csv of the data set's classes.
        starts: HDF5 "network/1" of an image network to start from, or nothing; the
            temporal stream takes the mean of its first filters (cross-modality
            initialisation), and all batch norms but the first stay frozen (partial
            batch norm).
        out: HDF5 "network/1".
        log: csv with step, loss, accuracy and learning rate.
        threads: CPU threads of torch; other numbers give other last digits.
    """
    images, init = frames or flow, next(iter(starts), None)
    about = artifact.about(
        "train",
        ["twinlens.recognition.train"],
        reader.ids(*images, classes, *starts),
        job,
        family="recogniser",
        network=job.network,
        kind=job.backbone,
        settings={
            "channels": channels(job.stream, job.sampling["stack"]),
            "classes": len(read_csv(classes, "classes/1")),
            "dropout": job.recipe.dropout,
            **job.recipe.settings,
        },
        dataset=job.dataset,
        stream=job.stream,
        threads=threads,
    )
    run = Run(
        name=job.network,
        about=about,
        out=out,
        seed=job.seed,
        threads=threads,
        # bfloat16 keeps the range of gradients: no scaler whose state must be kept.
        precision="bf16-mixed" if device().type == "cuda" else "32-true",
    )
    with _snippets(images, job) as snippets:
        if not snippets.rows:
            raise ArtifactError(
                f"{job.dataset}: no training clips; name published weights in the"
                " config, or a split with training clips"
            )
        make = partial(RecogniserTrainer, job=job, snippets=snippets, init=init)
        result = trainer.train(make, run)
    artifact.save(out, about, result.state)
    rows = result.log[["step", "loss", "accuracy", "lr"]]
    write_csv(log, "training/1", rows)
    run.checkpoint.unlink(missing_ok=True)
    _say_accuracy(job, rows)


def _snippets(images: list[Path], job: RecogniserTraining) -> Snippets:
    """Open the training clips of the originals.

    Raises:
        ArtifactError: there are none.
    """
    originals = {"dataset": job.dataset, "method": "hr", "part": "train"}
    return Snippets(images, job.stream, job.views, originals, CACHE)


def _say_accuracy(job: RecogniserTraining, rows: pd.DataFrame) -> None:
    """Say how the last tenth of a training went."""
    last = rows.tail(max(1, len(rows) // 10))
    say(
        f"train {job.network}: loss {last['loss'].mean():.3f}, accuracy on training"
        f" crops {100 * last['accuracy'].mean():.1f} %"
    )


class RecogniserTrainer(Trainer):
    """A stream's network under training."""

    def __init__(
        self,
        fabric: Fabric,
        run: Run,
        *,
        job: RecogniserTraining,
        snippets: Snippets,
        init: Path | None,
    ) -> None:
        """Take the open training clips; see `Trainer`."""
        self.job, self.recipe, self.init = job, job.recipe, init
        self.snippets, self.clip = snippets, job.recipe.clip
        super().__init__(fabric, run, job.recipe.steps)

    def build(self) -> nn.Module:
        """Build the backbone, with the weights of an image network if there is one."""
        about = self.run.about
        network = backbones.build(self.job.backbone, **about["settings"])
        if self.init is not None:
            _start_from(self.init, network, self.job.backbone)
            backbones.freeze_batch_norm(network)
        return network

    def build_optimizer(self) -> torch.optim.Optimizer:
        """Use SGD with momentum."""
        new_input = None
        if self.init is not None and self.job.stream == TEMPORAL:
            new_input = backbones.module(self.job.backbone).FIRST_CONV
        groups = parameter_groups(self.network, self.recipe, new_input)
        return torch.optim.SGD(groups, self.recipe.lr, self.recipe.momentum)

    def rate(self, step: int) -> float:
        """Look the rate up in the recipe."""
        return rate(self.recipe, step)

    def batches(self, first: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield inputs (batch, segments, C, crop, crop) and labels (batch,) by step."""
        rows, seed = self.snippets.rows, self.job.seed
        sampling = Sampling(**self.job.sampling)
        flow = self.job.stream == TEMPORAL
        for step in range(first, self.steps):
            chosen = []
            items = schedule.batch_items(step, self.recipe.batch, len(rows), seed)
            for epoch, item in items:
                rng = np.random.default_rng((seed, epoch, item))
                clip = rows[item]
                stacks = train_stacks(clip.frames, sampling, clip.name, seed)
                images = self.snippets.draw(clip.name, stacks, rng)
                crop = train_crop(images, self.job.views, flow, rng)
                chosen.append((network_input(crop, flow), clip.label))
            inputs = np.stack([each for each, _ in chosen])
            targets = np.array([label for _, label in chosen])
            yield torch.from_numpy(inputs), torch.from_numpy(targets)

    def loss(self, batch: Any) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Compute the cross-entropy of the consensus of each clip's segments."""
        inputs, labels = batch
        # Dropout's own seed, so that a resumed run drops the same units.
        torch.manual_seed(provenance.seed(self.job.seed, "dropout", self.step))
        scores = self.forward(inputs.flatten(0, 1)).float()
        consensus = scores.reshape(*inputs.shape[:2], -1).mean(dim=1)
        loss = nn.functional.cross_entropy(consensus, labels)
        correct = (consensus.argmax(dim=1) == labels).float().mean()
        return loss, {"accuracy": correct}


def _start_from(init: Path, network: nn.Module, backbone: str) -> None:
    """Take the weights of an image network, its classifier aside."""
    images = artifact.load(init, "recogniser", kind=backbone, dataset=STILLS)
    state, own = images.state_dict(), network.state_dict()
    first = f"{backbones.module(backbone).FIRST_CONV}.weight"
    if state[first].shape != own[first].shape:
        state = backbones.cross_modality(state, own[first].shape[1])
    backbones.load(network, backbones.without_classifier(state))


def rate(recipe: Recipe, step: int) -> float:
    """Compute the learning rate of a step."""
    fall = recipe.schedule, recipe.milestones
    return schedule.rate(step, recipe.steps, recipe.lr, *fall)


def parameter_groups(
    network: nn.Module, recipe: Recipe, first_conv: str | None
) -> list[dict[str, Any]]:
    """Group parameters by learning rate: biases twice, without decay, as in TSN.

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
