"""Table 3: recognition accuracy of every method, in both streams and fused."""

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from twinlens import formats, provenance
from twinlens.progress import say
from twinlens.tables import published
from twinlens.tables.accuracy import Accuracy, Scores, accuracy, load

LONG = (
    "method dataset stream accuracy low high overall right clips overall_low"
    " overall_high classes published data"
).split()


@dataclass(frozen=True, kw_only=True, slots=True)
class Dataset:
    """A data set's columns."""

    label: str
    """Name in the table."""
    generated: bool = False
    official: bool = False
    """Whether its entry asks for all of an official split 1."""
    has_hr: bool = True
    """False where the clips are low-resolution already."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Method:
    """A method's row."""

    label: str
    """Name in the table."""
    spatial: str
    """The method whose spatial scores are taken: itself, or one of a pair."""
    temporal: str
    """The method whose temporal scores are taken."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """What the table shows."""

    world: str
    note: str
    """One line on the world, printed on the table."""
    datasets: dict[str, Dataset]
    """In the order of the columns."""
    methods: dict[str, Method]
    recogniser: str = "TSN"
    fusion: list[float] = field(default_factory=lambda: [1.0, 1.5])
    """Weights of spatial and temporal scores (TSN's README: 1 and 1.5)."""


def table3(
    scores: list[Path],
    layout: Layout,
    out: Path,
    long: Path,
    markdown: Path,
    seed: int = 0,
) -> None:
    """Write the table in three forms.

    Args:
        scores: all score shards.
        layout: rows, columns and their names.
        out: csv as the paper prints the table, behind one `#` line.
        long: csv with a line for each cell, with intervals.
        markdown: the table to read.
        seed: of the bootstrap.
    """
    loaded = load(scores)
    cells = _cells(loaded, layout, seed)
    head = _head(layout)
    rows = [
        _row(name, layout, cells)
        for name in order(layout)
        if any(key[0] == name for key in cells)
    ]
    columns = ["Method", *_columns(layout)]
    wide = pd.DataFrame(rows, columns=columns)
    _write(out, f"# {head}\n" + wide.to_csv(index=False, lineterminator="\n"))
    body = _long(cells, layout).to_csv(index=False, lineterminator="\n")
    _write(long, f"# {head}\n" + body)
    text = _markdown(head, wide, cells, layout)
    _write(markdown, text)
    say(text)


def _write(path: Path, text: str) -> None:
    with formats.publish(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _head(layout: Layout) -> str:
    generated = [each.label for each in layout.datasets.values() if each.generated]
    data = f"GENERATED DATA ({', '.join(generated)}): not the paper's; " * bool(
        generated
    )
    return (
        f"twinlens table 3, world {layout.world}: {data}{layout.recogniser}, mean class"
        f" accuracy in %; {layout.note}"
    )


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


def _columns(layout: Layout) -> list[str]:
    labels = [each.label for each in layout.datasets.values()]
    return [f"{label} {stream}" for label in labels for stream in published.STREAMS]


Cells = dict[tuple[str, str, str], Accuracy]


def _cells(loaded: dict[tuple[str, str], Scores], layout: Layout, seed: int) -> Cells:
    """Accuracy of each method, data set and stream that has one."""
    cells: Cells = {}
    for name, method in layout.methods.items():
        for dataset, about in layout.datasets.items():
            if "hr" in {method.spatial, method.temporal} and not about.has_hr:
                continue
            spatial = _scores(loaded, dataset, method.spatial)
            temporal = _scores(loaded, dataset, method.temporal)
            made = _paired(spatial, temporal, dataset)
            streams = {"Fusion": made.fused(layout.fusion)}
            if method.spatial == method.temporal:
                streams |= {"Spatial": made.spatial, "Temporal": made.temporal}
            for stream, values in streams.items():
                own = provenance.seed(seed, "bootstrap", name, dataset, stream)
                cells[name, dataset, stream] = accuracy(values, made.labels, own)
    return cells


def _scores(loaded: dict[tuple[str, str], Scores], dataset: str, method: str) -> Scores:
    if (dataset, method) not in loaded:
        raise formats.ArtifactError(f"no scores of {method} on {dataset} were given")
    return loaded[dataset, method]


def _paired(spatial: Scores, temporal: Scores, dataset: str) -> Scores:
    """Spatial scores of one method with temporal scores of another, clip by clip."""
    if spatial.clips != temporal.clips:
        raise formats.ArtifactError(
            f"{dataset}: the scores of two methods are not of the same clips"
        )
    return Scores(spatial.clips, spatial.labels, spatial.spatial, temporal.temporal)


def _row(name: str, layout: Layout, cells: Cells) -> list[str]:
    row = [layout.methods[name].label]
    for dataset in layout.datasets:
        for stream in published.STREAMS:
            cell = cells.get((name, dataset, stream))
            row.append("" if cell is None else f"{cell.mean_class:.2f}")
    return row


def _long(cells: Cells, layout: Layout) -> pd.DataFrame:
    lines = []
    for name in order(layout):
        for dataset, about in layout.datasets.items():
            for stream in published.STREAMS:
                cell = cells.get((name, dataset, stream))
                if cell is not None:
                    label = layout.methods[name].label
                    lines.append(_line(label, about, stream, cell))
    return pd.DataFrame(lines, columns=LONG)


def _line(
    method: str, dataset: Dataset, stream: str, cell: Accuracy
) -> dict[str, object]:
    return {
        "method": method,
        "dataset": dataset.label,
        "stream": stream,
        "accuracy": f"{cell.mean_class:.2f}",
        "low": f"{cell.low:.2f}",
        "high": f"{cell.high:.2f}",
        "overall": f"{cell.overall:.2f}",
        "right": cell.right,
        "clips": cell.clips,
        "overall_low": f"{cell.overall_low:.2f}",
        "overall_high": f"{cell.overall_high:.2f}",
        "classes": cell.classes,
        "published": _published(method, dataset, stream, cell),
        "data": "generated" if dataset.generated else "real",
    }


def _published(method: str, dataset: Dataset, stream: str, cell: Accuracy) -> str:
    """The paper's value, only where ours is of the same complete test split."""
    whole = published.COMPLETE.get(dataset.label) == (cell.clips, cell.classes)
    if not (dataset.official and whole):
        return ""
    value = published.table3(method, dataset.label, stream)
    return "" if value is None else f"{value:.2f}"


def _markdown(head: str, wide: pd.DataFrame, cells: Cells, layout: Layout) -> str:
    """The table to read, with the size of what it rests on."""
    widths = [
        max(len(str(each)) for each in [column, *wide[column]]) for column in wide
    ]
    lines = [
        _ruled([str(each) for each in row], widths)
        for row in [wide.columns, ["-" * width for width in widths], *wide.values]
    ]
    notes = []
    for dataset, about in layout.datasets.items():
        some = [cell for key, cell in cells.items() if key[1] == dataset]
        if not some:
            continue
        half = max(_half(cell) for cell in some)
        notes.append(
            f"{about.label}: {some[0].clips} test clips of {some[0].classes} classes;"
            f" 95 % intervals reach ±{half:.1f} points or less"
        )
    return "\n".join([head, "", *lines, "", *notes, ""])


def _half(cell: Accuracy) -> float:
    """Half the wider interval: redrawing within classes that are all right says 0."""
    overall = cell.overall_high - cell.overall_low
    return max(cell.high - cell.low, overall) / 2


def _ruled(cells: list[str], widths: list[int]) -> str:
    padded = [
        cell.ljust(width) if place == 0 else cell.rjust(width)
        for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return f"| {' | '.join(padded)} |"
