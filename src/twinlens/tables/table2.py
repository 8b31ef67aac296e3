"""Table 2: the ablation of SoSR, recognition accuracy of the spatial stream by loss.

Its like, by the estimator of the weight maps' flow, is made by the same code.
"""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from twinlens import provenance
from twinlens.tables import facts, forms, paired, published
from twinlens.tables.accuracy import Scores, accuracy, load
from twinlens.tables.forms import Files, Layout

LONG = (
    "dataset loss method accuracy low high overall right clips overall_low"
    " overall_high classes published data"
).split()


def table2(
    scores: list[Path],
    layout: Layout,
    out: Path,
    long: Path,
    markdown: Path,
    name: str = "table2",
    seed: int = 0,
) -> None:
    """Write the table in three forms.

    Args:
        scores: score shards with a spatial stream.
        layout: columns (its `methods`, by loss) and rows (its `datasets`).
        out: csv as the paper prints the table, behind one `#` line.
        long: csv with a line for each cell, with intervals.
        markdown: the table to read. Columns that differ in brackets alone are compared
            beneath it, by an exact McNemar test on the same clips.
        name: "table2", or that of its like.
        seed: of the bootstrap; the same method's cell is the same as in Table 3.
    """
    loaded, rows, lines, notes = load(scores), [], [], []
    for dataset, about in layout.datasets.items():
        cells = {}
        for loss, method in layout.methods.items():
            if method.spatial == "hr" and not about.has_hr:
                continue
            made = facts.of(loaded, dataset, method.spatial)
            own = provenance.seed(seed, "bootstrap", method.spatial, dataset, "Spatial")
            cells[loss] = accuracy(made.of("spatial"), made.labels, own)
        shown = {loss: f"{cell.mean_class:.2f}" for loss, cell in cells.items()}
        rows.append([about.label, *(shown.get(loss, "") for loss in layout.methods)])
        notes += facts.sizes(about, list(cells.values()))
        notes += _compared(loaded, dataset, layout, list(cells))
        for loss, cell in cells.items():
            printed = published.table2(loss, about.label)
            line = {
                "dataset": about.label,
                "loss": loss,
                "method": layout.methods[loss].label,
                "published": facts.beside(printed, about, cell),
                "data": "generated" if about.generated else "real",
            }
            lines.append(line | facts.accuracy_line(cell))
    what = f"spatial stream of {layout.recogniser}, mean class accuracy in %"
    forms.write(
        Files(out=out, long=long, markdown=markdown),
        forms.head(name.replace("table", "table ").replace("_", " by "), layout, what),
        pd.DataFrame(rows, columns=["Dataset", *layout.methods]),
        pd.DataFrame(lines, columns=LONG),
        notes,
    )


def _compared(
    loaded: Mapping[tuple[str, str], Scores],
    dataset: str,
    layout: Layout,
    losses: list[str],
) -> list[str]:
    """A line for each two columns that differ in brackets alone."""
    lines = []
    for one, other in paired.bracketed(losses):
        first, second = (
            facts.of(loaded, dataset, layout.methods[each].spatial)
            for each in (one, other)
        )
        found = paired.compared(first, second, "spatial")
        lines.append(
            f"{layout.datasets[dataset].label}: {other} is right on {found.won} clips"
            f" that {one} is wrong on, and wrong on {found.lost} that it is right on"
            f" (exact McNemar p = {found.p:.3f})"
        )
    return lines
