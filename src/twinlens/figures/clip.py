"""One clip by every method: frame, detail, flow, and how a row changes over time.

The pictures of the paper's Figures 3, 4, 7, 8 and 9 in one sheet, for any data set,
from the frames and the flow that were scored.
"""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import pyplot
from numpy.typing import NDArray

from twinlens.artifacts import reader
from twinlens.artifacts.figure import write_figure
from twinlens.artifacts.reader import Artifact, Clip, JoinedClip
from twinlens.errors import ArtifactError
from twinlens.figures import style
from twinlens.flow.colours import coloured, fastest
from twinlens.flow.encoding import decode
from twinlens.progress import say
from twinlens.tables.settings import FigureJob

Frames = NDArray[np.uint8]
LONGEST = 32
"""Frames of a temporal profile at most."""
SIDE = 1.9  # inches of a picture
ROWS = ("frame", "detail", "flow", "row over time")
LOW = "low resolution"


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """What is drawn of a method."""

    frames: Frames
    """(T, H, W, 3), the frames that all columns have."""
    middle: int
    """Which of them is shown."""
    flow: NDArray[np.float32] | None
    """(2, h, w), px, of the frame in the middle to the next; None where none is."""


def figure(inputs: list[Path], job: FigureJob, out: Path) -> None:
    """Draw the clip in the middle of a shard of test clips.

    Args:
        inputs: HDF5 "frames/1", "low/1" and "flow/1" of one shard's clips.
        job: its layout has the methods, columns between low resolution and original.
        out: PNG.

    Raises:
        ArtifactError: no frame of the clip is stored for all methods, or the shard has
            no clip.
    """
    with ExitStack() as stack:
        files = [stack.enter_context(reader.open(path)) for path in inputs]
        if not (clips := files[0].clips):
            raise ArtifactError(f"{files[0].path}: has no clip to draw")
        name = clips[len(clips) // 2]
        columns = _columns(_Sources(files, name), job)
    _draw(name, columns, out)
    say(f"{name}: {out}")


class _Sources:
    """A clip's frames and flow by method, as some artifacts store them."""

    def __init__(self, files: list[Artifact], name: str) -> None:
        self.bound: dict[str, float] = {}
        frames: dict[str, list[Clip]] = {}
        flow: dict[str, list[Clip]] = {}
        for file in files:
            method = LOW if file.kind == "low/1" else str(file.about["method"])
            if file.kind == "flow/1":
                flow.setdefault(method, []).append(file.clip(name))
                self.bound[method] = float(file.about["form"]["bound"])
            else:
                frames.setdefault(method, []).append(file.clip(name))
        self.frames = {method: JoinedClip(each) for method, each in frames.items()}
        self.flow = {method: JoinedClip(each) for method, each in flow.items()}


def _columns(sources: _Sources, job: FigureJob) -> dict[str, Column]:
    """Collect what is drawn, by label; low resolution first, the original last."""
    rows = {
        method.label: (method.frames_of, method.flow_of)
        for key, method in job.layout.methods.items()
        if method.frames_of in sources.frames and key != "hr"
    }
    if job.layout.datasets[job.dataset].has_hr:
        rows = {LOW: (LOW, ""), **rows, "HR": ("hr", "hr")}
    else:
        rows = {LOW: ("hr", ""), **rows}
    index, middle = _index(sources, rows)
    return {
        label: Column(
            frames=sources.frames[frames_of].at("frames", index),
            middle=int(np.searchsorted(index, middle)),
            flow=_flow(sources, flow_of, middle),
        )
        for label, (frames_of, flow_of) in rows.items()
    }


def _index(
    sources: _Sources, rows: dict[str, tuple[str, str]]
) -> tuple[NDArray[np.integer], int]:
    """Choose the frames that are drawn, and the one in their middle."""
    index = np.arange(1 << 20)
    for frames_of, _ in rows.values():
        index = np.intersect1d(index, sources.frames[frames_of].index)
    flows = index
    for clip in sources.flow.values():
        flows = np.intersect1d(flows, clip.index)
    if not len(flows):
        raise ArtifactError(
            "no frame and flow of the clip are stored for all methods; set frames: all"
            " of its data set"
        )
    middle = int(flows[len(flows) // 2])
    start = max(0, int(np.searchsorted(index, middle)) - LONGEST // 2)
    return index[start : start + LONGEST], middle


def _flow(sources: _Sources, method: str, middle: int) -> NDArray[np.float32] | None:
    if method not in sources.flow:
        return None
    return decode(sources.flow[method].at("flow", middle), sources.bound[method])


def _draw(name: str, columns: dict[str, Column], out: Path) -> None:
    style.use([name, *columns])
    last = list(columns.values())[-1]
    height, width = last.frames.shape[1:3]
    flows = [column.flow for column in columns.values() if column.flow is not None]
    full = fastest(flows[-1])
    busy = np.abs(np.diff(last.frames.astype(np.float32), axis=0)).mean(axis=(0, 3))
    row, corner = int(busy.mean(axis=1).argmax()), _busiest(busy)
    drawn, axes = pyplot.subplots(
        len(ROWS),
        len(columns),
        figsize=(SIDE * len(columns), SIDE * len(ROWS) * height / width + 0.7),
        squeeze=False,
    )
    for panels, (label, column) in zip(axes.T, columns.items(), strict=True):
        shown = column.frames[column.middle]
        pictures: tuple[Any, ...] = (
            shown,
            _detail(shown, corner, height),
            None if column.flow is None else coloured(column.flow, full),
            column.frames[:, row * shown.shape[0] // height],
        )
        for panel, picture in zip(panels, pictures, strict=True):
            _show(panel, picture)
        panels[0].set_title(label)
    for panel, label in zip(axes[:, 0], ROWS, strict=True):
        panel.set_ylabel(label)
    text = f"flow of {full:.1f} px a frame in full colour, row {row} over time"
    drawn.suptitle(f"{name}: {text} ({len(last.frames)} stored frames)")
    drawn.tight_layout(pad=0.4, rect=(0, 0, 1, 0.98))
    write_figure(out, drawn, style.DPI)


def _show(panel: Any, picture: NDArray[np.uint8] | None) -> None:
    """Show a picture, or an empty panel where there is none."""
    panel.set(xticks=[], yticks=[])
    panel.spines[:].set_visible(picture is not None)
    if picture is None:
        panel.set_frame_on(False)
    else:
        panel.imshow(picture, aspect="auto", interpolation="nearest")


def _detail(frame: Frames, corner: tuple[int, int], height: int) -> Frames:
    """Cut a third of the frame at a corner, in pixels of the original."""
    y, x = (at * frame.shape[0] // height for at in corner)
    return frame[y : y + frame.shape[0] // 3, x : x + frame.shape[1] // 3]


def _busiest(busy_hw: NDArray[np.floating]) -> tuple[int, int]:
    """Find the corner of the third of the frame that changes most: (y, x)."""
    height, width = busy_hw.shape
    tall, wide = height // 3, width // 3
    sums = np.pad(busy_hw, ((1, 0), (1, 0))).cumsum(0).cumsum(1)
    boxes = (
        sums[tall:, wide:]
        - sums[:-tall, wide:]
        - sums[tall:, :-wide]
        + sums[:-tall, :-wide]
    )
    y, x = np.unravel_index(boxes.argmax(), boxes.shape)
    return int(y), int(x)
