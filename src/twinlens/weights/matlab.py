"""Weights from MATLAB files (.mat, version 5 to 7), through SciPy's reader."""

from pathlib import Path
from typing import Any

import numpy as np
import scipy.io


def read(path: Path) -> dict[str, Any]:
    """Read a file's variables.

    Args:
        path: a .mat file; those of version 7.3 are HDF5 and not read here.

    Returns:
        Variable name to its content: numbers as numpy arrays in MATLAB's axis order,
        structs as dicts, cell arrays as lists in MATLAB's (column-major) order.

    Raises:
        ValueError: not such a file, cut short, or empty.
    """
    try:
        variables = scipy.io.loadmat(path, struct_as_record=False)
    except NotImplementedError as error:  # SciPy's, for files of version 7.3 (HDF5)
        raise ValueError(
            f"{path}: a MATLAB file of version 7.3; save it with -v7"
        ) from error
    # A damaged file fails in many ways inside the reader.
    except Exception as error:
        raise ValueError(f"{path}: not a .mat file, or cut short: {error}") from error
    named = {key: _plain(value) for key, value in variables.items() if key[:2] != "__"}
    if not named:
        raise ValueError(f"{path}: holds no variables")
    return named


def _plain(value: Any) -> Any:
    """Convert structs to dicts, cells to lists, leave the rest."""
    if isinstance(value, scipy.io.matlab.mat_struct):
        fields = value._fieldnames
        return {field: _plain(getattr(value, field)) for field in fields}
    if isinstance(value, np.ndarray) and value.dtype == object:
        items = [_plain(item) for item in value.ravel(order="F")]
        structs = len(items) == 1 and isinstance(items[0], dict)
        return items[0] if structs else items
    return value
