"""Figure 6: the accuracy of every class by a method and by Bicubic."""

import math
from collections import Counter
from pathlib import Path

import numpy as np
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from twinlens.artifacts.figure import write_figure
from twinlens.errors import ArtifactError
from twinlens.figures import style
from twinlens.progress import say
from twinlens.tables import dispersion, facts, table5
from twinlens.tables.accuracy import load
from twinlens.tables.cases import NONE, Shown
from twinlens.tables.facts import Correct
from twinlens.tables.settings import FigureJob, Layout

SIDE = 3.2  # inches of a panel
AREA = 22.0  # points² of a point that is one class
# The paper's symbols: a dot where SR harms, a cross where it helps.
SYMBOLS = {table5.HARD: "o", table5.EASY: "X", NONE: "D"}


def figure(inputs: list[Path], job: FigureJob, out: Path) -> None:
    """Draw a panel for each method: its accuracy in each class over Bicubic's.

    Classes at one position make a larger point. The classes of Table 5 stand in colour.

    Args:
        inputs: score shards of the data set with a spatial stream (see
            `tables.table5` for why this one).
        job: its layout has the methods, Bicubic among them.
        out: PNG.

    Raises:
        ArtifactError: scores are missing or not of the same clips; no Bicubic, or
            nothing else.
    """
    layout, dataset = job.layout, job.dataset
    correct = facts.right_by_class(load(inputs), layout, dataset)
    about = layout.datasets[dataset]
    shown = table5.highlighted(correct, layout, about.paper)
    if not (methods := dispersion.others(layout, correct)):
        raise ArtifactError(
            f"{about.label}: no method has scores besides Bicubic; add some to"
            " select.methods"
        )
    labels = [layout.methods[each].label for each in methods]
    style.use([about.label, *labels, *correct])
    drawn = _drawn(correct, shown, layout, methods)
    what = f"{len(correct)} classes, {layout.head} stream; area: classes at a place"
    drawn.suptitle(style.title(layout, dataset, what, drawn.get_figwidth()))
    write_figure(out, drawn, style.DPI)
    say(f"{about.label}: {out}")


def _drawn(
    correct: Correct, shown: list[Shown], layout: Layout, methods: list[str]
) -> Figure:
    """Draw the panels, as near to a square as they go, over their legend."""
    columns = math.ceil(math.sqrt(len(methods)))
    rows = math.ceil(len(methods) / columns)
    drawn, axes = pyplot.subplots(
        rows,
        columns,
        figsize=(SIDE * max(2, columns), SIDE * rows + 1),  # space for the title
        squeeze=False,
        layout="constrained",
    )
    for axis, method in zip(axes.flat, methods, strict=False):
        _panel(axis, correct, shown, layout, method)
    for axis in axes.flat[len(methods) :]:
        axis.axis("off")
    if shown:
        handles, labels = axes[0, 0].get_legend_handles_labels()
        drawn.legend(handles, labels, loc="outside lower center", ncols=columns + 1)
    return drawn


def _panel(
    axis: Axes, correct: Correct, shown: list[Shown], layout: Layout, method: str
) -> None:
    bicubic = table5.reference(layout)
    points = {
        name: (100 * each[bicubic].mean(), 100 * each[method].mean())
        for name, each in correct.items()
    }
    axis.plot([0, 100], [0, 100], color="0.5", linestyle="--", linewidth=1)
    _crowd(axis, Counter(points.values()))
    for number, each in enumerate(shown):
        _mark(axis, number, each, points[each.name])
    off = dispersion.rms(
        dispersion.differences(dispersion.pairs_of(correct, method, bicubic))
    )
    label = layout.methods[method].label
    axis.set_title(f"{label}: {off:.1f} points off (RMS)")
    axis.set(xlim=(-4, 104), ylim=(-4, 104), aspect="equal")
    axis.set_xlabel(f"{layout.methods[bicubic].label} (%)")
    axis.set_ylabel(f"{label} (%)")


def _crowd(axis: Axes, points: Counter[tuple[float, float]]) -> None:
    """Draw all classes in grey: classes of one place are one larger point."""
    x, y = np.array(list(points)).T
    area = AREA * np.array(list(points.values()))
    axis.scatter(x, y, s=area, color="0.7", edgecolors="0.4", linewidths=0.5)


def _mark(axis: Axes, number: int, shown: Shown, point: tuple[float, float]) -> None:
    """Draw one of Table 5's classes, in a colour of its own."""
    axis.scatter(
        *point,
        s=2 * AREA,
        color=[pyplot.get_cmap("tab20")((2 * number + number // 10) % 20)],
        marker=SYMBOLS[shown.case],
        edgecolors="black",
        linewidths=0.5,
        label=f"{shown.name} ({shown.case})",
        zorder=3,
    )
