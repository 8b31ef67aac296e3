"""Dense inverse search on gray frames (Kroeger et al., ECCV 2016), OpenCV's."""

from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic.dataclasses import dataclass

from twinlens.arrays import Frames
from twinlens.flow.estimators import Estimator
from twinlens.settings import STRICT


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Settings:
    """Dense inverse search of a preset."""

    kind: Literal["dis"]
    label: str = "DIS"
    """Name in the tables."""
    preset: Literal["ultrafast", "fast", "medium"] = "medium"
    """OpenCV's choice of scales, patches and steps; medium is its most exact."""


def load(settings: Settings, network: Path | None, threads: int) -> Estimator:
    """Make the estimator of the preset; it has no network."""
    return partial(_estimate, settings.preset, threads)


def _estimate(
    preset: str, threads: int, first: Frames, second: Frames
) -> NDArray[np.float32]:
    import cv2

    from twinlens.flow.frames import grays

    cv2.setNumThreads(threads)
    choice = getattr(cv2, f"DISOPTICAL_FLOW_PRESET_{preset.upper()}")
    # A new one for each pair: it starts from what it found before.
    flows = [
        cv2.DISOpticalFlow_create(choice).calc(one, other, None)
        for one, other in zip(grays(first), grays(second), strict=True)
    ]
    none = np.zeros((0, *first.shape[1:3], 2), np.float32)
    return np.moveaxis(np.stack(flows) if flows else none, -1, 1)
