"""Publish figures."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twinlens.artifacts.publish import publish

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Without the time and matplotlib's version, the same figure has the same bytes.
METADATA: dict[str, dict[str, Any]] = {
    ".png": {"Software": None},
    ".pdf": {"Creator": None, "Producer": None, "CreationDate": None},
    ".svg": {"Creator": None, "Date": None},
}


def write_png(path: Path, figure: "Figure", dpi: int) -> None:
    """Publish a figure as PNG, and close it if it is pyplot's."""
    _write(path, figure, dpi)
    _close(figure)


def write_figure(path: Path, figure: "Figure", dpi: int) -> None:
    """Publish a figure as PNG, and beside it as PDF and SVG; close it if pyplot's.

    Args:
        path: PNG.
        figure: what is drawn.
        dpi: of the PNG, and of pictures in the others.
    """
    for ending in METADATA:
        _write(path.with_suffix(ending), figure, dpi)
    _close(figure)


def _write(path: Path, figure: "Figure", dpi: int) -> None:
    import matplotlib as mpl  # heavy, and few stages draw

    metadata = METADATA[path.suffix]
    with publish(path) as temporary, mpl.rc_context({"svg.hashsalt": "twinlens"}):
        figure.savefig(temporary, dpi=dpi, metadata=metadata)


def _close(figure: "Figure") -> None:
    if pyplot := sys.modules.get("matplotlib.pyplot"):  # else it is none of its own
        pyplot.close(figure)
