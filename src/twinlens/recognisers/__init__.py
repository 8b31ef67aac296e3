"""Recognisers, one file each: the file's name is the `kind` of the config's entry.

A file imports neither PyTorch nor OpenCV at its top, since the workflow reads it to
plan its jobs. It has::

    Settings    pydantic dataclass of the config's entry under `recognisers`, with the
                fields `kind`, `label`, `table` (of all methods' accuracies), `flow`,
                `fusion` (a weight for each head) and whatever else it needs
    HEADS       what is scored, by name: `Head`s. Where heads read both frames and flow,
                a row that takes frames of one method and flow of another is scored as
                a job of its own; else it is composed from the scores of the two.
    PAPER       optional: the recogniser of the paper that it is, "TSN" or "ST-ResNet",
                beside whose printed numbers ours are shown
    FUSION      optional: what an accuracy of all heads fused counts, see `Head.metric`
    sampling(settings, part)
                what of the settings decides which frames of "train" or "test" clips are
                read, as a mapping
    read(sampling, total, part, clip, seed)
                those frames and flows: `Reads`
    flow_form(settings)
                how flow is stored for it: `FlowForm`
    networks(settings, name, dataset, seed)
                its networks on a data set, by name: `Network`s; `name` is the entry's
    scoring(settings)
                what of the settings decides the scores, as a mapping
    faults(settings, datasets, selected)
                optional: lines on what is wrong with the settings in this world
    TRAIN       "module:function" below `twinlens`, imported by the job that trains:
                function(job, frames, flow, classes, starts, out, log, threads), where
                `job` is annotated with the class of `Network.job`
    SCORE       the same of the job that scores clips: function(scoring, networks,
                dataset, threads), of the networks' files by name; it gives a function
                (frames, flow, reads) of a clip's shards (`artifacts.reader.JoinedClip`,
                or None) that gives float32 (n, classes) by head, before softmax; the
                mean over n is the clip's score

All indices count from 0 in the decoded clip. Flow `i` goes from frame `i` to `i + 1`.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, replace
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from pydantic.dataclasses import dataclass

from twinlens.named import Package, nearest
from twinlens.settings import STRICT, Pixels, Rate

OFFICIAL = ("ucf101", "hmdb51")
"""Kinds of data sets that have official splits."""
PACKAGE = Package("recognisers", "recogniser")
names, module = PACKAGE.names, PACKAGE.module
INPUTS = ("frames", "flow")
"""What a head may read."""
STILLS = "still images"
"""The data set of a shared network; no data set of a config has a blank in it."""
CLASSES, CLIPS, VIEWS = "classes", "clips", "views"
Indices = NDArray[np.int64]


class Reads(NamedTuple):
    """What a recogniser reads of a clip; repeats are allowed."""

    frames: Indices
    """(snippets,), or any other shape."""
    flows: Indices
    """(..., stack), the flows of each snippet."""


class Head(NamedTuple):
    """Something that a recogniser scores clips by."""

    inputs: tuple[str, ...]
    """What it reads: "frames", "flow" or both."""
    networks: tuple[str, ...]
    """The networks that it takes, by their names in `networks`."""
    metric: str = CLASSES
    """What its accuracy counts: the mean of `CLASSES`, all `CLIPS`, or each of a clip's
    `VIEWS`, the rows of its scores, on its own."""


class Network(NamedTuple):
    """A network of a recogniser."""

    kind: str
    """Its file in its family."""
    settings: dict[str, Any]
    """Arguments of `build` that published weights don't say."""
    inputs: tuple[str, ...]
    """What of training clips it is trained on: "frames", "flow" or both."""
    job: Any
    """How it is trained, a dataclass; None where it must be published."""
    weights: str | None = None
    """A file of published weights, used instead of training."""
    starts: tuple[str, ...] = ()
    """The networks whose weights its training starts from."""
    shared: bool = False
    """Whether it is the same for all data sets, such as an image network."""
    family: str = "recogniser"
    """A family of `twinlens.networks`: "recogniser" or "two_stream"."""


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class FlowForm:
    """How the flow of frames is stored for a recogniser."""

    flow: str
    """The entry of `flows` that computes it."""
    bound: Rate = 20.0
    """Pixels at the ends of the 8-bit range."""
    size: tuple[int, int] | None = None
    """Width and height that frames are resized to first; None leaves them."""


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Recoding:
    """How frames are brought to the form that a recogniser's own extraction stores."""

    size: tuple[Pixels, Pixels] | None = None
    """Width and height that frames are brought to first (TSN: 340, 256)."""
    jpeg: Annotated[int, Field(ge=1, le=100)] | None = None
    """JPEG quality that RGB and 8-bit flow pass through (TSN's files: 95)."""


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Sampler:
    """A recogniser's choice of frames."""

    kind: str
    """Its file."""
    sampling: dict[str, Any]
    """As its `sampling` gives it for the part of the clips."""
    part: str
    """"train" or "test"."""
    inputs: tuple[str, ...] = INPUTS
    """What it reads of these clips, "frames" or their "flow"."""
    seed: int = 0
    """Draws the positions in training clips."""

    @property
    def module(self) -> str:
        """Its module, for the digest of code."""
        return PACKAGE.dotted_name(self.kind)

    def reads(self, total: int, clip: str) -> Reads:
        """The frames and flows that it reads of a clip of `total` frames."""
        found: Reads = module(self.kind).read(
            self.sampling, total, self.part, clip, self.seed
        )
        return found

    def flows(self, total: int, clip: str) -> Indices:
        """The flows that it reads, ascending, each once."""
        return np.unique(self.reads(total, clip).flows)

    def frames(self, total: int, clip: str) -> Indices:
        """The frames that it or its flow is computed from, ascending, each once."""
        reads, found = self.reads(total, clip), [_NONE]
        if "frames" in self.inputs:
            found.append(reads.frames.ravel())
        if "flow" in self.inputs:
            found += [reads.flows.ravel(), reads.flows.ravel() + 1]
        return np.unique(np.concatenate(found))


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Reading:
    """The frames of a clip that an artifact stores."""

    samplers: tuple[Sampler, ...] = ()
    """The recognisers that read it; none: all frames are stored."""
    excluded: tuple[Sampler, ...] = ()
    """Recognisers whose frames are stored elsewhere, and not here once more."""

    @property
    def modules(self) -> list[str]:
        """The modules that choose them, for the digest of code."""
        return sorted({each.module for each in [*self.samplers, *self.excluded]})

    def frames(self, total: int, clip: str) -> Indices:
        """The frames to store, ascending, each once.

        Args:
            total: frames of the clip.
            clip: its name.
        """
        if not self.samplers:
            return np.arange(total)
        own = [each.frames(total, clip) for each in self.samplers]
        elsewhere = [each.frames(total, clip) for each in self.excluded]
        return np.setdiff1d(np.concatenate(own), np.concatenate([*elsewhere, _NONE]))


