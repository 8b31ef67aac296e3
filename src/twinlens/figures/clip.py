"""One clip by every method: frame, detail, flow, and how a row changes over time.

The pictures of the paper's Figures 3, 4, 7, 8 and 9 in one sheet, for any data set.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import torch
from numpy.typing import NDArray

from twinlens import checkpoints
from twinlens.artifacts.figure import write_figure
from twinlens.artifacts.table import read_csv
from twinlens.degrade.bicubic import downscale
from twinlens.errors import ArtifactError
from twinlens.flow.colours import coloured, fastest
from twinlens.flow.gray import gray
from twinlens.flow.tvl1 import tvl1
from twinlens.media.ffmpeg import decode
from twinlens.media.frames import fitted
from twinlens.progress import say, track
from twinlens.sr.enlarge import enlarge
from twinlens.training import networks

matplotlib.use("Agg")

from matplotlib import pyplot  # noqa: E402

Frames = NDArray[np.uint8]
LONGEST = 32
"""Frames of a temporal profile at most."""
SIDE = 1.9  # inches of a picture
ROWS = ("frame", "detail", "flow", "row over time")


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """A method in the picture."""

    label: str
    name: str
    """The method in the config."""
    model: str
    settings: dict[str, Any] = field(default_factory=dict)
    weights: Path | None = None
    """HDF5 "network/1"."""


def draw_clip(
    manifest: Path,
    methods: list[Shown],
    out: Path,
    clip: str | None = None,
    short_side: int | None = None,
    given_low: bool = False,
    preset: str = "fast",
    threads: int = 1,
) -> None:
    """Draw one test clip of a data set.

    Args:
        manifest: csv of the data set's clips, for their paths.
        methods: columns between low resolution and original.
        out: PNG.
        clip: its name; by default the one in the middle of the test clips.
        short_side: as the data set's frames were brought to.
        given_low: whether test clips are low-resolution already: no original is shown.
        preset: of `twinlens.flow.tvl1`.
        threads: CPU threads.

    Raises:
        ArtifactError: there is no such clip.
    """
    checkpoints.repeatable(threads)
    name, path = _chosen(manifest, clip)
    frames = fitted(_middle(decode(path).frames), short_side)
    low = frames if given_low else downscale(frames)
    size = (None, None) if given_low else frames.shape[1:3]
    columns = {"low resolution": low}
    for method in track(methods, f"draw {name}", "methods"):
        columns[method.label] = _by(method, low)[:, : size[0], : size[1]]
    if not given_low:
        columns["HR"] = frames
    _draw(name, columns, preset, threads, out)
    say(f"{name}: {out}")


def _chosen(manifest: Path, clip: str | None) -> tuple[str, Path]:
    rows = read_csv(manifest, "manifest/1")
    rows = rows[(rows["part"] == "test") & (rows["status"] == "ok")]
    if clip is not None:
        rows = rows[rows["clip"] == clip]
    if rows.empty:
        raise ArtifactError(f"{manifest}: lists no test clip {clip or ''}")
    row = rows.iloc[len(rows) // 2]
    return str(row["clip"]), Path(row["path"])


def _middle(frames: Frames) -> Frames:
    start = max(0, (len(frames) - LONGEST) // 2)
    return frames[start : start + LONGEST]


def _by(method: Shown, low: Frames) -> Frames:
    device = checkpoints.device()
    kind = method.model, method.settings, method.name
    network = networks.load(method.weights, *kind).to(device)
    index = np.arange(len(low))
    with torch.inference_mode():
        return enlarge(network, low, index, index, len(low), device)


def _draw(
    name: str, columns: dict[str, Frames], preset: str, threads: int, out: Path
) -> None:
    height, width = _last(columns).shape[1:3]
    flows = {
        label: _flow(frames, height / frames.shape[1], preset, threads)
        for label, frames in columns.items()
    }
    full = fastest(_last(flows))
    busy = np.abs(np.diff(_last(columns).astype(np.float32), axis=0)).mean(axis=(0, 3))
    row, corner = int(busy.mean(axis=1).argmax()), _busiest(busy)
    figure, axes = pyplot.subplots(
        len(ROWS),
        len(columns),
        figsize=(SIDE * len(columns), SIDE * len(ROWS) * height / width + 0.7),
        squeeze=False,
    )
    for place, (label, frames) in enumerate(columns.items()):
        pictures = (
            frames[_middle_of(frames)],
            _detail(frames[_middle_of(frames)], corner, height),
            coloured(flows[label], full),
            frames[:, row * frames.shape[1] // height],
        )
        for axis, picture in zip(axes[:, place], pictures, strict=True):
            axis.imshow(picture, aspect="auto", interpolation="nearest")
            axis.set(xticks=[], yticks=[])
        axes[0, place].set_title(label, fontsize=9)
    for axis, label in zip(axes[:, 0], ROWS, strict=True):
        axis.set_ylabel(label, fontsize=8)
    about = f"flow of {full:.1f} px a frame in full colour, row {row} over time"
    figure.suptitle(f"{name}: {about}", fontsize=9)
    figure.tight_layout(pad=0.4, rect=(0, 0, 1, 0.98))
    write_figure(out, figure, 130)


def _last(columns: dict[str, Any]) -> Any:
    """The original's column, or the last method's where there is no original."""
    return list(columns.values())[-1]


def _middle_of(frames: Frames) -> int:
    """The place of the frame that is shown; there is one after it."""
    return (len(frames) - 1) // 2


def _flow(
    frames: Frames, scale: float, preset: str, threads: int
) -> NDArray[np.floating]:
    """Flow of the middle frame to the next: (2, H, W), pixels of the original."""
    middle = _middle_of(frames)
    first, second = (gray(frame)[None] for frame in frames[middle : middle + 2])
    return scale * tvl1(first, second, preset, threads=threads)[0]


def _detail(frame: Frames, corner: tuple[int, int], height: int) -> Frames:
    """A third of the frame at a corner that is given in pixels of the original."""
    y, x = (place * frame.shape[0] // height for place in corner)
    return frame[y : y + frame.shape[0] // 3, x : x + frame.shape[1] // 3]


def _busiest(busy_hw: NDArray[np.floating]) -> tuple[int, int]:
    """Corner of the third of the frame in which most changes: (y, x)."""
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
