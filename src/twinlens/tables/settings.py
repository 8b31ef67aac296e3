"""What a table or a figure shows, typed."""

from dataclasses import field
from typing import Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass

from twinlens.settings import STRICT


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Dataset:
    """A data set in a table."""

    label: str
    """Name in the table."""
    paper: str | None = None
    """The paper's data set that it is; None for another."""
    generated: bool = False
    official: bool = False
    """Whether its entry asks for all of an official split 1."""
    has_hr: bool = True
    """False where the clips are low-resolution already."""


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Method:
    """A method in a table."""

    label: str
    """Name in the table."""
    frames_of: str
    """The method whose frames are read: itself, or one of a pair."""
    flow_of: str
    """The method whose flow is read."""
    scores: dict[str, str]
    """By head, the row whose stored scores are taken: a method, or "a+b" of a pair."""
    paper: str | None = None
    """The row of the paper's tables that it stands for; None for another."""
    origin: str = ""
    """Where its weights come from, in words."""

    @property
    def is_hr(self) -> bool:
        """Whether it stands for the originals."""
        return self.frames_of == self.flow_of == "hr"


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Layout:
    """What a table shows."""

    world: str
    note: str
    """One line on the world, printed on the table."""
    datasets: dict[str, Dataset]
    """In the order of the table."""
    methods: dict[str, Method]
    """By name, or by the name of the column that shows it."""
    recogniser: str = "TSN"
    """Its label."""
    paper: str | None = "TSN"
    """The recogniser of the paper that it is; None for another."""
    heads: tuple[str, ...] = ("spatial", "temporal")
    """What it scores a clip by."""
    fusion: tuple[float, ...] = (1.0, 1.5)
    """Weights of the heads' scores (TSN's README: spatial 1, temporal 1.5)."""
    metrics: dict[str, str] = field(default_factory=dict)
    """What the accuracy of each head, and of "fusion", counts; classes by default."""

    @property
    def head(self) -> str:
        """The one that tables of a single head show."""
        return self.heads[0]


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class TableJob:
    """A table to write."""

    name: str
    """Such as "table2_flow"."""
    module: str
    """Its file in `twinlens.tables`."""
    layout: Layout
    seed: int = 0
    """Of draws: bootstraps, permutations."""


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class ClipChoice:
    """A test clip that figures show."""

    clip: str
    """Its name, such as Archery/v_Archery_g01_c07."""
    frame: Annotated[int, Field(ge=0)] | None = None
    """Index of its frame, from 0; the nearest that is stored is shown. null = the one
    in the middle."""
    row: Annotated[int, Field(ge=0)] | None = None
    """The row of pixels of its temporal profile, from 0 at the top. null = the one that
    changes most."""


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class FigureJob:
    """A figure to draw."""

    module: str
    """Its file in `twinlens.figures`."""
    dataset: str
    """Which of the layout's."""
    layout: Layout
    order: tuple[str, ...] = ()
    """The config's methods, selected ones first: what gives each its colour."""
    clip: ClipChoice | None = None
    """What the config names of the data set, for figures of a clip."""
    paper: ClipChoice | None = None
    """What the paper shows of it, if the config names nothing."""
    seed: int = 0
    """Of intervals: those of the tables."""
    classes: tuple[str, ...] = ()
    """Names of its classes by label, also of those without test clips, where listed."""
