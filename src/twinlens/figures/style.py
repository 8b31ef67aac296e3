"""How all figures look: font, sizes, and a colour that a method has everywhere."""

import textwrap
from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.ft2font import FT2Font

from twinlens.progress import say
from twinlens.tables.settings import FigureJob, Layout

mpl.use("Agg")

BASE = "DejaVu Sans"
"""It comes with matplotlib."""
BOXES = "Last Resort"
"""Fonts that have a box for every letter."""
RC: dict[str, Any] = {
    "font.size": 8,
    "axes.titlesize": 9,
    "axes.labelsize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.titlesize": 9,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
}
DPI = 130
LETTERS = 13.5
"""Of a title, an inch."""
# Told apart by people of all kinds of colour vision: Okabe and Ito's colours, then
# those of Paul Tol's muted scheme that are furthest from them.
COLOURS = (
    "#0072B2 #D55E00 #009E73 #CC79A7 #E69F00 #56B4E9".split()
    + "#332288 #999933 #882255 #44AA99 #661100 #AA4499".split()
)
MARKERS = "os^DvP*X<>hp"
"""A second sign, for prints without colour."""
INTERPOLATION = "0.55"
ORIGINAL = "black"


class Mark(NamedTuple):
    """How a method is drawn."""

    color: str
    marker: str


def mark(job: FigureJob, name: str) -> Mark:
    """The colour and sign of a method, the same in every figure of a world."""
    method = job.layout.methods[name]
    if method.is_hr:
        return Mark(ORIGINAL, "s")
    if method.paper == "Bicubic":
        return Mark(INTERPOLATION, "o")
    order = list(dict.fromkeys([*job.order, *job.layout.methods]))
    place = order.index(name) % len(COLOURS)
    return Mark(COLOURS[place], MARKERS[place])


def title(layout: Layout, dataset: str, what: str, width: float) -> str:
    """Say of which data and world a figure is, and what it shows.

    Args:
        layout: of the figure.
        dataset: which of its data sets.
        what: what it shows.
        width: inches that a line may take.
    """
    about = layout.datasets[dataset]
    data = " (generated data)" * about.generated
    text = f"{about.label}{data}, {layout.recogniser}, world {layout.world}: {what}"
    return textwrap.fill(text, round(LETTERS * width))


def use(texts: Iterable[str]) -> None:
    """Set the style, with fonts that have all letters of some texts.

    Letters that no font of this machine has are warned of.
    """
    settings: Any = RC
    mpl.rcParams.update(settings)
    letters = {each for text in texts for each in text if not each.isspace()}
    fonts = [BASE]
    absent = letters - _letters(font_manager.findfont(BASE))
    for entry in sorted(font_manager.fontManager.ttflist, key=lambda each: each.fname):
        if entry.name.startswith(BOXES):
            continue
        if not absent:
            break
        if found := absent & _letters(entry.fname):
            fonts.append(entry.name)
            absent -= found
    mpl.rcParams["font.family"] = fonts
    if absent:
        say(
            f"WARNING no font here has {''.join(sorted(absent))}: install one, such as"
            " Noto Sans of that script, and draw the figure again"
        )


@cache
def _letters(path: str) -> frozenset[str]:
    """The letters that a font's file has; none of one that can't be read."""
    try:
        return frozenset(map(chr, FT2Font(path).get_charmap()))
    except (OSError, RuntimeError, ValueError):
        return frozenset()
