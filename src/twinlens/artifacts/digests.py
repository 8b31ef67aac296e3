"""Digests of an artifact: of each chunk's values, and of everything around them.

XXH3 (xxhash): 10 to 30 GB/s a core, where SHA-256 has 1.4 and BLAKE3 3
(`benchmarks/artifacts.py`). It guards against disks, memory and power cuts, not
against forgers.
"""

import json
from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np
import xxhash
from numpy.typing import NDArray

CHUNKS = "xxh3"
SEAL = "seal"


def of_chunks(array: NDArray[Any], rows: int) -> NDArray[np.uint64]:
    """A digest of each chunk: uint64 (ceil(len(array) / rows),).

    Args:
        array: of one dimension or more.
        rows: items of the first axis in a chunk; the last one may have fewer.
    """
    array = np.ascontiguousarray(array)
    starts = range(0, len(array), rows)
    found = [xxhash.xxh3_64_intdigest(array[at : at + rows].data) for at in starts]
    return np.array(found, dtype=np.uint64)


def seal(file: h5py.File) -> str:
    """Digest of an open file's names, shapes, dtypes and attributes.

    The digests of chunks are attributes: with them, all of the file is covered.
    """
    lines = [_line("", file)]
    file.visititems(lambda name, item: lines.append(_line(name, item)))
    return str(xxhash.xxh3_128_hexdigest(b"\n".join(sorted(lines))))


def _line(name: str, item: Any) -> bytes:
    kind = (item.shape, item.dtype.str) if isinstance(item, h5py.Dataset) else None
    digest = xxhash.xxh3_128(repr((name, kind)).encode())
    for part in _attributes(item):
        digest.update(part)
    return bytes(digest.digest())


def _attributes(item: Any) -> Iterator[bytes]:
    for key in sorted(item.attrs):
        if key != SEAL:
            value = np.asarray(item.attrs[key])
            yield repr((key, value.shape, value.dtype.str)).encode()
            text = value.dtype.kind in "OU"
            yield json.dumps(value.tolist()).encode() if text else value.tobytes()
