"""ST-ResNet: two residual networks, motion into appearance (Feichtenhofer et al. 2016).

The protocol is that of its release (`STResNet_test.m`, `cnn_get_im_flow_batch.m`): 25
frames evenly from the first to the last that has a whole stack of flow around it, whole
frames and their mirror images, each 25 in one pass. Frames count from 1 there; from 0
here: a stack of 10 goes from flow t - 5 to flow t + 4 of frame t.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BeforeValidator, Field
from pydantic.dataclasses import dataclass

from twinlens import provenance
from twinlens.networks.recipe import Below1, SgdRecipe
from twinlens.recognisers import (
    FlowForm,
    Head,
    Indices,
    Network,
    Reads,
    Recoding,
    dataset_faults,
    recipe,
    split_faults,
    unfit_changes,
    unknown_datasets,
)
from twinlens.settings import (
    STRICT,
    DataPath,
    Few,
    Label,
    Name,
    NotNegative,
    Partial,
    Pixels,
    Rate,
    none_is_empty,
)

HEADS = {
    "spatial": Head(("frames", "flow"), ("stage2",), metric="views"),
    "temporal": Head(("flow",), ("stage2",), metric="views"),
}
FUSION = "clips"
"""What the fusion counts: clips, by the mean over views."""
PAPER = "ST-ResNet"
TRAIN = "recognition.st_resnet.train:train"
SCORE = "recognition.st_resnet.score:scorer"
STAGES = ("appearance", "motion", "stage1", "stage2")
"""The trainings, in their order."""
LETTERS = 26
"""Blocks of a stage are called a to z."""
Scale = Annotated[float, Field(ge=0.05, le=20)]
BASE = {"appearance": "frames", "motion": "flow"}
"""What each base network reads."""


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Clips:
    """How snippets of a training clip are taken."""

    frames: Few
    """Frames of a snippet."""
    strides: tuple[Few, Few]
    """Least and most frames from one to the next."""
    positions: Few = 1
    """Snippets that are kept of each training clip."""


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Sampling:
    """How clips are sampled."""

    frames: Few = 25
    """Frames of a test clip."""
    stack: Annotated[int, Field(ge=2, le=200, multiple_of=2)] = 10
    """Flows around each frame, half of them before it."""
    stage1: Clips = Clips(frames=5, strides=(5, 15))
    """Of the networks before pooling over time."""
    stage2: Clips = Clips(frames=11, strides=(1, 15))
    """Of the network with pooling over time."""


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Views(Recoding):
    """How frames become network inputs."""

    crop: Pixels = 224
    """Side of the square that training sees, in pixels."""
    sides: tuple[Pixels, Pixels] = (224, 448)
    """Least and most of each side of a test frame, which is not cropped."""
    scales: tuple[Scale, Scale] = (
        0.75,
        1.25,
    )
    """Least and most of each side of a training crop, as a fraction of `crop`."""


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Size:
    """The size of each stream's network; by default ResNet-50."""

    width: Few = 64
    """Channels of the first convolution."""
    blocks: tuple[Few, Few, Few, Few] = (3, 4, 6, 3)
    """Bottlenecks of each stage, two or more."""


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Recipe(SgdRecipe):
    """How a network is trained."""

    dropout: Below1 = 0.0
    """Share of the last features dropped."""


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Recipes:
    """How each of the four networks is trained."""

    appearance: Recipe
    """The base network of frames."""
    motion: Recipe
    """The base network of flow."""
    stage1: Recipe
    """Both, with motion injected and convolutions over time."""
    stage2: Recipe
    """The same with pooling over time."""


