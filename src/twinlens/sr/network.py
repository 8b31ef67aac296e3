"""Load the network of a method."""

from pathlib import Path
from typing import Any

from torch import nn

from twinlens import models
from twinlens.errors import ArtifactError
from twinlens.networks import artifact


def load(
    weights: Path | None, model: str, settings: dict[str, Any], method: str
) -> nn.Module:
    """Load a network ready to enlarge, on the CPU.

    Args:
        weights: HDF5 "network/1" of the method; None for a model that learns nothing,
            such as bicubic.
        model: its file in `twinlens.models`.
        settings: arguments of its `build`.
        method: what it must have been trained or imported for.

    Raises:
        ArtifactError: see `artifact.load`; or it lacks weights.
    """
    if weights is not None:
        expected = {"kind": model, "settings": settings, "network": method}
        return artifact.load(weights, "sr", **expected)
    if models.learns(model):
        raise ArtifactError(
            f"{model} has weights and none were named; train it, or import some"
        )
    return models.build(model, **settings).eval()
