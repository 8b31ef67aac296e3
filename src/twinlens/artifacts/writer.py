"""Write HDF5 artifacts: what is published is what was written.

A write that fails while HDF5 flushes a data set is not reported to anyone: h5py drops
the error, and the file continues without the values. So HDF5 writes through `_Disk`,
which keeps the error, and before a file is published its values are read again and
compared with the digests of what was written.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import h5py
import numpy as np
from numpy.typing import NDArray

from twinlens.artifacts import digests, reader
from twinlens.artifacts.publish import publish
from twinlens.errors import refused

Array = NDArray[Any]


@contextmanager
def create(path: Path, kind: str, about: Mapping[str, Any]) -> Iterator[h5py.File]:
    """Write an HDF5 artifact; it appears at `path` only when whole.

    Args:
        path: where it is published.
        kind: format name and version, such as `"frames/1"`.
        about: what it is and where it comes from (see `provenance.about`).

    Raises:
        ArtifactError: the disk refused a write, or gives other values back.
    """

    def check(temporary: Path) -> None:
        with reader.open(temporary, kind) as artifact:
            artifact.check_values()

    with publish(path, check) as temporary:
        disk = _Disk(temporary, path)
        with disk, h5py.File(disk, "w", libver="latest") as file:
            file.attrs["format"] = np.bytes_(kind)
            file.attrs["about"] = np.bytes_(json.dumps(about, sort_keys=True))
            yield file
            file.flush()
            file.attrs[digests.SEAL] = np.bytes_(digests.seal(file))
        disk.raise_error()


def put(group: h5py.Group, name: str, array: Array) -> None:
    """Store an array with its digests, one chunk for each item of its first axis.

    The next reader takes single frames, flows or patches: each is then one read.

    Args:
        group: open for writing.
        name: of the array.
        array: of any shape and dtype; a single number becomes (1,).
    """
    array = np.atleast_1d(np.asarray(array))
    item = array.nbytes // max(1, len(array))
    # Numbers and short rows share a chunk; low patches of 8x8 pixels and more do not.
    rows = 1 if item >= 128 else max(1, min(len(array), 65536 // max(1, item)))
    stored = group.create_dataset(
        name,
        data=array,
        chunks=(rows, *(max(1, side) for side in array.shape[1:])),
        maxshape=(None, *array.shape[1:]),  # empty arrays have no chunk that fits
    )
    stored.attrs[digests.CHUNKS] = digests.of_chunks(array, rows)


def put_clips(file: h5py.File, names: Sequence[str]) -> None:
    """Store the names of an artifact's clips."""
    put(file, "clips", np.array([name.encode() for name in names], dtype="S"))


class _Disk:
    """A new file for HDF5 to write to, which keeps the first error.

    It reports every write to HDF5 as successful: HDF5 can then close what it has open,
    where a failed flush leaves it in a state that crashes the process at its end.
    """

    def __init__(self, file: Path, target: Path) -> None:
        """Take the file to write, and the one that it will become, for messages."""
        self.file, self.target = file, target
        self.error: OSError | None = None
        self._at = 0

    def __enter__(self) -> Self:
        self._handle = os.open(self.file, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Another file may get the number: HDF5 must never write to it again.
        handle, self._handle = self._handle, -1
        try:
            os.close(handle)
        except OSError as failed:  # some disks refuse only now
            self.error = self.error or failed
        if isinstance(error, Exception):
            self.raise_error()  # what HDF5 stumbled over afterwards says less

    def raise_error(self) -> None:
        """Raise what the disk said, if it refused something."""
        if self.error is not None:
            raise refused(self.target, self.error) from self.error

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        end = os.fstat(self._handle).st_size if whence == os.SEEK_END else 0
        self._at = end + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, size: int) -> bytes:
        buffer = bytearray(size)
        self.readinto(memoryview(buffer))
        return bytes(buffer)

    def readinto(self, buffer: Any) -> int:
        view, done = memoryview(buffer), 0
        while done < len(view):
            part = os.pread(self._handle, len(view) - done, self._at + done)
            if not part:  # beyond the end: zeros, as a hole reads
                part = bytes(len(view) - done)
            view[done : done + len(part)] = part
            done += len(part)
        return done

    def write(self, data: Any) -> int:
        view, done = memoryview(data), 0
        while self.error is None and done < len(view):
            try:
                done += os.pwrite(self._handle, view[done:], self._at + done)
            except OSError as error:
                self.error = error
        return len(view)

    def truncate(self, size: int) -> int:
        try:
            os.ftruncate(self._handle, size)
        except OSError as error:
            self.error = self.error or error
        return size

    def flush(self) -> None:
        """Nothing is held back; `publish` syncs the whole file."""
