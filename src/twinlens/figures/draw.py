"""Draw any figure of the paper or beyond: the stage of all of them."""

from importlib import import_module
from pathlib import Path

from twinlens.tables.settings import FigureJob


def draw_figure(inputs: list[Path], job: FigureJob, out: Path) -> None:
    """Draw a figure of a data set.

    Args:
        inputs: artifacts that its file reads.
        job: which figure, and what it shows.
        out: PNG.
    """
    import_module(f"twinlens.figures.{job.module}").figure(inputs, job, out)
