"""Spatial against temporal accuracy of every method: what one costs in the other."""

from pathlib import Path

from matplotlib import pyplot
from matplotlib.axes import Axes

from twinlens.artifacts.figure import write_figure
from twinlens.errors import ArtifactError
from twinlens.figures import style
from twinlens.progress import say
from twinlens.tables import facts, forms
from twinlens.tables.accuracy import Accuracy, load
from twinlens.tables.settings import FigureJob

SIDE = 4.6  # inches


def figure(inputs: list[Path], job: FigureJob, out: Path) -> None:
    """Draw a point for each method, with 95 % intervals in both directions.

    Args:
        inputs: score shards of the data set, of both streams.
        job: its layout has the methods.
        out: PNG; PDF and SVG are written beside it.

    Raises:
        ArtifactError: scores are missing, or the recogniser has one head only.
    """
    layout, about = job.layout, job.layout.datasets[job.dataset]
    if len(layout.heads) != 2:
        raise ArtifactError(f"{layout.recogniser} has no two streams to compare")
    loaded = load(inputs)
    style.use([about.label, *(each.label for each in layout.methods.values())])
    drawn, axis = pyplot.subplots(figsize=(SIDE + 1.2, SIDE), layout="constrained")
    for name in forms.order(layout):
        if about.has_hr or not layout.methods[name].is_hr:
            x, y = _accuracies(loaded, job, name)
            _point(axis, x, y, job, name)
    first, second = layout.heads
    axis.set_xlabel(f"{first} stream: {facts.counted(layout, [first])}")
    axis.set_ylabel(f"{second} stream: {facts.counted(layout, [second])}")
    drawn.legend(loc="outside right center")
    drawn.suptitle(style.title(layout, job.dataset, "bars are 95 % intervals", SIDE))
    write_figure(out, drawn, style.DPI)
    say(f"{about.label}: {out}")


def _accuracies(loaded: facts.Loaded, job: FigureJob, name: str) -> list[Accuracy]:
    """Measure a method by each stream."""
    layout, cells = job.layout, []
    for head in layout.heads:
        scores = facts.of(loaded, job.dataset, layout.methods[name].scores[head])
        seed = facts.cell_seed(job.seed, name, job.dataset, head)
        cells.append(facts.cell(scores, head, layout, seed))
    return cells


def _point(axis: Axes, x: Accuracy, y: Accuracy, job: FigureJob, name: str) -> None:
    mark = style.mark(job.layout, job.order, name)
    axis.errorbar(
        x.value,
        y.value,
        xerr=_bars(x),
        yerr=_bars(y),
        fmt=mark.marker,
        color=mark.color,
        markersize=5,
        elinewidth=0.6,
        alpha=0.9,
        label=job.layout.methods[name].label,
    )


def _bars(cell: Accuracy) -> list[list[float]]:
    """The lengths of an interval's two arms."""
    return [[cell.value - cell.low], [cell.high - cell.value]]
