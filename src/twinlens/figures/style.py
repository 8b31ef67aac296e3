"""How all figures look: font, sizes, and a colour that a method has everywhere."""

import math
import textwrap
from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple

import matplotlib as mpl
from matplotlib import font_manager, pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ft2font import FT2Font
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from twinlens.progress import say
from twinlens.tables.settings import Layout

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
    "text.parse_math": False,  # names may have a "$"
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
RIGHT, WRONG = "#0072B2", "#D55E00"
"""Of a clip that is recognised, and of one that is not."""
MARKED = "#E69F00"
"""Of what is pointed at in a picture."""
SMALL = 7
"""Points of a caption."""
PANEL = 1.9
"""Inches of a picture's width."""
ACROSS = 7
"""Pictures side by side, at most."""


class Mark(NamedTuple):
    """How a method is drawn."""

    color: str
    marker: str


def mark(layout: Layout, order: Iterable[str], name: str) -> Mark:
    """The colour and sign of a method, the same in every figure of a world.

    Args:
        layout: has the method.
        order: all methods of the world.
        name: which of the layout's.
    """
    method = layout.methods[name]
    if method.is_hr:
        return Mark(ORIGINAL, "s")
    if method.paper == "Bicubic":
        return Mark(INTERPOLATION, "o")
    every = list(dict.fromkeys([*order, *layout.methods]))
    place = every.index(name) % len(COLOURS)
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


def columns(count: int, kinds: int, aspect: float) -> tuple[Figure, list[list[Axes]]]:
    """Lay out pictures of some methods, wrapped into lines of about equal length.

    Args:
        count: of methods.
        kinds: pictures of each, one above the other.
        aspect: height of a picture over its width.

    Returns:
        The figure, and the panels of each method from top to bottom.
    """
    lines = math.ceil(count / ACROSS)
    across = math.ceil(count / lines)
    tall = kinds * (PANEL * aspect + 0.25)
    drawn, axes = pyplot.subplots(
        lines * kinds,
        across,
        figsize=(max(PANEL * across, 4.0), tall * lines + 0.5),
        squeeze=False,
        layout="constrained",
    )
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[], frame_on=False)
    cells = [axes[kinds * (n // across) :, n % across][:kinds] for n in range(count)]
    return drawn, [list(each) for each in cells]


def show(
    axis: Axes, picture: NDArray[Any], title: str = "", aspect: str = "equal"
) -> None:
    """Show a picture (H, W, 3) in a panel, every pixel as a square."""
    axis.imshow(picture, aspect=aspect, interpolation="nearest")  # type: ignore[arg-type]
    axis.set_title(title, fontsize=RC["xtick.labelsize"] + 1)


def mark_box(axis: Axes, corner: tuple[int, int], size: tuple[int, int]) -> None:
    """Draw a box into a picture: its corner (y, x) and size (height, width)."""
    (y, x), (tall, wide) = corner, size
    outline = Rectangle((x - 0.5, y - 0.5), wide, tall, fill=False, color=MARKED)
    axis.add_patch(outline)


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
