"""TSN: a stream of single frames and one of short stacks of flow (Wang et al. 2016).

The published frames were extracted by a tool that writes no file for the first frame
(image n is frame n counted from 0; flow n goes from frame n - 1 to n), and TSN's
`eval_net.py` counts those files. `ticks` repeats its arithmetic, 1-based; the
functions below translate.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BeforeValidator, Field
from pydantic.dataclasses import dataclass

from twinlens import provenance
from twinlens.named import nearest
from twinlens.networks.families import FAMILIES
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
    "spatial": Head(("frames",), ("spatial",)),
    "temporal": Head(("flow",), ("temporal",)),
}
PAPER = "TSN"
TRAIN = "recognition.tsn.train:train"
SCORE = "recognition.tsn.score:scorer"
BACKBONES = FAMILIES["recogniser"]
Stream = Literal["spatial", "temporal"]


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Sampling:
    """How clips are sampled."""

    snippets: Few = 25
    """RGB frames and flow stacks of a test clip."""
    stack: Few = 5
    """Consecutive flows in a stack."""
    segments: Few = 3
    """Segments of a training clip; one snippet is drawn from each."""
    positions: Few = 1
    """Snippets that are kept for each segment of a training clip."""


Scales = Annotated[
    tuple[Annotated[float, Field(ge=0.05, le=1)], ...], Field(min_length=1)
]


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Views(Recoding):
    """How frames become network inputs; of a test or training image."""

    crop: Pixels = 224
    """Side of the square that the network sees, in pixels."""
    crops: Literal[1, 2, 5, 10] = 10
    """Views of a test image: 10 (corners and centre, mirrored too), 5, 2 or 1."""
    scales: Scales = (1.0, 0.875, 0.75, 0.66)
    """Sides of training crops as fractions of the short side."""
    flow_scales: Scales | None = None
    """The same of the temporal stream; null = `scales`."""

    def __post_init__(self) -> None:
        """Refuse crops that no image can give.

        Raises:
            ValueError: naming the settings.
        """
        if self.size and min(self.size) < self.crop:
            raise ValueError("crop is larger than size")


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Recipe(SgdRecipe):
    """How a stream is trained; the config's `training.<stream>`."""

    dropout: Below1 = 0.8
    """Share of the last features dropped."""
    settings: dict[str, Any] = Field(default_factory=dict)
    """Further arguments of the backbone's `build`."""


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class RecogniserTraining:
    """A training of one stream: all that decides its network, inputs aside."""

    network: str
    """Its name."""
    dataset: str
    """What it is trained on."""
    stream: Stream
    """What it reads: RGB frames, or stacks of flow."""
    backbone: str
    """The network's file in `twinlens.recognition.backbones`."""
    recipe: Recipe
    """How to train."""
    sampling: dict[str, Any]
    """How training clips are sampled, see `Sampling`."""
    views: Views
    """How frames become inputs."""
    seed: int = 0
    """Decides first weights, order, crops and dropout."""


def channels(stream: str, stack: int) -> int:
    """Input channels: 3 for RGB, x and y of each flow for a stack."""
    return 3 if stream == "spatial" else 2 * stack


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Weights:
    """Published weights of both streams."""

    spatial: DataPath
    """A file that `twinlens.weights` reads."""
    temporal: DataPath
    """Likewise."""
    split: Literal[1, 2, 3] | None = None
    """Which split of UCF101 or HMDB51 they were trained on, where they are of these."""


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Recipes:
    """How each stream is trained."""

    spatial: Recipe
    temporal: Recipe


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Changes:
    """What a data set changes of the recipes."""

    spatial: Annotated[dict[str, Any], Partial(Recipe)] = Field(default_factory=dict)
    temporal: Annotated[dict[str, Any], Partial(Recipe)] = Field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Settings:
    """A TSN: its networks, and how clips are sampled, seen and scored."""

    kind: Literal["tsn"]
    label: Label
    """Name on the tables."""
    table: Name = "table3"
    """The table of all methods' accuracies."""
    backbone: str
    """A file of twinlens.recognition.backbones."""
    sampling: Sampling = Sampling()
    views: Views = Views()
    flow: str = "tvl1"
    """The entry of `flows` that computes its flow."""
    bound: Rate = 20.0
    """Pixels at the ends of the 8-bit range of flow (TSN, 20)."""
    fusion: tuple[NotNegative, NotNegative] = (
        1.0,
        1.5,
    )
    """Weights of spatial and temporal scores (1 and 1.5)."""
    init: DataPath | None = None
    """Image network that both streams start from; null trains from scratch."""
    weights: Annotated[dict[str, Weights | None], BeforeValidator(none_is_empty)] = (
        Field(default_factory=dict)
    )
    """Published weights by data set, used instead of training; null trains."""
    training: Recipes
    changes: dict[str, Changes] = Field(default_factory=dict)
    """What a data set, by name, changes of the training."""


# What of the sampling decides which frames are read: a change of one part's reruns
# nothing of the other's.
DECIDES = {
    "test": ("snippets", "stack"),
    "train": ("segments", "positions", "stack"),
}


def sampling(settings: Settings, part: str) -> dict[str, Any]:
    """What decides the frames that are read of a part's clips."""
    known = asdict(settings.sampling)
    return {key: known[key] for key in DECIDES[part]}


