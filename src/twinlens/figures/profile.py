"""Figures 4 and 9: temporal profiles, how a row of pixels changes over time."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from twinlens.arrays import Frames
from twinlens.artifacts.figure import write_figure
from twinlens.figures import sources, style
from twinlens.figures.sources import Index, Sources
from twinlens.progress import say
from twinlens.tables.settings import ClipChoice, FigureJob

LONGEST = 64
"""Frames of a profile, at most."""


def figure(inputs: list[Path], job: FigureJob, out: Path) -> None:
    """Draw a row of pixels over time by each method, and where it lies in the frame.

    The row is that which changes most in the originals, unless the config names one.
    Flicker is the mean change from a frame to the next that the originals don't have,
    in gray levels (0 to 255); of all change where there are no originals.

    Args:
        inputs: HDF5 "frames/1" of one shard's clips.
        job: its layout has the methods.
        out: PNG; PDF and SVG are written beside it.

    Raises:
        ArtifactError: no frame is stored for all methods.
    """
    with sources.open_clips(inputs) as files:
        chosen = sources.choice(files, job)
        name = chosen.clip if chosen else sources.most_changing_clip(files)
        clip = Sources(files, name)
        rows = sources.rows(job)
        index = _window(sources.frames_in_common(clip, rows), chosen)
        frames = {r.label: clip.frames[r.frames_of].at("frames", index) for r in rows}
    _draw(name, frames, index, chosen, job, out)
    say(f"{name}: {out}")


def _window(index: Index, chosen: ClipChoice | None) -> Index:
    """Choose frames that are near one another, around the one that is named."""
    middle = int(np.searchsorted(index, sources.nearest(index, chosen)))
    start = max(0, min(middle - LONGEST // 2, len(index) - LONGEST))
    return index[start : start + LONGEST]


def _draw(
    name: str,
    frames: dict[str, Frames],
    index: Index,
    chosen: ClipChoice | None,
    job: FigureJob,
    out: Path,
) -> None:
    style.use([name, *frames])
    reference = next(iter(frames.values()))
    count, height, width = reference.shape[:3]
    row = _row(reference, chosen)
    drawn, columns = style.columns(len(frames) + 1, 1, height / width)
    (first,), *others = columns
    middle = count // 2
    style.show(first, reference[middle], f"frame {index[middle]}")
    first.axhline(row, color=style.MARKED, linestyle=":", linewidth=1.2)
    flicker = flickers(frames, index, row, job.layout.datasets[job.dataset].has_hr)
    for (label, video), (axis,) in zip(frames.items(), others, strict=True):
        value = f": flicker {flicker[label]:.2f}" if label in flicker else ""
        style.show(axis, profile(video, index, row), label + value, aspect="auto")
    others[0][0].set_ylabel("time")
    what = f"{name}, row {row} of frames {index[0]} to {index[-1]} ({count} are stored)"
    drawn.suptitle(style.title(job.layout, job.dataset, what, drawn.get_figwidth()))
    write_figure(out, drawn, style.DPI)


def _row(frames: Frames, chosen: ClipChoice | None) -> int:
    """Choose the row that changes most, or the one that is named."""
    if chosen is not None and chosen.row is not None:
        return min(chosen.row, frames.shape[1] - 1)
    return int(sources.change(frames).mean(axis=1).argmax())


def profile(frames: Frames, index: Index, row: int) -> Frames:
    """Put a row of each frame below that of the frame before.

    Args:
        frames: (T, H, W, 3).
        index: (T,) of the frames in their clip; those between are left white.
        row: from 0.

    Returns:
        (last - first + 1, W, 3).
    """
    shape = int(index[-1] - index[0]) + 1, *frames.shape[2:]
    picture = np.full(shape, 255, np.uint8)
    picture[index - index[0]] = frames[:, row]
    return picture


def flickers(
    frames: dict[str, Frames], index: Index, row: int, has_hr: bool
) -> dict[str, float]:
    """Measure each method's flicker along a row, from frames next to one another.

    That is how much more than the original it changes, on average over pixels: what
    changes less, as blurred details that move do, adds nothing.

    Args:
        frames: (T, H, W, 3) by label, the originals first where there are some.
        index: (T,) of the frames in their clip.
        row: from 0.
        has_hr: whether there are originals; else all of the change counts.

    Returns:
        Gray levels, by label.
    """
    beside = np.diff(index) == 1
    if not beside.any():
        return {}
    steps = {label: _steps(video, row)[beside] for label, video in frames.items()}
    if not has_hr:
        return {label: float(np.abs(each).mean()) for label, each in steps.items()}
    (_, target), *outputs = steps.items()
    return {
        label: float((np.abs(each) - np.abs(target)).clip(min=0).mean())
        for label, each in outputs
    }


def _steps(frames: Frames, row: int) -> NDArray[np.float32]:
    """The change of a row from frame to frame: (T - 1, W, 3)."""
    return np.diff(frames[:, row].astype(np.float32), axis=0)