RecipePart = Annotated[dict[str, Any], Partial(Recipe)]


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Changes:
    """What a data set changes of the recipes."""

    appearance: RecipePart = Field(default_factory=dict)
    motion: RecipePart = Field(default_factory=dict)
    stage1: RecipePart = Field(default_factory=dict)
    stage2: RecipePart = Field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Weights:
    """Published weights of a data set; null trains the network."""

    appearance: DataPath | None = None
    """The base network of frames, a .mat file."""
    motion: DataPath | None = None
    """The base network of flow."""
    stage1: DataPath | None = None
    """Both joined; its base networks are then not needed."""
    stage2: DataPath | None = None
    """The final one; no other is then needed."""
    split: Literal[1, 2, 3] | None = None
    """Which split of UCF101 or HMDB51 they were trained on, where they are of these."""


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Training:
    """A training of one network: all that decides it, inputs aside."""

    network: str
    """Its name."""
    dataset: str
    """What it is trained on."""
    stage: Literal["appearance", "motion", "stage1", "stage2"]
    """Which of the four it is."""
    size: Size
    """Of each stream."""
    recipe: Recipe
    """How to train."""
    clips: Clips
    """Its snippets."""
    stack: Few
    """Flows around each frame."""
    views: Views
    """How frames become inputs."""
    seed: int = 0
    """Decides first weights, order, crops and dropout."""


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Settings:
    """An ST-ResNet: its networks, and how clips are sampled, seen and scored."""

    kind: Literal["st_resnet"]
    label: Label
    """Name on the tables."""
    table: Name = "table4"
    """The table of all methods' accuracies."""
    size: Size = Size()
    """Of each stream's network."""
    sampling: Sampling = Sampling()
    views: Views = Views()
    flow: str = "tvl1"
    """The entry of `flows` that computes its flow."""
    bound: Rate = 20.0
    """Pixels at the ends of the 8-bit range of flow (20)."""
    fusion: tuple[NotNegative, NotNegative] = (
        0.5,
        0.5,
    )
    """Weights of spatial and temporal scores (their mean)."""
    init: DataPath | None = None
    """Image network that both base networks start from; null trains from scratch."""
    weights: Annotated[dict[str, Weights | None], BeforeValidator(none_is_empty)] = (
        Field(default_factory=dict)
    )
    """Published weights by data set, used instead of training."""
    training: Recipes
    changes: dict[str, Changes] = Field(default_factory=dict)
    """What a data set, by name, changes of the training."""


def sampling(settings: Settings, part: str) -> dict[str, Any]:
    """What decides the frames that are read of a part's clips."""
    known = asdict(settings.sampling)
    keys = ("frames", "stack") if part == "test" else ("stage1", "stage2", "stack")
    return {key: known[key] for key in keys}


def flow_form(settings: Settings) -> FlowForm:
    """Flow as its extraction stores it."""
    return FlowForm(flow=settings.flow, bound=settings.bound, size=settings.views.size)


def networks(
    settings: Settings, name: str, dataset: str, seed: int
) -> dict[str, Network]:
    """The networks that lead to the final one, as far as none of them is published."""
    weights = asdict(settings.weights.get(dataset) or Weights())
    starts = {
        "appearance": ("images",) if settings.init else (),
        "motion": ("images",) if settings.init else (),
        "stage1": ("appearance", "motion"),
        "stage2": ("stage1",),
    }
    found: dict[str, Network] = {}
    wanted = ["stage2"]
    while wanted:
        stage = wanted.pop(0)
        if stage == "images":
            found[stage] = Network(
                "resnet", {}, (), None, weights=settings.init, shared=True
            )
            continue
        family, kind, own = architecture(stage, settings.sampling.stack)
        found[stage] = Network(
            family=family,
            kind=kind,
            settings=own,
            inputs=(BASE[stage],) if stage in BASE else ("frames", "flow"),
            job=_training(settings, name, dataset, stage, seed),
            weights=weights[stage],
            starts=() if weights[stage] else starts[stage],
        )
        wanted += [each for each in found[stage].starts if each not in found]
    return found


def architecture(stage: str, stack: int) -> tuple[str, str, dict[str, Any]]:
    """A stage's network: its family, its file there, and what decides its inputs."""
    if stage in BASE:
        channels = {"appearance": 3, "motion": 2 * stack}
        return "recogniser", "resnet", {"channels": channels[stage]}
    return "two_stream", "st_resnet", {"stack": stack, "pool": stage == "stage2"}


def _training(
    settings: Settings, name: str, dataset: str, stage: str, seed: int
) -> Training:
    clips = settings.sampling
    return Training(
        network=f"{name}-{dataset}-{stage}",
        dataset=dataset,
        stage=stage,  # type: ignore[arg-type]
        size=settings.size,
        recipe=recipe(settings, dataset, stage),
        clips=clips.stage2 if stage == "stage2" else clips.stage1,
        stack=clips.stack,
        views=replace(settings.views, sides=Views().sides),
        seed=seed,
    )


def scoring(settings: Settings) -> dict[str, Any]:
    """What of the settings decides the scores, beside the sampling of test clips."""
    views = replace(settings.views, scales=Views().scales, crop=Views().crop)
    return {"views": asdict(views)}


