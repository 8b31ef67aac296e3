"""What the explorer shows, typed."""

from dataclasses import field
from typing import Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass

from twinlens.settings import STRICT
from twinlens.tables.settings import Layout


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Explorer:
    """How much of the clips the explorer shows."""

    clips: Annotated[int, Field(ge=0, le=1000)] = 4
    """Clips of each class with pictures: those on which methods agree least. Verdicts
    are shown of all clips."""
    frames: Annotated[int, Field(ge=1, le=64)] = 24
    """Frames of such a clip, at most."""


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class MediaJob:
    """Pictures of a shard's clips to write."""

    dataset: str
    layout: Layout
    """The rows of the first recogniser's table."""
    explorer: Explorer


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class ExplorerJob:
    """A page to write."""

    layouts: dict[str, Layout]
    """By recogniser: what its table shows."""
    tables: dict[str, str]
    """By recogniser: the name of its table."""
    order: tuple[str, ...]
    """The config's methods, selected ones first: what gives each its colour."""
    clips: int = 4
    """Clips of each class with pictures."""
    classes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """By data set, names of its classes by label, where they are listed."""