_NONE = np.zeros(0, np.int64)


def with_neighbours(frames: Indices, around: int, total: int) -> Indices:
    """Frames and those up to `around` before and after each, within the clip."""
    reach = np.arange(-around, around + 1)
    near = (frames[:, None] + reach).ravel()
    return np.unique(near[(near >= 0) & (near < total)])


def unfit_changes(settings: Any) -> Iterator[str]:
    """A line for each of the `changes` that does not fit the recipe that it changes."""
    for dataset, changes in settings.changes.items():
        for network in asdict(changes):
            try:
                recipe(settings, dataset, network)
            except ValueError as error:
                yield f"changes.{dataset}.{network}: {_first_words(error)}"


def _first_words(error: ValueError) -> str:
    """What a validation says of the first fault."""
    faults = getattr(error, "errors", lambda: [{"msg": str(error)}])()
    return str(faults[0]["msg"]).removeprefix("Value error, ")


def unknown_datasets(settings: Any, datasets: Iterable[str]) -> Iterator[str]:
    """A line for each data set that `weights` or `changes` name and nothing defines."""
    for key in ("weights", "changes"):
        for name in getattr(settings, key):
            if name not in datasets:
                yield f"{key}: unknown key {name!r}{nearest(name, datasets)}"


def dataset_faults(
    settings: Any, name: str, entry: Any, *, trained: bool
) -> Iterator[str]:
    """What is wrong with a recogniser's settings beside a data set's entry.

    Args:
        settings: its entry.
        name: of the data set.
        entry: of the data set.
        trained: whether it is trained there, having no published weights.
    """
    if trained and entry.low == "given" and not entry.split_file:
        yield (
            f"weights.{name}: `low: given` needs the data set's split_file (training"
            " clips of full resolution, test clips of low), or published weights"
        )
    if not entry.generated and not settings.views.size:
        yield (
            "views.size: real videos of any size need one to be resized to, such as"
            " [340, 256]"
        )


def recipe(settings: Any, dataset: str, network: str) -> Any:
    """How a network is trained on a data set: its recipe with the set's changes."""
    changes = settings.changes.get(dataset)
    own = getattr(changes, network) if changes else {}
    return replace(getattr(settings.training, network), **own)


def split_faults(where: str, weights: Any, entry: Any) -> Iterator[str]:
    """Say what is wrong with published weights beside the split that is tested.

    Args:
        where: the key of the weights.
        weights: with `split`, which official split they were trained on.
        entry: of their data set.
    """
    if weights.split is None:
        if entry.kind in OFFICIAL and not entry.generated:
            yield (
                f"{where}.split: say which official split these networks were trained"
                " on, 1, 2 or 3: those of another one saw its test clips"
            )
        return
    for file in filter(None, asdict(weights).values()):
        stated = re.search(r"(?:split|fold)[_=-]?0?([123])(?!\d)", Path(str(file)).name)
        if stated and int(stated[1]) != weights.split:
            yield (
                f"{where}.split: {weights.split}, and {Path(file).name} says"
                f" {stated[1]}: name the files of that split, or rename this one"
            )
    if weights.split != entry.split:
        yield (
            f"{where}.split: networks that were trained on split {weights.split} saw"
            f" clips that split {entry.split} tests"
        )


def reads_jointly(kind: str) -> bool:
    """Whether the heads of a recogniser read frames and flow together."""
    return any(len(head.inputs) > 1 for head in module(kind).HEADS.values())


def metrics(kind: str) -> dict[str, str]:
    """What the accuracy of each head of a recogniser, and of "fusion", counts.

    Raises:
        ValueError: the fusion counts views, which are of single heads.
    """
    found = module(kind)
    fusion = getattr(found, "FUSION", CLASSES)
    if fusion == VIEWS:
        raise ValueError(f"{found.__file__}: FUSION can't count views, but clips")
    heads = {name: head.metric for name, head in found.HEADS.items()}
    return {**heads, "fusion": fusion}


def function(kind: str, what: str) -> Callable[..., Any]:
    """Import the function that a recogniser's `TRAIN` or `SCORE` names."""
    home, _, name = getattr(module(kind), what).partition(":")
    found: Callable[..., Any] = getattr(import_module(f"twinlens.{home}"), name)
    return found
