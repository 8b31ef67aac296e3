"""Weights from HDF5 files (.h5, .caffemodel.h5), through h5py."""

from pathlib import Path

import h5py
import numpy as np

from twinlens.errors import disk_error


def read(path: Path) -> dict[str, np.ndarray]:
    """Read every data set of a file.

    Args:
        path: an HDF5 file of any layout.

    Returns:
        The path of each data set ("group/name") to its numbers, axes as stored.

    Raises:
        ValueError: not HDF5, cut short, or without data sets.
        OSError: the disk refused to read it.
    """
    arrays: dict[str, np.ndarray] = {}

    def take(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset):
            arrays[name] = np.asarray(item[()])

    try:
        with h5py.File(path, "r", locking=False) as file:
            file.visititems(take)
    except (OSError, RuntimeError, KeyError) as error:
        if failed := disk_error(error):
            raise failed from error
        raise ValueError(f"{path}: not an HDF5 file, or cut short: {error}") from error
    if not arrays:
        raise ValueError(f"{path}: holds no data sets")
    return arrays
