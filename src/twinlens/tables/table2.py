"""Table 2: the ablation of SoSR, recognition accuracy of the spatial stream by loss.

The table by the estimator of the weight maps' flow comes from the same code.
"""

import itertools
import re
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from twinlens.tables import facts, forms, published
from twinlens.tables.accuracy import Accuracy, is_correct, load, mcnemar
from twinlens.tables.forms import Files
from twinlens.tables.settings import Dataset, Layout, TableJob

LONG = (
    "dataset loss method accuracy low high overall right clips overall_low"
    " overall_high classes published data"
).split()


def table(inputs: list[Path], job: TableJob, files: Files) -> None:
    """Write the table in its forms.

    Args:
        inputs: score shards with a spatial stream.
        job: its layout has columns (its `methods`, by loss) and rows (its `datasets`).
        files: where its forms go. In the one to read, columns that differ in
            brackets alone are compared, by an exact McNemar test on the same clips.
    """
    layout, loaded = job.layout, load(inputs)
    rows: list[list[str]] = []
    lines: list[dict[str, object]] = []
    notes: list[str] = []
    for dataset, about in layout.datasets.items():
        cells = _cells(loaded, dataset, job)
        shown = {loss: f"{cell.value:.2f}" for loss, cell in cells.items()}
        rows.append([about.label, *(shown.get(loss, "") for loss in layout.methods)])
        lines += [_line(loss, cell, about, layout) for loss, cell in cells.items()]
        notes += facts.sizes(about, list(cells.values()))
        notes += _compared(loaded, dataset, layout, list(cells))
    name = job.name.replace("table", "table ").replace("_", " by ")
    counted = facts.counted(layout, [layout.head])
    what = f"{layout.head} stream of {layout.recogniser}, {counted}"
    forms.write(
        files,
        forms.head(name, layout, what),
        pd.DataFrame(rows, columns=["Dataset", *layout.methods]),
        pd.DataFrame(lines, columns=LONG),
        notes,
    )


def _cells(loaded: facts.Loaded, dataset: str, job: TableJob) -> dict[str, Accuracy]:
    """Work out a data set's row, by loss."""
    layout, cells = job.layout, {}
    rows = facts.single(loaded, layout, dataset)
    facts.same_clips(dataset, *rows.values())
    for loss, scores in rows.items():
        method = layout.methods[loss].frames_of
        seed = facts.cell_seed(job.seed, method, dataset, layout.head)
        cells[loss] = facts.cell(scores, layout.head, layout, seed)
    return cells


def _line(
    loss: str, cell: Accuracy, about: Dataset, layout: Layout
) -> dict[str, object]:
    """Write a cell's line of the long form."""
    printed = published.table2(loss, about.paper, layout.paper)
    return {
        "dataset": about.label,
        "loss": loss,
        "method": layout.methods[loss].label,
        "published": facts.beside(printed, about, cell),
        "data": "generated" if about.generated else "real",
        **facts.accuracy_line(cell),
    }


def _compared(
    loaded: facts.Loaded, dataset: str, layout: Layout, losses: list[str]
) -> list[str]:
    """Compare columns that differ in brackets alone, a line for each two."""
    lines = []
    for one, other in bracketed(losses):
        scores = [
            facts.of(loaded, dataset, layout.methods[each].scores[layout.head])
            for each in (one, other)
        ]
        first, second = (
            is_correct(each.of(layout.head), each.labels) for each in scores
        )
        won, lost = (second & ~first).sum(), (first & ~second).sum()
        lines.append(
            f"{layout.datasets[dataset].label}: clips that only {other} has right:"
            f" {won}, that only {one} has right: {lost} (exact McNemar"
            f" p = {mcnemar(first, second):.3f})"
        )
    return lines


def bracketed(columns: Iterable[str]) -> list[tuple[str, str]]:
    """Pair columns that differ in brackets alone, as "SoSR (TV-L1)" does."""
    return [
        (one, other)
        for one, other in itertools.combinations(columns, 2)
        if _bare(one) == _bare(other)
    ]


def _bare(column: str) -> str:
    return re.sub(r" *\([^()]*\)$", "", column)
