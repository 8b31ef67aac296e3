"""How much work a job is, in a unit of its stage, such as megapixels or steps.

Rates hold for jobs of one `Class`: of a stage, and of what does the work there.
"""

import math
from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple

import numpy as np

from twinlens import models
from twinlens.dry_run import Job
from twinlens.forecast.sizes import Size, Sizes
from twinlens.plan import Plan
from twinlens.plan.methods import HR
from twinlens.recognition.shards import CACHE

OF_RECOGNISER = ("recogniser", "dataset", "key")
"""Wildcards that name a network of a recogniser."""
VALIDATION = 1 / 3
"""Work on a held-out patch, of that on one that is learnt from."""


class Class(NamedTuple):
    """Jobs that do the same work, on more or less."""

    stage: str
    of: str
    """A method, a network, an estimator, a row by a recogniser; or ""."""

    def __str__(self) -> str:
        """As rates name it."""
        return f"{self.stage} {self.of}".strip()


class Work:
    """The work of the jobs of a world."""

    def __init__(self, plan: Plan) -> None:
        """Take the plan of the world."""
        self.plan, self.sizes = plan, Sizes(plan)

    def of(self, job: Job) -> tuple[Class, float]:
        """The class of a job and its units; 1 where all of a class are alike."""
        wildcards = job.wildcards
        found = self.stages.get(job.rule)
        if found is None:
            return Class(job.rule, ""), 1.0
        of, units = found
        return Class(job.rule, of(wildcards)), units(wildcards)

    def kept(self, job: Job) -> float:
        """MB of images that a job keeps in memory: a recogniser's training all of its.

        A miniature has few of them; what else a job takes is the same there.
        """
        if job.rule != "train_recogniser":
            return 0.0
        w = job.wildcards
        network = self.plan.networks.of_recogniser(w["recogniser"], w["dataset"])
        streams = [self._images(w, each) for each in network[w["key"]].inputs]
        return sum(each for each in streams if each <= CACHE) / 1e6

    @cached_property
    def stages(self) -> dict[str, tuple[Callable[..., str], Callable[..., float]]]:
        """By rule: what does the work, and how much; rules of short jobs are none."""
        return {
            "generate": (_nothing, self._generated),
            "frames": (_nothing, self._decoded),
            "degrade": (_nothing, self._stored),
            "super_resolve": (lambda w: w["method"], self._enlarged),
            "flow": (lambda w: w["recogniser"], self._flow),
            "motion": (lambda w: w["flow"], self._pairs),
            "patches": (lambda w: w["patches"], self._patch_pairs),
            "count_patches": (_nothing, self._counted),
            "quality": (_nothing, self._measured),
            "score": (lambda w: f"{w['row']} by {w['recogniser']}", self._clips),
            "explorer_media": (_nothing, self._shown),
            "train_sr": (lambda w: w["network"], self._sr_steps),
            "train_recogniser": (
                lambda w: f"{w['recogniser']} {w['key']}",
                self._recogniser_steps,
            ),
            "train_flow": (lambda w: w["flow"], self._flow_steps),
            "train_perceptual": (_nothing, self._perceptual_steps),
        }

    # --- clips

    def _size(self, wildcards: dict[str, str], part: str | None = None) -> Size:
        """The clips of a shard."""
        dataset = wildcards["dataset"]
        part = part or wildcards["part"]
        size = self.sizes.of(dataset, part)
        shards = self.plan.data.shard_count(dataset, part)
        return size._replace(clips=-(-size.clips // shards))

    def _generated(self, wildcards: dict[str, str]) -> float:
        dataset = wildcards["dataset"]
        entry = self.plan.world.datasets[dataset]
        parts = ("corpus",) if entry.kind == "corpus" else ("train", "test")
        sizes = [self.sizes.of(dataset, part) for part in parts]
        return sum(each.clips * each.frames * each.pixels for each in sizes)

    def _decoded(self, wildcards: dict[str, str]) -> float:
        size = self._size(wildcards)
        return size.clips * size.frames * size.pixels

    def _stored(self, wildcards: dict[str, str]) -> float:
        """Frames that are stored for a reader, with their neighbours."""
        w, size = wildcards, self._size(wildcards)
        reading = self.plan.shards.reading(w["reader"], w["dataset"], HR, w["part"])
        around = int(w["around"].removeprefix("-near") or 0)
        near = reading.frames(size.frames, "")[:, None] + np.arange(-around, around + 1)
        count = len(np.unique(near.clip(0, size.frames - 1)))
        return size.clips * count * size.pixels

    def _enlarged(self, wildcards: dict[str, str]) -> float:
        w, size = wildcards, self._size(wildcards)
        network = self.plan.methods.network(w["method"])
        if models.frames(network.model) == models.WHOLE_CLIP:
            count = size.frames
        else:
            of = w["reader"], w["dataset"], w["method"], w["part"]
            count = len(self.plan.shards.reading(*of).frames(size.frames, ""))
        return size.clips * count * size.pixels

    def _flow(self, wildcards: dict[str, str]) -> float:
        w, size = wildcards, self._size(wildcards)
        of = w["recogniser"], w["dataset"], w["method"], w["part"]
        job = self.plan.shards.flow_job(*of)
        width, height = job.form.size or (size.width, size.height)
        count = len(job.flows(size.frames, ""))
        return size.clips * count * width * height / 1e6

    def _pairs(self, wildcards: dict[str, str]) -> float:
        w, size = wildcards, self._size(wildcards)
        job = self.plan.shards.motion_job(w["dataset"], w["flow"], w["gap"], w["part"])
        return size.clips * min(job.pairs, size.frames - 1) * size.pixels

    def _patch_pairs(self, wildcards: dict[str, str]) -> float:
        entry = self.plan.world.patches[wildcards["patches"]]
        size = self._size({"dataset": entry.corpus, "part": "corpus"})
        pairs = self.plan.world.datasets[entry.corpus].pairs
        return size.clips * min(pairs, size.frames - 1) * size.pixels

    def _counted(self, wildcards: dict[str, str]) -> float:
        corpus = self.plan.world.patches[wildcards["patches"]].corpus
        shards = self.plan.data.shard_count(corpus, "corpus")
        return self._patch_pairs(wildcards) * shards

    def _measured(self, wildcards: dict[str, str]) -> float:
        w, size = wildcards, self._size(wildcards)
        first = self.plan.shards.recognisers[0]
        reading = self.plan.shards.reading(first, w["dataset"], w["method"], w["part"])
        count = len(reading.frames(size.frames, ""))
        return size.clips * count * size.pixels

    def _clips(self, wildcards: dict[str, str]) -> float:
        return float(self._size(wildcards).clips)

    def _shown(self, wildcards: dict[str, str]) -> float:
        """Pictures of the explorer: some clips of each class, by every method."""
        world, size = self.plan.world, self._size(wildcards, "test")
        shards = self.plan.data.shard_count(wildcards["dataset"], "test")
        most = world.explorer.clips * self.sizes.classes(wildcards["dataset"])
        clips = min(size.clips, most / shards)
        frames = min(size.frames, world.explorer.frames)
        return clips * frames * size.pixels * len(world.select.methods)

    # --- trainings

    def _sr_steps(self, wildcards: dict[str, str]) -> float:
        recipe = self.plan.methods.network(wildcards["network"]).recipe
        held_out = recipe.validations * recipe.validation_patches
        return recipe.steps * recipe.batch + VALIDATION * held_out

    def _recogniser_steps(self, wildcards: dict[str, str]) -> float:
        w = wildcards
        job = self.plan.networks.recogniser_job(w["recogniser"], w["dataset"], w["key"])
        return float(job.recipe.steps)

    def _images(self, wildcards: dict[str, str], kind: str) -> float:
        """Bytes of the frames, or of their flow, that a recogniser is trained on."""
        recogniser, dataset, key = (wildcards[each] for each in OF_RECOGNISER)
        clips, frames, *sides = self.sizes.of(dataset, "train")
        shards, size = self.plan.shards, tuple(sides)
        if kind == "frames":
            readers = shards.readers(dataset, "train", recogniser)
            files = [shards.reading(each, dataset, HR, "train") for each in readers]
            planes = 3 * sum(len(each.frames(frames, "")) for each in files)
        else:
            holders = shards.flow_holders(recogniser, dataset, HR, "train")
            jobs = [shards.flow_job(each, dataset, HR, "train") for each in holders]
            planes = 2 * sum(len(each.flows(frames, "")) for each in jobs)
            size = jobs[0].form.size or size
        views = self.plan.networks.recogniser_job(recogniser, dataset, key).views
        return clips * planes * math.prod(views.size or size)

    def _flow_steps(self, wildcards: dict[str, str]) -> float:
        return float(self.plan.networks.flow_training(wildcards["flow"]).recipe.total)

    def _perceptual_steps(self, wildcards: dict[str, str]) -> float:
        return float(self.plan.networks.perceptual_training().recipe.steps)


def _nothing(wildcards: dict[str, str]) -> str:
    return ""
