"""Draw a sheet: pictures with titles in lines with labels, and curves below them."""

from pathlib import Path

import numpy as np
from matplotlib import pyplot
from matplotlib.axes import Axes

from twinlens.artifacts.figure import write_png
from twinlens.figures import style
from twinlens.inspect.pictures import Bars, Curve, Drawn, Picture

CURVE = 1.6
"""Inches of a curve's height."""


def draw(title: str, drawn: Drawn, path: Path) -> None:
    """Draw and publish a sheet.

    Args:
        title: what the file is.
        drawn: what it shows.
        path: PNG.
    """
    style.use([title, *(line.label for line in drawn.lines)])
    across = max((len(line.pictures) for line in drawn.lines), default=4)
    heights = [_height(line.pictures) for line in drawn.lines]
    heights += [CURVE] * len(drawn.curves)
    sheet = pyplot.figure(
        figsize=(max(4.0, style.PANEL * across + 0.6), sum(heights) + 0.5),
        layout="constrained",
    )
    grid = sheet.add_gridspec(len(heights), across, height_ratios=heights)
    for row, line in enumerate(drawn.lines):
        axes = [sheet.add_subplot(grid[row, at]) for at in range(len(line.pictures))]
        axes[0].set_ylabel(line.label)
        for axis, each in zip(axes, line.pictures, strict=True):
            _panel(axis, each)
    for row, curve in enumerate(drawn.curves, start=len(drawn.lines)):
        _curve(sheet.add_subplot(grid[row, :]), curve)
    sheet.suptitle(title)
    write_png(path, sheet, style.DPI)


def _height(pictures: list[Picture | Bars]) -> float:
    """Inches of a line: of its tallest picture, and its title."""
    shapes = [each.image.shape for each in pictures if isinstance(each, Picture)]
    tallest = max((shape[0] / shape[1] for shape in shapes), default=0.6)
    return style.PANEL * min(2.0, tallest) + 0.3


def _panel(axis: Axes, each: Picture | Bars) -> None:
    axis.set(xticks=[], yticks=[])
    if isinstance(each, Picture):
        axis.spines[:].set_visible(False)
        style.show(axis, each.image, each.title)
        return
    colours = np.full(len(each.values), "0.7", dtype=object)
    colours[each.label] = style.RIGHT
    axis.bar(
        np.arange(len(each.values)),
        each.values - each.values.min(),
        color=list(colours),
    )
    axis.set_title(f"{each.title}: class {each.label} in colour", fontsize=style.SMALL)


def _curve(axis: Axes, curve: Curve) -> None:
    mark = "o" if len(curve.steps) < 60 else ""
    axis.plot(curve.steps, curve.values, marker=mark, markersize=3, color=style.RIGHT)
    axis.set(xlabel="step", ylabel=curve.label)
    best = curve.values.min() if curve.label == "loss" else curve.values.max()
    axis.set_title(f"{curve.label}: last {curve.values[-1]:.4g}, best {best:.4g}")
