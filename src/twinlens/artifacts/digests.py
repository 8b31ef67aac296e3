"""Digests of an artifact: of each chunk's values, and of everything around them.

XXH3 (xxhash): 10 to 30 GB/s a core, where SHA-256 has 1.4 and BLAKE3 3
(`benchmarks/artifacts.py`). It guards against disks, memory and power cuts, not
against forgers.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np
import xxhash
from numpy.typing import NDArray

CHUNKS = "xxh3"
SEAL = "seal"


class OutsideError(ValueError):
    """A file that links to another or keeps values there: no digest covers that."""


def of_chunks(array: NDArray[Any], rows: int) -> NDArray[np.uint64]:
    """Digest each chunk: uint64 (ceil(len(array) / rows),).

    Args:
        array: of one dimension or more.
        rows: items of the first axis in a chunk; the last one may have fewer.
    """
    array = np.ascontiguousarray(array)
    starts = range(0, len(array), rows)
    values = [xxhash.xxh3_64_intdigest(array[at : at + rows].data) for at in starts]
    return np.array(values, dtype=np.uint64)


def seal(file: h5py.File) -> str:
    """Digest of an open file's names, shapes, dtypes and attributes.

    The digests of chunks are attributes: with them, all of the file is covered. It is
    read when an artifact is opened, so h5py's quick low-level calls are used.

    Raises:
        OutsideError: something leads out of the file.
    """
    names: list[bytes] = []
    h5py.h5o.visit(file.id, names.append)
    children = Counter(name.rpartition(b"/")[0] for name in names)
    lines = [_line(h5py.h5o.open(file.id, b"/"), b"", children[b""])]
    for name in names:
        item = h5py.h5o.open(file.id, name)
        lines.append(_line(item, name, children[name]))
    return str(xxhash.xxh3_128_hexdigest(b"\n".join(sorted(lines))))


def _line(item: Any, name: bytes, children: int) -> bytes:
    digest = xxhash.xxh3_128(name)
    if isinstance(item, h5py.h5d.DatasetID):
        if item.get_create_plist().get_layout() != h5py.h5d.CHUNKED:
            raise OutsideError(f"does not keep {name.decode()} as artifacts do")
        digest.update(repr((item.shape, item.dtype.str)).encode())
    elif item.get_num_objs() != children:
        raise OutsideError(f"has other links than its own at {name.decode() or '/'}")
    for part in sorted(_attributes(item)):
        digest.update(part)
    return bytes(digest.digest())


def _attributes(item: Any) -> Iterator[bytes]:
    for number in range(h5py.h5a.get_num_attrs(item)):
        attribute = h5py.h5a.open(item, index=number)
        if attribute.name != SEAL.encode():
            value = np.zeros(attribute.shape, attribute.dtype)
            attribute.read(value)
            text = value.dtype.kind == "O"  # of any length, which HDF5 keeps elsewhere
            content = repr(value.tolist()).encode() if text else value.tobytes()
            head = repr((attribute.name, value.shape, value.dtype.str)).encode()
            yield head + content
