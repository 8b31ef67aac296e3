"""Parameters of MatConvNet's networks: where a file has them, how axes are ordered.

DagNN's `saveobj`: a struct, often called `net`, with arrays of structs `params` (name,
value, ...) and `layers`, and `meta`.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from twinlens.errors import message

Arrays = dict[str, NDArray[Any]]


def parameters(found: Mapping[str, Any]) -> Arrays:
    """The parameters of a network by name.

    Args:
        found: what `twinlens.weights.read` returns of a .mat file.

    Raises:
        ValueError: it is no DagNN network.
    """
    entries = _network(found).get("params")
    entries = [entries] if isinstance(entries, Mapping) else entries
    if not isinstance(entries, list):
        raise ValueError(message("no DagNN network: it has no params"))
    return {text(each["name"]): np.asarray(each["value"]) for each in entries}


def average_image(found: Mapping[str, Any]) -> list[float] | None:
    """The mean of each input channel that the network was trained with, if stated."""
    meta = _network(found).get("meta")
    norm = meta.get("normalization") if isinstance(meta, Mapping) else None
    image = norm.get("averageImage") if isinstance(norm, Mapping) else None
    if image is None or not np.size(image):
        return None
    values = np.asarray(image, np.float64)
    flat = values.reshape(-1, values.shape[-1]) if values.ndim > 2 else values.ravel()
    return [float(each) for each in (flat.mean(axis=0) if flat.ndim > 1 else flat)]


def text(value: Any) -> str:
    """A MATLAB string, however its reader gives it."""
    return str(np.asarray(value).ravel()[0]) if np.size(value) else ""


def _network(found: Mapping[str, Any]) -> Mapping[str, Any]:
    inner = found.get("net", found)
    return inner if isinstance(inner, Mapping) else {}


def kernel(filters: NDArray[Any]) -> Tensor:
    """Reorder the axes of a convolution: (H, W, in, out) to (out, in, H, W)."""
    while filters.ndim < 4:  # MATLAB drops last axes of length one
        filters = filters[..., None]
    return torch.from_numpy(np.array(filters.transpose(3, 2, 0, 1), np.float32))


def vector(values: NDArray[Any]) -> Tensor:
    """A bias or scale as float32 (C,)."""
    return torch.from_numpy(np.array(values.ravel(), np.float32))


def moments(values: NDArray[Any], eps: float) -> tuple[Tensor, Tensor]:
    """Mean and variance of a batch normalisation, whose moments are mean and sigma.

    Args:
        values: (C, 2), mean and the root of variance + eps.
        eps: of the network that takes them.

    Raises:
        ValueError: it has another shape.
    """
    if values.ndim != 2 or values.shape[1] != 2:
        raise ValueError(f"moments of shape {values.shape}, not (channels, 2)")
    mean, sigma = np.asarray(values, np.float64).T
    variance = np.maximum(sigma**2 - eps, 0)
    both = mean.astype(np.float32), variance.astype(np.float32)
    return torch.from_numpy(both[0]), torch.from_numpy(both[1])
