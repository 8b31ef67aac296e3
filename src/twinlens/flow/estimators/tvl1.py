"""TV-L1 on gray frames (Zach, Pock, Bischof 2007), see `twinlens.flow.tvl1`."""

from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic.dataclasses import dataclass

from twinlens import gpu
from twinlens.arrays import Frames
from twinlens.flow.estimators import Estimator
from twinlens.settings import STRICT


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Settings:
    """TV-L1 of a preset."""

    kind: Literal["tvl1"]
    label: str = "TV-L1"
    """Name in the tables."""
    preset: Literal["opencv", "fast", "gpu24", "cuda"] = "fast"
    """Its variant; gpu24 made the published recognisers' inputs."""
    device: Literal["auto", "cpu"] = "auto"
    """auto: on a GPU where resources.gpus has some, all pairs of a clip at once."""
    storage: Literal["float32", "float16"] = "float32"
    """Of its state on a GPU; float16 halves the traffic that bounds it."""


def takes_gpu(settings: Settings) -> bool:
    """Whether its jobs ask for a GPU."""
    return settings.device == "auto"


def load(settings: Settings, network: Path | None, threads: int) -> Estimator:
    """Make TV-L1 of the preset; it has no network."""
    if takes_gpu(settings) and gpu.present():
        import torch

        if torch.cuda.is_available():
            return partial(_estimate_on_gpu, settings)
    return partial(_estimate, settings.preset, threads)


def _estimate(
    preset: str, threads: int, first: Frames, second: Frames
) -> NDArray[np.float32]:
    from twinlens.flow.frames import grays
    from twinlens.flow.tvl1 import tvl1

    return tvl1(grays(first), grays(second), preset, threads=threads)


def _estimate_on_gpu(
    settings: Settings, first: Frames, second: Frames
) -> NDArray[np.float32]:
    import torch

    from twinlens.flow.frames import grays
    from twinlens.flow.tvl1_torch import tvl1

    pair, device = (grays(first), grays(second)), torch.device("cuda")
    return tvl1(*pair, settings.preset, device, settings.storage)
