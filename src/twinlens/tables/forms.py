"""The forms that every table comes in, and what its first line says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from twinlens import formats
from twinlens.progress import say
from twinlens.tables import published
from twinlens.tables.accuracy import Accuracy, Scores


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


def of(loaded: Mapping[tuple[str, str], Scores], dataset: str, method: str) -> Scores:
    """The scores of a method's clips of a data set.

    Raises:
        ArtifactError: they were not given.
    """
    if (dataset, method) not in loaded:
        raise formats.ArtifactError(f"no scores of {method} on {dataset} were given")
    return loaded[dataset, method]


def accuracy_line(cell: Accuracy) -> dict[str, object]:
    """An accuracy with all that it rests on, for the long form."""
    return {
        "accuracy": f"{cell.mean_class:.2f}",
        "low": f"{cell.low:.2f}",
        "high": f"{cell.high:.2f}",
        "overall": f"{cell.overall:.2f}",
        "right": cell.right,
        "clips": cell.clips,
        "overall_low": f"{cell.overall_low:.2f}",
        "overall_high": f"{cell.overall_high:.2f}",
        "classes": cell.classes,
    }


def beside(value: float | None, dataset: Dataset, cell: Accuracy) -> str:
    """The paper's value, only where ours is of the same complete test split."""
    whole = published.COMPLETE.get(dataset.label) == (cell.clips, cell.classes)
    comparable = dataset.official and whole and value is not None
    return f"{value:.2f}" if comparable else ""


def sizes(dataset: Dataset, cells: Sequence[Accuracy]) -> list[str]:
    """A line on what a data set's accuracies rest on; none where it has none."""
    if not cells:
        return []
    half = max(_half(cell) for cell in cells)
    return [
        f"{dataset.label}: {cells[0].clips} test clips of {cells[0].classes} classes;"
        f" 95 % intervals reach ±{half:.1f} points or less"
    ]


def _half(cell: Accuracy) -> float:
    """Half the wider interval: redrawing within classes that are all right says 0."""
    overall = cell.overall_high - cell.overall_low
    return max(cell.high - cell.low, overall) / 2


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
    with formats.publish(path) as temporary:
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
