"""Table 2: the ablation of SoSR, recognition accuracy of the spatial stream by loss."""

from pathlib import Path

import pandas as pd

from twinlens import provenance
from twinlens.tables import facts, forms, published
from twinlens.tables.accuracy import accuracy, load
from twinlens.tables.forms import Files, Layout

LONG = (
    "dataset loss method accuracy low high overall right clips overall_low"
    " overall_high classes published data"
).split()


def table2(
    scores: list[Path],
    layout: Layout,
    files: Files,
    seed: int = 0,
) -> None:
    """Write the table in three forms.

    Args:
        scores: score shards with a spatial stream.
        layout: columns (its `methods`, by loss) and rows (its `datasets`).
        files: where its three forms go.
        seed: of the bootstrap; the same method's cell is the same as in Table 3.
    """
    loaded, rows, lines, notes = load(scores), [], [], []
    for dataset, about in layout.datasets.items():
        cells = {}
        for loss, made in facts.spatial(loaded, layout, dataset).items():
            name = layout.methods[loss].spatial
            own = provenance.seed(seed, "bootstrap", name, dataset, "Spatial")
            cells[loss] = accuracy(made.of("spatial"), made.labels, own)
        shown = {loss: f"{cell.mean_class:.2f}" for loss, cell in cells.items()}
        rows.append([about.label, *(shown.get(loss, "") for loss in layout.methods)])
        notes += facts.sizes(about, list(cells.values()))
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
        files,
        forms.head("table 2", layout, what),
        pd.DataFrame(rows, columns=["Dataset", *layout.methods]),
        pd.DataFrame(lines, columns=LONG),
        notes,
    )
