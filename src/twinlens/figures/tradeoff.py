"""Spatial against temporal accuracy of every method: what one costs in the other."""

from pathlib import Path

from matplotlib import pyplot

from twinlens import provenance
from twinlens.artifacts.figure import write_figure
from twinlens.errors import ArtifactError
from twinlens.figures import style
from twinlens.progress import say
from twinlens.tables import facts, forms
from twinlens.tables.accuracy import load
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
        method = layout.methods[name]
        if method.is_hr and not about.has_hr:
            continue
        cells = [
            facts.cell(
                facts.of(loaded, job.dataset, method.scores[head]),
                head,
                layout,
                provenance.seed(0, "bootstrap", name, job.dataset, head),
            )
            for head in layout.heads
        ]
        x, y = (cell.value for cell in cells)
        across, up = ([[c.value - c.low], [c.high - c.value]] for c in cells)
        mark = style.mark(layout, job.order, name)
        axis.errorbar(
            x,
            y,
            xerr=across,
            yerr=up,
            fmt=mark.marker,
            color=mark.color,
            markersize=5,
            elinewidth=0.6,
            alpha=0.9,
            label=method.label,
        )
    first, second = layout.heads
    axis.set_xlabel(f"{first} stream: {facts.counted(layout, [first])}")
    axis.set_ylabel(f"{second} stream: {facts.counted(layout, [second])}")
    drawn.legend(loc="outside right center")
    drawn.suptitle(style.title(layout, job.dataset, "bars are 95 % intervals", SIDE))
    write_figure(out, drawn, style.DPI)
    say(f"{about.label}: {out}")
