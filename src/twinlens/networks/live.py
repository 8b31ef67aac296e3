"""Show a training while it runs: a picture, and a library's log where asked for."""

import math
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from twinlens.artifacts.figure import write_png
from twinlens.errors import ConfigError

if TYPE_CHECKING:
    from lightning_fabric.loggers.logger import Logger

SECONDS_BETWEEN = 60.0
"""From one picture to the next."""
LOGGERS = ("csv", "tensorboard")
"""Values of the environment variable `TWINLENS_LOGGER`."""
HIDDEN = {"step", "lr"}
"""Columns of a log that have no panel."""


def path_beside(out: Path) -> Path:
    """Where the picture lies while the network `out` is trained."""
    return out.with_name(f"{out.stem}-live.png")


class Live:
    """The picture of one training, drawn anew as rows come."""

    def __init__(self, name: str, out: Path, steps: int) -> None:
        """Draw nothing yet.

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
        """Draw a panel for each column, its mean over a fiftieth of the rows in front.

        Args:
            columns: of the log.
            log: (rows, columns), NaN where nothing was measured.
        """
        import matplotlib as mpl  # heavy, and many trainings end before a picture

        mpl.use("Agg")
        from matplotlib import pyplot

        shown = [name for name in columns if name not in HIDDEN]
        figure, axes = pyplot.subplots(
            len(shown), sharex=True, figsize=(7, 2 * len(shown) + 1), squeeze=False
        )
        steps = log[:, list(columns).index("step")] + 1
        for axis, name in zip(axes[:, 0], shown, strict=True):
            values = log[:, list(columns).index(name)]
            known = np.isfinite(values)
            axis.plot(steps[known], values[known], color="0.8", linewidth=0.7)
            axis.plot(*smooth(steps[known], values[known], len(log) // 50))
            axis.set(ylabel=name, xlim=(0, self.steps))
        axes[0, 0].set_title(f"{self.name}: step {int(steps[-1])} of {self.steps}")
        axes[-1, 0].set_xlabel("steps")
        figure.tight_layout()
        write_png(self.path, figure, 100)
        self._drawn = time.monotonic()


def smooth(steps: NDArray[Any], values: NDArray[Any], width: int) -> tuple[Any, Any]:
    """Average over windows of `width` rows; each mean stands at its window's end."""
    if width < 2 or len(values) < width:  # noqa: PLR2004
        return steps, values
    means = np.convolve(values, np.full(width, 1 / width), mode="valid")
    return steps[width - 1 :], means


def loggers(out: Path) -> "list[Logger]":
    """The library's logger that `TWINLENS_LOGGER` asks for, in `<out>-log/`; or none.

    Raises:
        ConfigError: there is no such logger, or its package is not installed.
    """
    name = os.environ.get("TWINLENS_LOGGER", "")
    if not name:
        return []
    if name not in LOGGERS:
        raise ConfigError([f"TWINLENS_LOGGER={name}: use {' or '.join(LOGGERS)}"])
    # Here, since `status` asks for the picture's path only.
    from lightning_fabric.loggers.csv_logs import CSVLogger
    from lightning_fabric.loggers.tensorboard import TensorBoardLogger

    where: dict[str, Any] = {"root_dir": out.parent, "name": f"{out.stem}-log"}
    if name == "csv":
        return [CSVLogger(**where)]
    try:
        # Without versions, so that a resumed training goes on in the same curve.
        return [TensorBoardLogger(**where, version="")]
    except ModuleNotFoundError as error:
        remedy = f"TWINLENS_LOGGER={name}: pip install tensorboardX, or use csv"
        raise ConfigError([remedy]) from error


def log_rows(
    loggers: "Sequence[Logger]", columns: Sequence[str], rows: NDArray[np.float64]
) -> None:
    """Hand rows of a log to the library; what was not measured is left out.

    Args:
        loggers: see `loggers`.
        columns: of the log; the first is the step, from 0.
        rows: (N, columns).
    """
    for logger in loggers:
        for step, *values in rows.tolist():
            named = zip(columns[1:], values, strict=True)
            known = {name: value for name, value in named if not math.isnan(value)}
            logger.log_metrics(known, step=int(step))
        logger.save()
