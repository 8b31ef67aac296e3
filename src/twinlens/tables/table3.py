"""Tables 3 and 4: accuracy of every method by a recogniser, in streams and fused."""

from pathlib import Path

import pandas as pd

from twinlens.tables import facts, forms, published
from twinlens.tables.accuracy import Accuracy, Scores, load
from twinlens.tables.forms import Files
from twinlens.tables.settings import Dataset, Layout, Method, TableJob

LONG = (
    "method dataset stream accuracy low high overall right clips overall_low"
    " overall_high classes published data weights metric"
).split()
FUSION = "Fusion"
Cells = dict[tuple[str, str, str], Accuracy]


def table(inputs: list[Path], job: TableJob, files: Files) -> None:
    """Write the table in its forms.

    Args:
        inputs: all score shards.
        job: its layout has rows, columns and their names.
        files: where its forms go.
    """
    layout = job.layout
    cells = _cells(load(inputs), layout, job.seed)
    measured = {name for name, _, _ in cells}  # HR is not where clips are given low
    shown = [name for name in forms.order(layout) if name in measured]
    rows = [_row(name, layout, cells) for name in shown]
    notes = [
        f"{layout.methods[name].label}: {layout.methods[name].origin}"
        for name in shown
        if layout.methods[name].origin
    ]
    for dataset, about in layout.datasets.items():
        own = {key: cell for key, cell in cells.items() if key[1] == dataset}
        notes += facts.sizes(about, list(own.values()))
        for (name, _, stream), cell in own.items():
            if layout.methods[name].is_hr:
                notes += facts.at_chance(about, layout, stream, cell)
    named = [each.lower() for each in streams(layout)]
    what = f"{layout.recogniser}, {facts.counted(layout, named)}"
    forms.write(
        files,
        forms.head(job.name.replace("table", "table "), layout, what),
        pd.DataFrame(rows, columns=["Method", *_columns(layout)]),
        _long(cells, layout, published.ACCURACIES.get(layout.paper, {})),
        notes,
    )


def streams(layout: Layout) -> list[str]:
    """List what a data set's columns show: each head, and all fused."""
    heads = [head.capitalize() for head in layout.heads]
    return [*heads, FUSION] if len(heads) > 1 else heads


def _columns(layout: Layout) -> list[str]:
    labels = [each.label for each in layout.datasets.values()]
    return [f"{label} {stream}" for label in labels for stream in streams(layout)]


def _cells(loaded: dict[tuple[str, str], Scores], layout: Layout, seed: int) -> Cells:
    """Measure the accuracy of each method, data set and stream that has scores."""
    cells: Cells = {}
    for dataset, about in layout.datasets.items():
        rows = {
            name: joined(loaded, layout, dataset, method)
            for name, method in layout.methods.items()
            if is_scored(method, about)
        }
        facts.same_clips(dataset, *rows.values())
        for name, scores in rows.items():
            for stream in shown(layout, layout.methods[name]):
                own = facts.cell_seed(seed, name, dataset, stream)
                cells[name, dataset, stream] = facts.cell(
                    scores, stream.lower(), layout, own
                )
    return cells


def is_scored(method: Method, about: Dataset) -> bool:
    """Whether a row has scores on a data set: HR has none where clips are low."""
    return about.has_hr or "hr" not in {method.frames_of, method.flow_of}


def shown(layout: Layout, method: Method) -> list[str]:
    """The columns that a row has numbers in: of a pair, only the fusion.

    The paper prints no streams of a pair: each is another method's.
    """
    alone = method.frames_of == method.flow_of or len(layout.heads) == 1
    return streams(layout) if alone else [FUSION]


def joined(
    loaded: dict[tuple[str, str], Scores], layout: Layout, dataset: str, method: Method
) -> Scores:
    """Join a row's scores, each head's from where they are stored, clip by clip.

    Args:
        loaded: by data set and row.
        layout: its heads.
        dataset: whose clips.
        method: the row of the table.

    Raises:
        ArtifactError: some are missing, or not of the same clips.
    """
    of_head = {
        head: facts.of(loaded, dataset, method.scores[head]) for head in layout.heads
    }
    facts.same_clips(dataset, *of_head.values())
    first = next(iter(of_head.values()))
    heads = {head: each.of(head) for head, each in of_head.items()}
    views = {head: each.correct_views[head] for head, each in of_head.items()}
    return Scores(first.clips, first.labels, heads, views)


def _row(name: str, layout: Layout, cells: Cells) -> list[str]:
    row = [layout.methods[name].label]
    for dataset in layout.datasets:
        for stream in streams(layout):
            cell = cells.get((name, dataset, stream))
            row.append("" if cell is None else f"{cell.value:.2f}")
    return row


def _long(cells: Cells, layout: Layout, printed: published.Rows) -> pd.DataFrame:
    """Write a line for each cell, beside the numbers that the paper prints of it."""
    lines = []
    for name in forms.order(layout):
        for dataset, about in layout.datasets.items():
            for stream in streams(layout):
                cell = cells.get((name, dataset, stream))
                if cell is not None:
                    method = layout.methods[name]
                    value = published.accuracy(
                        printed, method.paper, about.paper, stream
                    )
                    line = {
                        "method": method.label,
                        "dataset": about.label,
                        "stream": stream,
                        "published": facts.beside(value, about, cell),
                        "data": "generated" if about.generated else "real",
                        "weights": method.origin,
                        "metric": cell.metric,
                    }
                    lines.append(line | facts.accuracy_line(cell))
    return pd.DataFrame(lines, columns=LONG)
