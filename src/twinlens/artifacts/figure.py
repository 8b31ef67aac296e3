"""Publish figures."""

from pathlib import Path
from typing import TYPE_CHECKING

from twinlens.artifacts.publish import publish

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def write_figure(path: Path, figure: "Figure", dpi: int) -> None:
    """Publish a figure of pyplot's and close it, without matplotlib's version in it."""
    from matplotlib import pyplot  # heavy, and few stages draw

    with publish(path) as temporary:
        figure.savefig(temporary, dpi=dpi, metadata={"Software": None})
    pyplot.close(figure)
