"""Write .mat files as MATLAB lays them out, of version 5 and of version 7.3."""

import h5py
import numpy as np
import scipy.io


def save_v5(path, net):
    """Save a variable `net`: dicts are structs, lists of dicts arrays of structs."""
    scipy.io.savemat(path, {"net": _v5(net)})


def _v5(value):
    if isinstance(value, list):
        kind = [(name, object) for name in value[0]]
        rows = [tuple(_v5(each) for each in row.values()) for row in value]
        found = np.empty((1, len(rows)), kind)
        for place, row in enumerate(rows):
            found[0, place] = row
        return found
    if isinstance(value, dict):
        return {name: _v5(each) for name, each in value.items()}
    return value


def save_v73(path, net):
    """Save the same as HDF5 with MATLAB's header, axes turned round."""
    with h5py.File(path, "w", userblock_size=512) as file:
        _put(file, file.create_group("#refs#"), file, "net", net)
    write_head(path)


def write_head(path):
    """Write the block by which MATLAB knows its file."""
    head = b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124, b" ") + b"\x00\x02IM"
    with path.open("r+b") as stream:
        stream.write(head)


def _put(file, refs, parent, name, value):
    if isinstance(value, dict):
        group = parent.create_group(name)
        group.attrs["MATLAB_class"] = np.bytes_("struct")
        for field, each in value.items():
            _put(file, refs, group, field, each)
    elif isinstance(value, list):
        group = parent.create_group(name)
        group.attrs["MATLAB_class"] = np.bytes_("struct")
        for field in value[0]:
            cells = group.create_dataset(field, (len(value), 1), h5py.ref_dtype)
            for place, row in enumerate(value):
                key = f"r{len(refs)}"
                _put(file, refs, refs, key, row[field])
                cells[place, 0] = refs[key].ref
    elif isinstance(value, str):
        codes = np.array([[ord(each)] for each in value], np.uint16)
        parent.create_dataset(name, data=codes)
        parent[name].attrs["MATLAB_class"] = np.bytes_("char")
    else:
        values = np.atleast_2d(value)
        parent.create_dataset(name, data=values.T)
        parent[name].attrs["MATLAB_class"] = np.bytes_(values.dtype.name)
