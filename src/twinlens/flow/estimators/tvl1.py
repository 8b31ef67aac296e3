"""TV-L1 on gray frames (Zach, Pock, Bischof 2007), see `twinlens.flow.tvl1`."""

from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic.dataclasses import dataclass

from twinlens.flow.estimators import Estimator, Frames
from twinlens.settings import STRICT


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Settings:
    """TV-L1 of a preset."""

    kind: Literal["tvl1"]
    label: str = "TV-L1"
    """Name in the tables."""
    preset: Literal["opencv", "fast", "gpu24", "cuda"] = "fast"
    """Its variant; gpu24 made the published recognisers' inputs."""


def load(settings: Settings, network: Path | None, threads: int) -> Estimator:
    """Make TV-L1 of the preset; it has no network."""
    return partial(_estimate, settings.preset, threads)


def _estimate(
    preset: str, threads: int, first: Frames, second: Frames
) -> NDArray[np.float32]:
    from twinlens.flow.frames import grays
    from twinlens.flow.tvl1 import tvl1

    return tvl1(grays(first), grays(second), preset, threads=threads)
