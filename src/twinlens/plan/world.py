"""A world's config, typed: every key with its type, range, default and meaning.

The schema and the reference page of the docs are written from these classes
(`twinlens.plan.reference`).
"""

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    StringConstraints,
    TypeAdapter,
)
from pydantic.dataclasses import dataclass

from twinlens.explorer.settings import Explorer
from twinlens.media.settings import Generated, Source
from twinlens.patches.settings import PatchSettings, Split
from twinlens.perceptual.recipe import Recipe as PerceptualRecipe
from twinlens.settings import STRICT, DataPath, Few, Label, Name, Partial, Seed
from twinlens.tables.settings import ClipChoice
from twinlens.training.recipe import Recipe


def _unique(names: list[str]) -> list[str]:
    if len(set(names)) < len(names):
        raise ValueError(f"names one twice: {', '.join(names)}")
    return names


Names = Annotated[list[str], Field(min_length=1), AfterValidator(_unique)]
Columns = dict[str, str | None]
RecipePart = Annotated[dict[str, Any], Partial(Recipe)]


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Ranked:
    """The methods that Table 1 ranks."""

    HR: str | None = None
    """The originals."""
    Bicubic: str | None = None
    """The interpolation."""
    SR: str | None = None
    """Super-resolution (paper 3.2, VDSR)."""


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Select:
    """What the tables show."""

    datasets: Names
    """Columns, by their names under datasets."""
    methods: Names
    """Rows, by their names under methods; the paper's order is kept."""
    recognisers: Names
    """By their names under recognisers; each writes a table of all methods."""
    recogniser: dict[Name, Name] = Field(default_factory=dict)
    """The one of a table or figure that shows a single one, by its name, such as
    table5 or scatter; else the first."""
    table1: Ranked | None = None
    """The methods that Table 1 ranks (paper 3.2: SR is VDSR); null for no table."""
    table2: Columns | None = None
    """Columns of Table 2 and the methods that they show; null for no table."""
    table2_flow: Columns | None = None
    """The same by flow estimator; names that differ in brackets are compared."""
    clips: dict[Name, ClipChoice] = Field(default_factory=dict)
    """By data set, the test clip that the figures flow, profile and frames show; else
    the paper's where it names one, else one that a rule of the figure chooses."""


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Shards:
    """How many jobs each part is cut into."""

    train: Annotated[int, Field(ge=1, le=99)] = 1
    """Training clips."""
    test: Annotated[int, Field(ge=1, le=99)] = 1
    """Test clips."""
    corpus: Annotated[int, Field(ge=1, le=99)] = 1
    """Clips of a corpus."""


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Dataset(Source):
    """A data set."""

    label: Label
    """Name in the tables."""
    paper: Literal["UCF101", "HMDB51", "CDVL-134"] | None = None
    """The paper's data set that it is, beside whose printed numbers ours are shown."""
    low: Literal["made", "given"] = "made"
    """made = from the originals; given = test clips are low-resolution already."""
    max_rejected: Annotated[float, Field(ge=0, le=1)] = 0.02
    """Largest fraction of the clips that may be unusable before the run stops."""
    frames: Literal["protocol", "all"] = "protocol"
    """Which frames are kept, protocol = those that are read, or all."""
    pairs: Few = 120
    """Of a corpus, pairs of frames of each clip to train on (paper 4.2, 120)."""
    shards: Shards = Shards()
    """How many jobs each part is cut into."""
    generated: Generated | None = None
    """What to generate, for kinds playground and corpus."""


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class PatchSet(PatchSettings):
    """A patch set to train super-resolution on (paper section 4.2)."""

    corpus: str
    """The data set of kind corpus that is cut."""
    flow: str = "tvl1"
    """The entry of `flows` that estimates motion."""
    gap: Few = 1
    """Frames from a pair's first to its second."""


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Perceptual:
    """The network of the perceptual loss (paper section 3.2, VGG-16)."""

    weights: DataPath | None = None
    """A published VGG-16 (.caffemodel, .pth); null trains a narrow one."""
    inputs: Literal["caffe", "torchvision"] | None = None
    """What the weights were trained on; null goes by the file's names."""
    after_relu: bool = True
    """Whether conv3_3 is taken after its ReLU, as Caffe's blob is."""
    recipe: PerceptualRecipe = PerceptualRecipe()
    """How the narrow one is trained, on generated glyphs."""


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Training:
    """Training of super-resolution, what all methods share."""

    split: Split = Split()
    """Which patches are held out for validation."""
    perceptual: Perceptual = Perceptual()
    recipe: RecipePart = Field(default_factory=dict)
    """How super-resolution is trained; a method's own recipe changes parts of it."""


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Start:
    """Weights that several methods start from, so that they differ in loss alone."""

    model: str
    """A file of twinlens.models."""
    settings: dict[str, Any] = Field(default_factory=dict)
    """Arguments of the model's build."""
    weights: DataPath | None = None
    """A published file; null trains by the recipe instead."""
    recipe: RecipePart | None = None
    """What it changes of training.recipe."""


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Method:
    """A super-resolution method; `hr` is the original frames and names no model."""

    label: Label
    """Name in the tables."""
    paper: str | None = None
    """The row of the paper's tables that it stands for, such as VSR-DUF-52."""
    model: str | None = None
    """A file of twinlens.models."""
    settings: dict[str, Any] = Field(default_factory=dict)
    """Arguments of the model's build."""
    weights: DataPath | None = None
    """A published file to use as it is, without training."""
    note: str | None = None
    """What to know of its row, said beneath the tables."""
    start: str | None = None
    """The entry under starts whose network and weights it begins with."""
    recipe: RecipePart | None = None
    """What it changes of training.recipe."""
    frames_of: str | None = None
    """Of a pair, the method whose frames are read."""
    flow_of: str | None = None
    """Of a pair, the method whose flow is read."""


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Quality:
    """How super-resolved frames are compared with the originals."""

    pairs: Few = 3
    """Pairs of frames of a test clip for the warping error."""
    flow: str = "tvl1"
    """The entry of `flows` that estimates their motion."""


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Resources:
    """What a job may use here; memory and time on a cluster stand in its profile."""

    threads: Few = 1
    """CPU threads of a flow, training or scoring job."""
    gpus: Annotated[int, Field(ge=0, le=64)] = 0
    """GPUs of a training or scoring job; several share a batch of SR training."""
    workers: Annotated[int, Field(ge=0, le=1024)] = 0
    """Processes that read patches ahead of a training; 0 reads in between."""


