"""Train ST-ResNet's four networks on original clips, in the order of its release.

A base network of each stream sees single frames and single stacks; both are then
joined, with motion injected and convolutions over time, and trained on snippets of
frames (stage 1); at last maps are pooled over time (stage 2). Order, crops and dropout
are pure functions of seed, epoch and clip, so that a run that was killed resumes to the
same weights.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from twinlens.artifacts import reader
from twinlens.artifacts.table import read_csv
from twinlens.errors import ArtifactError
from twinlens.networks import artifact, families, schedule
from twinlens.networks.trainer import Run
from twinlens.recognisers import STILLS
from twinlens.recognisers.st_resnet import (
    BASE,
    Training,
    architecture,
    snippets,
    stacks,
)
from twinlens.recognition import backbones, training
from twinlens.recognition.backbones.resnet import MEAN_RGB
from twinlens.recognition.shards import CACHE, SPATIAL, TEMPORAL, Snippets
from twinlens.recognition.st_resnet.inputs import Snippet, network_input, train_crop
from twinlens.recognition.two_stream.st_resnet import from_streams


def train(
    job: Training,
    frames: list[Path],
    flow: list[Path],
    classes: Path,
    starts: list[Path],
    out: Path,
    log: Path,
    threads: int = 1,
) -> None:
    """Train one of the four networks.

    Args:
        job: what to train and how.
        frames: HDF5 "frames/1" of training clips, unless it is the motion network.
        flow: HDF5 "flow/1" of these, unless it is the appearance network.
        classes: csv of the data set's classes.
        starts: HDF5 "network/1": of a base network the image network or nothing, of
            stage 1 the appearance and the motion network, of stage 2 that of stage 1.
        out: HDF5 "network/1".
        log: csv with step, loss, accuracy and learning rate.
        threads: CPU threads of torch; other numbers give other last digits.
    """
    family, kind, own = architecture(job.stage, job.stack)
    about = artifact.about(
        "train",
        ["twinlens.recognition.st_resnet.train"],
        reader.ids(*frames, *flow, classes, *starts),
        job,
        family=family,
        network=job.network,
        kind=kind,
        settings=_settings(job, own, len(read_csv(classes, "classes/1")), starts),
        dataset=job.dataset,
        stream=job.stage,
        threads=threads,
    )
    with ExitStack() as stack:
        clips = _Clips(stack, {SPATIAL: frames, TEMPORAL: flow}, job)
        make = partial(StTrainer, job=job, clips=clips, starts=starts)
        training.train(make, about, out, log, job.recipe, job.seed, threads)


def _settings(
    job: Training, own: dict[str, Any], classes: int, starts: list[Path]
) -> dict[str, Any]:
    """The arguments of the network's `build`; the mean is that of where it starts."""
    mean = artifact.settings(starts[0], "mean") if starts else {}
    return {
        **own,
        **(mean if job.stage != "motion" else {}),
        "classes": classes,
        "width": job.size.width,
        "blocks": list(job.size.blocks),
        "dropout": job.recipe.dropout,
    }


class _Clips:
    """Training clips of originals, with what a network reads of them."""

    def __init__(
        self, stack: ExitStack, files: Mapping[str, list[Path]], job: Training
    ) -> None:
        """Open the shards of frames, flow or both.

        Raises:
            ArtifactError: there are no training clips.
        """
        self.job = job
        originals = training.originals(job.dataset)
        self.streams = {
            stream: stack.enter_context(
                Snippets(paths, stream, job.views, originals, CACHE)
            )
            for stream, paths in files.items()
            if paths
        }
        self.rows = next(iter(self.streams.values())).rows
        if not self.rows:
            raise training.no_clips(job.dataset)

    def draw(self, item: int, rng: np.random.Generator) -> Snippet:
        """Draw a crop of a snippet of a clip; of base networks, of one frame."""
        row, job = self.rows[item], self.job
        kept = snippets(row.frames, job.clips, job.stack, row.name, job.seed)
        frames = kept[rng.integers(len(kept))]
        if job.stage in BASE:
            frames = frames[rng.integers(len(frames), size=1)]
        wanted = {
            SPATIAL: frames[:, None],
            TEMPORAL: stacks(frames, row.frames, job.stack),
        }
        read = {
            stream: clips.at(row.name, wanted[stream])
            for stream, clips in self.streams.items()
        }
        return train_crop(read, job.views, rng)