def flow_form(settings: Settings) -> FlowForm:
    """Flow as TSN's extraction stores it."""
    return FlowForm(flow=settings.flow, bound=settings.bound, size=settings.views.size)


def networks(
    settings: Settings, name: str, dataset: str, seed: int
) -> dict[str, Network]:
    """The networks of both streams, and the image network that they start from."""
    found = {}
    if settings.init:
        found["images"] = Network(
            settings.backbone, {}, (), None, weights=settings.init, shared=True
        )
    weights = settings.weights.get(dataset)
    for stream, head in HEADS.items():
        job = RecogniserTraining(
            network=f"{name}-{dataset}-{stream}",
            dataset=dataset,
            stream=stream,  # type: ignore[arg-type]
            backbone=settings.backbone,
            recipe=recipe(settings, dataset, stream),
            sampling=sampling(settings, "train"),
            views=_training_views(settings.views, stream),
            seed=seed,
        )
        found[stream] = Network(
            kind=settings.backbone,
            settings={"channels": channels(stream, settings.sampling.stack)},
            inputs=head.inputs,
            job=job,
            weights=getattr(weights, stream) if weights else None,
            starts=("images",) if settings.init else (),
        )
    return found


def scoring(settings: Settings) -> dict[str, Any]:
    """What of the settings decides the scores, beside the sampling of test clips."""
    return {"views": asdict(_without(settings.views, "scales", "flow_scales"))}


def _training_views(views: Views, stream: str) -> Views:
    """Views of a training: the scales of its stream."""
    own = views.flow_scales if stream == "temporal" else None
    return replace(_without(views, "crops", "flow_scales"), scales=own or views.scales)


def _without(views: Views, *keys: str) -> Views:
    """Views with the defaults of settings that a job does not use."""
    return replace(views, **{key: getattr(Views(), key) for key in keys})


def faults(
    settings: Settings, datasets: Mapping[str, Any], selected: Mapping[str, Any]
) -> Iterator[str]:
    """What is wrong with the settings beside the world's data sets.

    Args:
        settings: the config's entry.
        datasets: those that are defined.
        selected: those in the tables.
    """
    backbones = BACKBONES.names()
    if settings.backbone not in backbones:
        near = nearest(settings.backbone, backbones)
        yield f"backbone: no {settings.backbone!r}{near}"
    yield from unknown_datasets(settings, datasets)
    yield from unfit_changes(settings)
    for name, entry in selected.items():
        weights = settings.weights.get(name)
        yield from dataset_faults(settings, name, entry, trained=not weights)
        made, views = entry.generated, settings.views
        if made and not views.size and min(made.width, made.height) < views.crop:
            yield (
                f"views.crop: {views.crop} is larger than the frames of {name},"
                f" {made.width}x{made.height}"
            )
        if weights:
            yield from split_faults(f"weights.{name}", weights, entry)


def read(
    sampling: Mapping[str, Any], total: int, part: str, clip: str, seed: int
) -> Reads:
    """The frames and flows that are read of a clip of `total` frames.

    Of training clips, any frame that a kept flow touches.
    """
    how = Sampling(**sampling)
    if part == "test":
        return Reads(rgb_frames(total, how), flow_stacks(total, how))
    flows = train_stacks(total, how, clip, seed)
    return Reads(np.union1d(flows, flows + 1), flows)


def ticks(count: int, depth: int, snippets: int) -> list[int]:
    """1-based starts of the snippets, as TSN's `eval_net.py` takes them.

    Args:
        count: images of the clip (its frames less one).
        depth: 1 for RGB, the stack's length for flow.
        snippets: how many to take.

    Returns:
        `snippets` starts; all 1 if the clip is too short for a whole step.
    """
    # ASSUME: paper section 4.4 says "25 frames ... as recommended in [35]"; with one
    # snippet the published rule divides by zero, and the first tick serves.
    step = (count - depth) // max(1, snippets - 1)
    if step <= 0:
        return [1] * snippets
    return [1 + step * number for number in range(snippets)]


def rgb_frames(frames: int, sampling: Sampling) -> Indices:
    """The RGB frame of each snippet of a test clip: (snippets,), repeats included."""
    found = ticks(frames - 1, 1, sampling.snippets)
    return np.array([min(tick, frames - 1) for tick in found])


def flow_stacks(frames: int, sampling: Sampling) -> Indices:
    """The flows of each snippet of a test clip: (snippets, stack), repeats included."""
    starts = ticks(frames - 1, sampling.stack, sampling.snippets)
    steps = np.arange(sampling.stack)
    return np.minimum(np.array(starts)[:, None] + steps, frames - 1) - 1


def train_stacks(frames: int, sampling: Sampling, clip: str, seed: int) -> Indices:
    """The flows kept of a training clip: (segments, positions, stack).

    Each segment gives `positions` random starts, as TSN's training draws them anew in
    every epoch; drawing them once bounds the flow that must be computed.
    """
    flows = frames - 1
    length = max(1, (flows - sampling.stack + 1) // sampling.segments)
    rng = np.random.default_rng(provenance.seed(seed, "train stacks", clip))
    offsets = rng.integers(length, size=(sampling.segments, sampling.positions))
    starts = np.arange(sampling.segments)[:, None] * length + offsets
    steps = np.arange(sampling.stack)
    return np.minimum(starts[..., None] + steps, flows - 1)