class World(BaseModel):
    """A world of twinlens. Unknown keys are errors."""

    model_config = {**STRICT, "frozen": True}

    world: Annotated[
        str, StringConstraints(pattern="^[a-z][a-z0-9_-]*$", max_length=64)
    ]
    """Name of the world; its artifacts live in results/<world>/."""
    note: str
    """One line about the world, printed on its tables."""
    seed: Seed
    """Master seed; every stage derives its own from it."""
    data: str
    """Folder that relative paths of videos, splits and weights start from."""
    keep: bool
    """Whether frames, super-resolved frames and flow stay after their last use."""
    select: Select
    datasets: dict[Name, Dataset]
    """Data sets that can be selected."""
    patches: dict[Name, PatchSet]
    """Patch sets to train super-resolution on (paper section 4.2)."""
    training: Training
    starts: dict[Name, Start]
    """Weights that several methods start from, so that they differ in loss alone."""
    methods: dict[Name, Method]
    """Super-resolution methods that can be selected."""
    flows: dict[Name, Any]
    """Estimators of optical flow, each of a `kind`: a file of twinlens.flow.estimators.
    """
    quality: Quality = Quality()
    recognisers: dict[Name, Any]
    """Recognisers, each of a `kind`: a file of twinlens.recognisers."""
    explorer: Explorer = Explorer()
    resources: Resources = Resources()


def json_schema() -> dict[str, Any]:
    """The JSON schema of a world, before plug-ins."""
    schema = World.model_json_schema()
    describe_inherited(schema["$defs"], (Dataset, PatchSet))
    return schema


def describe_inherited(nodes: dict[str, Any], kinds: Iterable[type]) -> None:
    """Describe the fields that classes inherit as their bases do.

    Pydantic describes a class's own fields only.
    """
    for kind in kinds:
        own = nodes.get(kind.__name__, {}).get("properties", {})
        for base in kind.__mro__[1:]:
            if not hasattr(base, "__pydantic_fields__"):
                continue
            known = TypeAdapter(base).json_schema()["properties"]
            for name, entry in known.items():
                own.get(name, {}).setdefault("description", entry.get("description"))