class StTrainer(training.SgdTrainer):
    """One of the four networks under training."""

    def __init__(
        self,
        fabric: Fabric,
        run: Run,
        *,
        job: Training,
        clips: _Clips,
        starts: list[Path],
    ) -> None:
        """Take the open training clips; see `Trainer`."""
        self.job, self.clips, self.starts = job, clips, starts
        self.mean = run.about["settings"].get("mean", MEAN_RGB)
        super().__init__(fabric, run, job.recipe, job.seed)

    def build(self) -> nn.Module:
        """Build the network, with the weights of those that it starts from."""
        about = self.run.about
        network = families.build(about["family"], about["kind"], **about["settings"])
        if self.starts:
            self._start(network)
        # A third faster on a processor.
        return network.to(memory_format=torch.channels_last)  # type: ignore

    def _start(self, network: nn.Module) -> None:
        """Take the weights that the training starts from.

        Raises:
            ArtifactError: they are of a network of another size.
        """
        try:
            backbones.load(network, self._first_weights(network))
        except ValueError as error:
            names = ", ".join(map(str, self.starts))
            raise ArtifactError(
                f"{names}: of another size than the config's `size` says: {error}"
            ) from error

    def _first_weights(self, network: nn.Module) -> dict[str, Tensor]:
        dataset = self.job.dataset
        if self.job.stage in BASE:
            return backbones.from_images(self.starts[0], network, "resnet", STILLS)
        if self.job.stage == "stage2":
            (path,) = self.starts
            before = artifact.load(path, "two_stream", dataset=dataset, stream="stage1")
            return before.state_dict()
        streams = zip((SPATIAL, TEMPORAL), BASE, self.starts, strict=True)
        return from_streams(
            {
                stream: artifact.load(
                    path, "recogniser", kind="resnet", dataset=dataset, stream=stage
                ).state_dict()
                for stream, stage, path in streams
            }
        )

    def group_settings(self) -> dict[str, Any]:
        """Let normalisations learn as MatConvNet's do."""
        return {"norms": (2.0, 1.0)}

    def batches(self, first: int) -> Iterator[tuple[list[Tensor], Tensor]]:
        """Yield inputs (batch, T, C, crop, crop) of each stream and labels (batch,)."""
        rows, seed = self.clips.rows, self.job.seed
        for step in range(first, self.steps):
            items = schedule.batch_items(step, self.recipe.batch, len(rows), seed)
            drawn = [
                self.clips.draw(item, np.random.default_rng((seed, epoch, item)))
                for epoch, item in items
            ]
            inputs = [
                network_input(
                    np.stack([each[stream] for each in drawn]), stream, self.mean
                )
                for stream in self.clips.streams
            ]
            targets = np.array([rows[item].label for _, item in items])
            yield inputs, torch.from_numpy(targets)

    def loss(self, batch: Any) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Compute the cross-entropy, summed over frames or windows and heads."""
        inputs, labels = batch
        self.seed_dropout()
        if self.job.stage in BASE:
            scores = [self.forward(inputs[0].flatten(0, 1))[:, None]]
        else:
            scores = list(self.forward(*inputs).values())
        losses = [_cross_entropy(each.float(), labels) for each in scores]
        fused = torch.stack([each.float().mean(dim=1) for each in scores]).sum(dim=0)
        correct = (fused.argmax(dim=1) == labels).float().mean()
        return torch.stack(losses).sum(), {"accuracy": correct}


def _cross_entropy(scores_btk: Tensor, labels_b: Tensor) -> Tensor:
    """Sum the cross-entropy over a clip's frames, average it over clips.

    So does the release, whose loss layer repeats the label for each frame and whose
    gradients are divided by the number of clips.
    """
    labels = labels_b[:, None].expand(scores_btk.shape[:2])
    scores = scores_btk.flatten(0, 1)
    total = nn.functional.cross_entropy(scores, labels.flatten(), reduction="sum")
    return total / len(labels_b)
