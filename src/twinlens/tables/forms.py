"""The forms that every table comes in, and what its first line says."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from twinlens.artifacts.publish import publish
from twinlens.progress import say
from twinlens.tables import published


@dataclass(frozen=True, kw_only=True, slots=True)
class Dataset:
    """A data set in a table."""

    label: str
    """Name in the table."""
    generated: bool = False
    official: bool = False
    """Whether its entry asks for all of an official split 1."""
    has_hr: bool = True
    """False where the clips are low-resolution already."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Method:
    """A method in a table."""

    label: str
    """Name in the table."""
    spatial: str
    """The method whose spatial scores are taken: itself, or one of a pair."""
    temporal: str
    """The method whose temporal scores are taken."""
    origin: str = ""
    """Where its weights come from, in words."""


@dataclass(frozen=True, kw_only=True, slots=True)
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
    fusion: list[float] = field(default_factory=lambda: [1.0, 1.5])
    """Weights of spatial and temporal scores (TSN's README: 1 and 1.5)."""


def head(name: str, layout: Layout, what: str) -> str:
    """A table's first line: what it is, of which world, whether data are generated."""
    made = [each.label for each in layout.datasets.values() if each.generated]
    data = f"GENERATED DATA ({', '.join(made)}): not the paper's; " * bool(made)
    return f"twinlens {name}, world {layout.world}: {data}{what}; {layout.note}"


def order(layout: Layout) -> list[str]:
    """Methods as the paper prints them, those beyond it after HR."""
    printed = list(published.TABLE3)
    labels = {name: method.label for name, method in layout.methods.items()}
    return sorted(
        labels,
        key=lambda name: (
            printed.index(labels[name]) if labels[name] in printed else len(printed)
        ),
    )


def named(layout: Layout, label: str) -> str | None:
    """The first method of this label, or None."""
    methods = layout.methods.items()
    return next((key for key, method in methods if method.label == label), None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Files:
    """Where a table's three forms go."""

    out: Path
    """csv as the paper prints the table, behind one `#` line."""
    long: Path
    """csv with a line for each cell."""
    markdown: Path
    """The table to read."""


def write(
    files: Files,
    first: str,
    wide: pd.DataFrame,
    long: pd.DataFrame,
    notes: Sequence[str],
) -> None:
    """Publish a table's three forms, and say it.

    Args:
        files: where.
        first: the line that names it.
        wide: the table as it is printed, all text.
        long: a line for each cell.
        notes: lines beneath the table that is read.
    """
    for path, table in ((files.out, wide), (files.long, long)):
        body = table.to_csv(index=False, lineterminator="\n")
        _publish(path, f"# {first}\n{body}")
    text = "\n".join([first, "", *_ruled(wide), "", *notes, ""])
    _publish(files.markdown, text)
    say(text)


def _publish(path: Path, text: str) -> None:
    with publish(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _ruled(wide: pd.DataFrame) -> list[str]:
    """The lines of a Markdown table, aligned."""
    widths = [
        max(len(str(each)) for each in [column, *wide[column]]) for column in wide
    ]
    rows = [wide.columns, ["-" * width for width in widths], *wide.values]
    return [
        "| "
        + " | ".join(
            str(cell).ljust(width) if place == 0 else str(cell).rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        + " |"
        for row in rows
    ]
