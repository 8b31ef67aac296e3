"""Table 3: recognition accuracy of every method, in both streams and fused."""

from pathlib import Path

import pandas as pd

from twinlens import provenance
from twinlens.tables import facts, forms, published
from twinlens.tables.accuracy import Accuracy, Scores, accuracy, load
from twinlens.tables.forms import Files, Layout

LONG = (
    "method dataset stream accuracy low high overall right clips overall_low"
    " overall_high classes published data weights"
).split()
Cells = dict[tuple[str, str, str], Accuracy]


def table3(
    scores: list[Path],
    layout: Layout,
    files: Files,
    seed: int = 0,
) -> None:
    """Write the table in three forms.

    Args:
        scores: all score shards.
        layout: rows, columns and their names.
        files: where its three forms go.
        seed: of the bootstrap.
    """
    cells = _cells(load(scores), layout, seed)
    rows = [
        _row(name, layout, cells)
        for name in forms.order(layout)
        if any(key[0] == name for key in cells)
    ]
    notes = [
        f"{layout.methods[name].label}: {layout.methods[name].origin}"
        for name in forms.order(layout)
        if layout.methods[name].origin
    ]
    for dataset, about in layout.datasets.items():
        notes += facts.sizes(
            about, [c for key, c in cells.items() if key[1] == dataset]
        )
    what = f"{layout.recogniser}, mean class accuracy in %"
    forms.write(
        files,
        forms.head("table 3", layout, what),
        pd.DataFrame(rows, columns=["Method", *_columns(layout)]),
        _long(cells, layout),
        notes,
    )


def _columns(layout: Layout) -> list[str]:
    labels = [each.label for each in layout.datasets.values()]
    return [f"{label} {stream}" for label in labels for stream in published.STREAMS]


def _cells(loaded: dict[tuple[str, str], Scores], layout: Layout, seed: int) -> Cells:
    """Accuracy of each method, data set and stream that has one."""
    cells: Cells = {}
    for name, method in layout.methods.items():
        for dataset, about in layout.datasets.items():
            if "hr" in {method.spatial, method.temporal} and not about.has_hr:
                continue
            spatial = facts.of(loaded, dataset, method.spatial)
            temporal = facts.of(loaded, dataset, method.temporal)
            made = _paired(spatial, temporal, dataset)
            streams = {"Fusion": made.fused(layout.fusion)}
            if method.spatial == method.temporal:
                streams["Spatial"] = made.of("spatial")
                streams["Temporal"] = made.of("temporal")
            for stream, values in streams.items():
                own = provenance.seed(seed, "bootstrap", name, dataset, stream)
                cells[name, dataset, stream] = accuracy(values, made.labels, own)
    return cells


def _paired(spatial: Scores, temporal: Scores, dataset: str) -> Scores:
    """Spatial scores of one method with temporal scores of another, clip by clip."""
    facts.same_clips(dataset, spatial, temporal)
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
    for name in forms.order(layout):
        for dataset, about in layout.datasets.items():
            for stream in published.STREAMS:
                cell = cells.get((name, dataset, stream))
                if cell is not None:
                    label = layout.methods[name].label
                    printed = published.table3(label, about.label, stream)
                    line = {
                        "method": label,
                        "dataset": about.label,
                        "stream": stream,
                        "published": facts.beside(printed, about, cell),
                        "data": "generated" if about.generated else "real",
                        "weights": layout.methods[name].origin,
                    }
                    lines.append(line | facts.accuracy_line(cell))
    return pd.DataFrame(lines, columns=LONG)
