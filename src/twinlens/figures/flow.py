"""Figures 3 and 8: flow of a frame by every method, and its difference to HR's."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from twinlens.artifacts.figure import write_figure
from twinlens.errors import ArtifactError
from twinlens.figures import sources, style
from twinlens.figures.sources import Flow, Sources
from twinlens.flow.colours import coloured, fastest, wheel
from twinlens.progress import say
from twinlens.tables.settings import FigureJob

REGIONS = 2
"""That differ most."""
SHARE = 4
"""A region has this part of the frame's height and width."""
LEAST = 0.25
"""Pixels of difference that full colour stands for, at least."""
Map = NDArray[np.float32]
Corners = list[tuple[int, int]]


def figure(inputs: list[Path], job: FigureJob, out: Path) -> None:
    """Draw the flow of a clip's frame to the next by each method.

    Below each stands its end-point error against the flow of the originals, in pixels.
    The regions in which methods differ most from the originals are marked: where the
    error is largest on average over methods.

    Args:
        inputs: HDF5 "flow/1" of one shard's clips.
        job: its layout has the methods.
        out: PNG; PDF and SVG are written beside it.

    Raises:
        ArtifactError: there is no original, or no flow that all methods have.
    """
    with sources.open_clips(inputs) as files:
        chosen = sources.choice(files, job)
        name = chosen.clip if chosen else sources.fastest_clip(files)
        clip = Sources(files, name)
        rows = [each for each in sources.rows(job) if each.flow_of in clip.flow]
        at = sources.nearest(sources.flows_in_common(clip, rows), chosen)
        flows = {each.label: clip.flow_at(each.flow_of, at) for each in rows}
    if len(flows) < 2:
        raise ArtifactError(f"{name}: only the originals have flow to draw")
    _draw(f"{name}, frame {at}", flows, job, out)
    say(f"{name}: {out}")


def _draw(what: str, flows: dict[str, Flow], job: FigureJob, out: Path) -> None:
    target, *outputs = flows.values()
    errors = [np.hypot(*(each - target)) for each in outputs]
    regions = _regions(np.mean(errors, axis=0))
    full, most = fastest(target), max(LEAST, float(np.percentile(errors, 99)))
    style.use([what, *flows])
    height, width = target.shape[1:]
    drawn, columns = style.columns(len(flows), 2, height / width)
    for (label, flow), (above, _) in zip(flows.items(), columns, strict=True):
        style.show(above, coloured(flow, full), label)
        _mark(above, regions, target)
    beside = max(0, round(61 * (width / height - 1) / 2))
    legend = np.pad(wheel(61), ((0, 0), (beside, beside), (0, 0)), constant_values=255)
    style.show(columns[0][1], legend, f"full colour: {full:.1f} px a frame")
    for error, (_, below) in zip(errors, columns[1:], strict=True):
        said = f"{error.mean():.2f} px; marked {_inside(error, regions):.2f}"
        picture = below.imshow(error, cmap="magma", vmin=0, vmax=most)
        below.set_title(said, fontsize=style.SMALL)
        _mark(below, regions, target)
    bar = drawn.colorbar(picture, ax=[each for _, each in columns], aspect=15)
    bar.set_label("error against HR (px)")
    text = f"{what}; marked is where methods differ most from HR"
    drawn.suptitle(style.title(job.layout, job.dataset, text, drawn.get_figwidth()))
    write_figure(out, drawn, style.DPI)


def _regions(error: Map) -> Corners:
    """Find the corners of regions with the largest error that don't overlap."""
    left, size = error.copy(), _size(error)
    found: Corners = []
    for _ in range(REGIONS):
        y, x = sources.busiest(left, size)
        found.append((y, x))
        # No box that has a pixel in common with this one can win again.
        left[y : y + size[0], x : x + size[1]] = -float(error.sum()) - 1
    return found


def _size(map_hw: Map) -> tuple[int, int]:
    return max(1, map_hw.shape[0] // SHARE), max(1, map_hw.shape[1] // SHARE)


def _inside(error: Map, regions: Corners) -> float:
    """Average the error over the regions."""
    tall, wide = _size(error)
    return float(np.mean([error[y : y + tall, x : x + wide] for y, x in regions]))


def _mark(axis: Axes, regions: Corners, flow: Flow) -> None:
    for y, x in regions:
        style.mark_box(axis, (y, x), _size(flow[0]))
