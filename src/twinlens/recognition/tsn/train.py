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
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from twinlens.artifacts import reader
from twinlens.artifacts.table import read_csv
from twinlens.networks import artifact, schedule
from twinlens.networks.trainer import Run
from twinlens.recognisers import STILLS
from twinlens.recognisers.tsn import (
    RecogniserTraining,
    Sampling,
    channels,
    train_stacks,
)
from twinlens.recognition import backbones, training
from twinlens.recognition.shards import CACHE, TEMPORAL, Snippets
from twinlens.recognition.tsn.views import network_input, train_crop


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
        ["twinlens.recognition.tsn.train"],
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
    with Snippets(
        images, job.stream, job.views, training.originals(job.dataset), CACHE
    ) as snippets:
        if not snippets.rows:
            raise training.no_clips(job.dataset)
        make = partial(RecogniserTrainer, job=job, snippets=snippets, init=init)
        training.train(make, about, out, log, job.recipe, job.seed, threads)


class RecogniserTrainer(training.SgdTrainer):
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
        self.job, self.init, self.snippets = job, init, snippets
        super().__init__(fabric, run, job.recipe, job.seed)

    def build(self) -> nn.Module:
        """Build the backbone, with the weights of an image network if there is one."""
        about = self.run.about
        network = backbones.build(self.job.backbone, **about["settings"])
        if self.init is not None:
            found = backbones.from_images(self.init, network, self.job.backbone, STILLS)
            backbones.load(network, found)
            backbones.freeze_batch_norm(network)
        return network

    def group_settings(self) -> dict[str, Any]:
        """Of a network that starts from images: TSN's multipliers of learning rates."""
        if self.init is None:
            return {}
        found: dict[str, Any] = {"norms": (1.0, 1.0)}
        if self.job.stream == TEMPORAL:
            found["first_conv"] = backbones.module(self.job.backbone).FIRST_CONV
        return found

    def batches(self, first: int) -> Iterator[tuple[list[Tensor], Tensor]]:
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
            yield [torch.from_numpy(inputs)], torch.from_numpy(targets)

    def loss(self, batch: Any) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Compute the cross-entropy of the consensus of each clip's segments."""
        (inputs,), labels = batch
        self.seed_dropout()
        scores = self.forward(inputs.flatten(0, 1)).float()
        consensus = scores.reshape(*inputs.shape[:2], -1).mean(dim=1)
        loss = nn.functional.cross_entropy(consensus, labels)
        correct = (consensus.argmax(dim=1) == labels).float().mean()
        return loss, {"accuracy": correct}
