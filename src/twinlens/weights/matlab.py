"""Weights from MATLAB files (.mat): version 5 to 7 by SciPy, 7.3 (HDF5) by h5py."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import scipy.io

from twinlens.errors import disk_error

DEEPEST = 16
"""Structs and cells within each other, in a file of version 7.3."""


def read(path: Path) -> dict[str, Any]:
    """Read a file's variables.

    Args:
        path: a .mat file of version 5 to 7.3.

    Returns:
        Variable name to its content: numbers as numpy arrays in MATLAB's axis order,
        texts as arrays of one text, structs as dicts, arrays of structs and cell arrays
        as lists in MATLAB's (column-major) order.

    Raises:
        ValueError: not such a file, cut short, or empty.
        OSError: the disk refused to read it.
    """
    named = _by_h5py(path) if h5py.is_hdf5(path) else _by_scipy(path)
    if not named:
        raise ValueError(f"{path}: holds no variables")
    return named


def _by_scipy(path: Path) -> dict[str, Any]:
    try:
        variables = scipy.io.loadmat(path, struct_as_record=False)
    # A damaged file fails in many ways inside the reader.
    except Exception as error:
        if failed := disk_error(error):
            raise failed from error
        raise ValueError(f"{path}: not a .mat file, or cut short: {error}") from error
    return {key: _plain(value) for key, value in variables.items() if key[:2] != "__"}


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


def _by_h5py(path: Path) -> dict[str, Any]:
    try:
        with h5py.File(path, "r", locking=False) as file:
            own = (name for name in file if not name.startswith("#"))
            return {name: _stored(file, file[name], 0) for name in own}
    except Exception as error:
        if failed := disk_error(error):
            raise failed from error
        raise ValueError(f"{path}: not a .mat file, or cut short: {error}") from error


def _stored(file: h5py.File, item: Any, depth: int) -> Any:
    """Read a group (a struct, or an array of them) or a data set of version 7.3."""
    if depth > DEEPEST:
        raise ValueError(f"structs and cells lie more than {DEEPEST} deep")
    if isinstance(item, h5py.Group):
        fields = {name: _stored(file, item[name], depth + 1) for name in item}
        return _separate(fields) if _is_array(item) else fields
    if h5py.check_ref_dtype(item.dtype) is h5py.Reference:
        references = item[()].T.ravel(order="F")
        return [_stored(file, file[each], depth + 1) for each in references]
    if item.attrs.get("MATLAB_empty"):
        return np.zeros((0, 0))
    values = item[()].T
    if item.attrs.get("MATLAB_class") == b"char":
        return np.array(["".join(map(chr, values.ravel(order="F")))])
    return values


def _is_array(group: h5py.Group) -> bool:
    """Whether a struct is an array of them: each field has a reference an element.

    A field that is a cell array says so.
    """
    fields = list(group.values())
    return bool(fields) and all(
        isinstance(each, h5py.Dataset)
        and h5py.check_ref_dtype(each.dtype) is h5py.Reference
        and "MATLAB_class" not in each.attrs
        for each in fields
    )


def _separate(fields: dict[str, list[Any]]) -> list[dict[str, Any]]:
    rows = zip(*fields.values(), strict=True)
    return [dict(zip(fields, row, strict=True)) for row in rows]
