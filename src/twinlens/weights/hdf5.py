"""Weights from HDF5 files (.h5): every data set by its path."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np


def read(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    """Read all data sets of a file.

    Args:
        path: an HDF5 file.

    Returns:
        Path in the file, without a leading slash, to the array as stored.

    Raises:
        ValueError: not HDF5, cut short, or empty.
    """
    found: dict[str, np.ndarray[Any, Any]] = {}

    def take(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            found[name] = item[()]

    try:
        with h5py.File(path, "r") as file:
            file.visititems(take)
    except OSError as error:
        raise ValueError(f"{path}: not HDF5, or cut short: {error}") from error
    if not found:
        raise ValueError(f"{path}: holds no data sets")
    return found
