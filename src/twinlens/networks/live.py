"""Show a training while it runs: a picture, and a library's log where asked for."""

import math
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from twinlens.errors import ArtifactError, ConfigError
from twinlens.progress import say

if TYPE_CHECKING:
    from lightning_fabric.loggers.logger import Logger
    from matplotlib.axes import Axes

SECONDS_BETWEEN = 60.0
"""From one picture to the next."""
LOGGERS = ("csv", "tensorboard")
"""Values of the environment variable `TWINLENS_LOGGER`."""
TENSORBOARDS = ("tensorboardX", "tensorboard")
"""Packages of which one writes TensorBoard's files."""
LOGGED = "-log"
"""What the name of a logger's folder ends with, beside the network."""
HIDDEN = {"step", "lr"}
"""Columns of a log that have no panel."""


def path_beside(out: Path) -> Path:
    """Where the picture lies while the network `out` is trained."""
    return out.with_name(f"{out.stem}-live.png")


class Live:
    """The picture of a training, drawn again as rows come."""

    def __init__(self, name: str, out: Path, steps: int) -> None:
        """Say what is trained; nothing is drawn yet.

        Args:
            name: of what is trained, for people.
            out: the artifact.
            steps: how many there are.
        """
        self.name, self.path, self.steps = name, path_beside(out), steps
        self._drawn = time.monotonic()

    @property
    def is_due(self) -> bool:
        """Whether the last picture is old enough for another."""
        return time.monotonic() - self._drawn > SECONDS_BETWEEN

    def draw(self, columns: Sequence[str], log: NDArray[np.float64]) -> None:
        """Publish a PNG with a panel for each column of the log.

        Args:
            columns: of the log; one is "step", from 0.
            log: (rows, columns), NaN where nothing was measured.

        Raises:
            ArtifactError, OSError: the disk refused it.
        """
        # Heavy, and many trainings end before a picture. Not a figure of pyplot's,
        # which it would keep where a disk refuses it.
        from matplotlib.figure import Figure

        from twinlens.artifacts.figure import write_png

        self._drawn = time.monotonic()
        rows = dict(zip(columns, log.T, strict=True))
        steps = rows["step"] + 1
        shown = {name: rows[name] for name in rows if name not in HIDDEN}
        figure = Figure(figsize=(7, 2 * len(shown) + 1))
        axes = figure.subplots(len(shown), sharex=True, squeeze=False)
        for axis, (name, values) in zip(axes[:, 0], shown.items(), strict=True):
            _plot(axis, steps, values)
            axis.set(ylabel=name, xlim=(0, self.steps))
        axes[0, 0].set_title(f"{self.name}: step {int(steps[-1])} of {self.steps}")
        axes[-1, 0].set_xlabel("steps")
        figure.tight_layout()
        write_png(self.path, figure, 100)


def _plot(
    axis: "Axes", steps: NDArray[np.float64], values: NDArray[np.float64]
) -> None:
    """Plot the values that are known, and their mean over a fiftieth of all steps."""
    import pandas as pd

    known = np.isfinite(values)
    width = max(1, len(values) // 50)
    axis.plot(steps[known], values[known], color="0.8", linewidth=0.7)
    means = pd.Series(values[known]).rolling(width, min_periods=1).mean()
    axis.plot(steps[known], means.to_numpy())


@contextmanager
def optional() -> Iterator[None]:
    """Run a block without which a training goes on: where it fails, that is said."""
    try:
        yield
    except (ArtifactError, OSError) as error:
        say(f"WARNING nothing is shown of this training for now: {error}")


def faults() -> list[str]:
    """Say why the logger that `TWINLENS_LOGGER` asks for can't be had, if it can't."""
    name = os.environ.get("TWINLENS_LOGGER", "")
    if name and name not in LOGGERS:
        return [f"TWINLENS_LOGGER={name}: use {' or '.join(LOGGERS)}"]
    if name == "tensorboard" and not any(map(find_spec, TENSORBOARDS)):
        return [f"TWINLENS_LOGGER={name}: pip install tensorboardX, or use csv"]
    return []


def loggers(out: Path, identity: str) -> "list[Logger]":
    """The library's logger that `TWINLENS_LOGGER` asks for, in `<out>-log/`; or none.

    Args:
        out: the artifact.
        identity: of the job that writes it.

    Raises:
        ConfigError: there is no such logger, or its package is not installed.
    """
    if found := faults():
        raise ConfigError(found)
    name = os.environ.get("TWINLENS_LOGGER", "")
    if not name:
        return []
    # Here, since `status` asks for the picture's path only.
    from lightning_fabric.loggers.csv_logs import CSVLogger
    from lightning_fabric.loggers.tensorboard import TensorBoardLogger

    where: dict[str, Any] = {"root_dir": out.parent, "name": f"{out.stem}{LOGGED}"}
    if name == "csv":
        return [CSVLogger(**where)]
    # A folder for each job, so that one that resumes goes on in its own curve.
    return [TensorBoardLogger(**where, version=identity[:12])]


def log_rows(
    targets: "Sequence[Logger]", columns: Sequence[str], rows: NDArray[np.float64]
) -> None:
    """Hand rows of a log to the library; what was not measured is left out.

    Args:
        targets: see `loggers`.
        columns: of the log; the first is the step, from 0.
        rows: (N, columns).
    """
    for logger in targets:
        for step, *values in rows.tolist():
            named = zip(columns[1:], values, strict=True)
            known = {name: value for name, value in named if not math.isnan(value)}
            logger.log_metrics(known, step=int(step))
        logger.save()