def faults(
    settings: Settings, datasets: Mapping[str, Any], selected: Mapping[str, Any]
) -> Iterator[str]:
    """What is wrong with the settings beside the world's data sets.

    Args:
        settings: the config's entry.
        datasets: those that are defined.
        selected: those in the tables.
    """
    if min(settings.size.blocks) < 2 or max(settings.size.blocks) > LETTERS:
        yield (
            "size.blocks: each stage needs two or more, an a block and a b block, and"
            f" no more than {LETTERS}"
        )
    for key in ("sides", "scales"):
        low, high = getattr(settings.views, key)
        if low > high:
            yield f"views.{key}: {low} is larger than {high}"
    for which in ("stage1", "stage2"):
        least, most = getattr(settings.sampling, which).strides
        if least > most:
            yield f"sampling.{which}.strides: {least} is larger than {most}"
    yield from unknown_datasets(settings, datasets)
    yield from unfit_changes(settings)
    for name, entry in selected.items():
        weights = settings.weights.get(name)
        if weights:
            yield from _weights_faults(f"weights.{name}", weights, entry)
        trained = not (weights and weights.stage2)
        yield from dataset_faults(settings, name, entry, trained=trained)


def _weights_faults(where: str, weights: Weights, entry: Any) -> Iterator[str]:
    """Files that saw the test clips, or that a later one makes needless."""
    files = [stage for stage in STAGES if getattr(weights, stage)]
    if files:
        yield from split_faults(where, weights, entry)
    for later in ("stage2", "stage1"):
        earlier = files[: files.index(later)] if later in files else []
        if earlier:
            yield (
                f"{where}: {later} makes {', '.join(earlier)} needless; to start from"
                f" there, set {later}: null"
            )
            return


def read(
    sampling: Mapping[str, Any], total: int, part: str, clip: str, seed: int
) -> Reads:
    """The frames and flows that are read of a clip of `total` frames."""
    stack = sampling["stack"]
    if part == "test":
        frames = test_frames(total, sampling["frames"], stack)
    else:
        kept = [
            snippets(total, Clips(**sampling[each]), stack, clip, seed).ravel()
            for each in ("stage1", "stage2")
        ]
        frames = np.unique(np.concatenate(kept))
    return Reads(frames, stacks(frames, total, stack))


def test_frames(total: int, count: int, stack: int) -> Indices:
    """The frames of a test clip, evenly spaced: (count,), repeats included.

    Args:
        total: frames of the clip.
        count: how many are read.
        stack: flows around each.
    """
    # ASSUME: paper section 4.4 says no more than ST-ResNet's protocol. A clip with
    # fewer frames than `count` repeats some in order; its release appends further
    # passes through the clip instead.
    return _spaced(*_ends(total, stack), count)


def stacks(frames: Indices, total: int, stack: int) -> Indices:
    """The flows around frames: (..., stack), those of the clip's ends repeated."""
    steps = np.arange(-(stack // 2), stack // 2)
    return np.clip(frames[..., None] + steps, 0, total - 2)


def snippets(total: int, clips: Clips, stack: int, clip: str, seed: int) -> Indices:
    """The frames of the snippets that are kept of a training clip: (positions, frames).

    Stride and start are drawn once; its release draws them anew in each epoch.
    Drawing them once bounds the flow that must be computed. Snippets of equal settings
    are the same ones.
    """
    rng = np.random.default_rng(provenance.seed(seed, "snippets", clip))
    first, last = _ends(total, stack)
    return np.stack([_snippet(first, last, clips, rng) for _ in range(clips.positions)])


def _snippet(first: int, last: int, clips: Clips, rng: np.random.Generator) -> Indices:
    stride = int(rng.integers(clips.strides[0], clips.strides[1] + 1))
    reach = (clips.frames - 1) * stride
    if reach > last - first:  # as its release does in short clips
        return _spaced(first, last, clips.frames)
    start = first + int(rng.integers(last - first - reach + 1))
    return start + stride * np.arange(clips.frames)


def _ends(total: int, stack: int) -> tuple[int, int]:
    """The first and last frame that have a whole stack around them."""
    first = min(stack // 2, (total - 1) // 2)
    return first, max(first, total - 1 - stack // 2)


def _spaced(first: int, last: int, count: int) -> Indices:
    """Whole numbers evenly from first to last, halves up as MATLAB rounds them."""
    gaps = max(1, count - 1)
    return first + (2 * (last - first) * np.arange(count) + gaps) // (2 * gaps)
