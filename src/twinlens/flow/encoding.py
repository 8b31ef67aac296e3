"""Store flow in 8 bits, as the recognisers read it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinlens.errors import ArtifactError


def encode(flow: NDArray[np.float32], bound: float = 20.0) -> NDArray[np.uint8]:
    """Encode flow in pixels as 0..255: -bound is 0, bound is 255, beyond is clipped.

    Halves round to even, as the extraction tool of TSN does (its bound is 20): no
    motion is 128, since 127.5 lies between.

    Raises:
        ArtifactError: a value is not finite.
    """
    if not np.isfinite(flow).all():
        raise ArtifactError("flow has values that are not finite numbers")
    scaled = 255 * (flow.astype(np.float64) + bound) / (2 * bound)
    return np.rint(np.clip(scaled, 0, 255)).astype(np.uint8)


def decode(coded: NDArray[Any], bound: float = 20.0) -> NDArray[np.float32]:
    """Decode to flow in pixels, within half a step of what was encoded."""
    return coded.astype(np.float32) * np.float32(2 * bound / 255) - np.float32(bound)
