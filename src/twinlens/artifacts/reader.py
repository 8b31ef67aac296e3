"""Read HDF5 artifacts: what is read is what was written, or an error that names it.

A file's seal is checked when it is opened, the digest of a chunk when it is read: one
frame of a large shard costs one frame.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import ArrayLike, NDArray

from twinlens.artifacts import digests
from twinlens.errors import ArtifactError, raise_refusal, unusable

BLOCK = 16 << 20
"""Bytes that are checked at once."""


@contextmanager
def open(path: Path, kind: str | None = None, **expected: Any) -> "Iterator[Artifact]":
    """Open an artifact for reading, or raise what is wrong with it and what to do.

    No lock is asked for: others may read it, on disks without locks too.

    Args:
        path: an HDF5 artifact.
        kind: the format that the reader needs; None takes any.
        expected: what `about` must say, such as `dataset="ucf101"`; None takes any.

    Raises:
        ArtifactError: missing, empty, cut off, damaged, unfinished, of another format,
            of another data set, method or job, or linking to other files.
    """
    path = Path(path)
    if not path.exists():
        raise ArtifactError(f"{path}: no such file; run the workflow to make it")
    if path.is_dir():
        raise ArtifactError(f"{path}: is a folder; name an artifact in it")
    if not path.is_file():  # to open a pipe would never end
        raise ArtifactError(f"{path}: is no regular file")
    if path.stat().st_size == 0:
        raise unusable(path, "is empty")
    with _file(path) as file:
        artifact = _checked(file, path)
        artifact.expect(kind, expected)
        yield artifact


def _file(path: Path) -> h5py.File:
    # Chunks are read whole and once: a cache of them would only copy.
    try:
        return h5py.File(path, "r", locking=False, rdcc_nbytes=0)
    except OSError as error:
        raise_refusal(path, error)
        if "locking flag" in str(error):  # open in this very process, with a lock
            return h5py.File(path, "r", rdcc_nbytes=0)
        if "already open for" in str(error):
            raise unusable(
                path,
                "is open for writing in another program, such as a notebook: close"
                " it there and run again. If no program has it open, its writer was"
                " killed",
            ) from error
        raise unusable(path, f"is not a whole HDF5 file ({error})") from error


def _checked(file: h5py.File, path: Path) -> "Artifact":
    """Check that an open file is one of ours and was sealed as it is."""
    try:
        if "format" not in file.attrs or "about" not in file.attrs:
            raise ArtifactError(
                f"{path}: is an HDF5 file of another program, not a twinlens artifact:"
                " name an artifact, below results/"
            )
        if digests.SEAL not in file.attrs:
            raise unusable(path, "was never finished, or written by an older release")
        artifact = Artifact(file, path)
        if artifact.seal != digests.seal(file):
            raise unusable(path, "is damaged (its seal is of other contents)")
    except ArtifactError:
        raise
    except digests.OutsideError as error:
        raise unusable(path, str(error)) from error
    except Exception as error:  # HDF5's errors are of many types
        raise_refusal(path, error)
        raise unusable(path, f"is damaged ({error})") from error
    return artifact


INHERITED = ("frames", "label")
"""Facts of a clip: its frames, stored or not, and the label of its class."""


class Array:
    """A stored array; reading rows of it checks the chunks that they lie in."""

    def __init__(self, stored: h5py.Dataset, path: Path) -> None:
        """Take an open data set, and its file's path for messages."""
        self._stored, self.path = stored, path
        self.name, self.shape = str(stored.name), tuple(stored.shape)
        self.dtype, self.nbytes = stored.dtype, int(stored.nbytes)
        self.attrs: Mapping[str, Any] = stored.attrs
        self._rows = int(stored.chunks[0])
        self._digests = stored.attrs[digests.CHUNKS]

    def __len__(self) -> int:
        return int(self.shape[0])

    def __getitem__(self, key: int | slice | NDArray[np.integer]) -> NDArray[Any]:
        """Read rows by number, slice or array of numbers, as numpy does.

        Returns:
            The shape of `key` + that of a row.

        Raises:
            ArtifactError: a chunk that they lie in has other values than were written.
        """
        rows: NDArray[np.int64] = np.arange(len(self))[key]
        chunks = np.unique(rows // self._rows)
        if not len(chunks):
            return np.zeros((0, *self.shape[1:]), self.dtype)
        runs = np.split(chunks, np.flatnonzero(np.diff(chunks) > 1) + 1)
        blocks = [self._read(int(run[0]), int(run[-1]) + 1) for run in runs]
        block = blocks[0] if len(blocks) == 1 else np.concatenate(blocks)
        first = np.searchsorted(chunks, rows // self._rows) * self._rows
        return _select_rows(block, first + rows % self._rows)

    def _read(self, first: int, last: int) -> NDArray[Any]:
        """Read and check the rows of chunks `first` to `last`, the last excluded."""
        start, stop = first * self._rows, min(last * self._rows, len(self))
        try:
            block: NDArray[Any] = self._stored[start:stop]
        except (OSError, RuntimeError) as error:
            raise_refusal(self.path, error)
            raise unusable(self.path, f"is damaged ({error})") from error
        current = digests.of_chunks(block, self._rows)
        if not np.array_equal(current, self._digests[first:last]):
            where = f"{self.name}, rows {start} to {stop - 1}"
            raise unusable(self.path, f"is damaged (other values at {where})")
        return block

    def check(self) -> None:
        """Read all of it once, some at a time.

        Raises:
            ArtifactError: it has other values than were written.
        """
        row = self.nbytes // max(1, len(self))
        count = -(-len(self) // self._rows)
        step = max(1, BLOCK // max(1, row * self._rows))
        for first in range(0, count, step):
            self._read(first, min(first + step, count))


def _select_rows(block: NDArray[Any], rows: NDArray[np.int64]) -> NDArray[Any]:
    """Select rows of a block; the block itself where all are taken in order."""
    whole = rows.shape == (len(block),) and bool((np.diff(rows) == 1).all())
    return block if whole else block[rows]


class Group:
    """Arrays and groups by name, and attributes."""

    def __init__(self, group: h5py.Group, path: Path) -> None:
        """Take an open group, and its file's path for messages."""
        self._group, self.path = group, path
        self._items: dict[str, Any] = {}

    def __contains__(self, name: object) -> bool:
        return name in self._group

    def __iter__(self) -> Iterator[str]:
        return iter(self._group)

    def __getitem__(self, name: str) -> Any:
        """Return an array, or a group.

        Raises:
            ArtifactError: there is none of this name.
        """
        if name not in self._items:
            try:
                item = self._group[name]
            except KeyError as error:
                raise_refusal(self.path, error)
                where = str(self._group.name).strip("/")
                missing = f"{where}/{name}".lstrip("/")
                raise unusable(self.path, f"holds no {missing}") from error
            kind = Array if isinstance(item, h5py.Dataset) else Group
            self._items[name] = kind(item, self.path)
        return self._items[name]

    def items(self) -> Iterator[tuple[str, Any]]:
        """Yield names with arrays or groups."""
        return ((name, self[name]) for name in self)

    @property
    def attrs(self) -> Mapping[str, Any]:
        """Its attributes."""
        return self._group.attrs

    def arrays(self) -> Iterator[Array]:
        """Yield all arrays below it."""
        for _, item in self.items():
            yield from [item] if isinstance(item, Array) else item.arrays()


class Clip(Group):
    """One clip of a shard: arrays, and facts about it."""

    @property
    def facts(self) -> dict[str, Any]:
        """The facts passed to `Shard.write`."""
        return {
            key: value.decode() if isinstance(value, bytes) else value
            for key, value in self.attrs.items()
        }

    @property
    def inherited(self) -> dict[str, Any]:
        """The facts that clips computed from it pass on."""
        return {key: each for key, each in self.facts.items() if key in INHERITED}

    @cached_property
    def index(self) -> NDArray[np.int32]:
        """Which frames or flows of the clip are stored, ascending: (n,), from 0."""
        return self["index"][:]

    def at(self, name: str, indices: ArrayLike) -> NDArray[Any]:
        """Read items of an array by their indices in the clip, whatever is stored.

        Args:
            name: an array that has a row for each entry of the clip's `index`.
            indices: of frames or flows in the clip, from 0, any shape, any order.

        Returns:
            `indices.shape` + the shape of an item.

        Raises:
            ArtifactError: one is not stored: the error names it.
        """
        return self[name][self.rows(indices)]

    def rows(self, indices: ArrayLike) -> NDArray[np.int64]:
        """Find the rows of items in the clip's arrays, by their indices in the clip.

        Raises:
            ArtifactError: one is not stored: the error names it.
        """
        rows, lacking = _rows(self.index, np.asarray(indices))
        if lacking.size:
            clip = str(self._group.name).removeprefix("/clip/")
            numbers = ", ".join(map(str, np.unique(lacking)[:5].tolist()))
            raise ArtifactError(
                f"{self.path}: {clip} is stored without {numbers} (of its frames or"
                " flows), which this job reads: it was computed for other readers; add"
                " its method to select.methods, or set frames: all of its data set"
            )
        return rows


def _rows(
    stored: NDArray[np.int32], wanted: NDArray[Any]
) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Find the rows of wanted indices among stored ones, and those that lack."""
    rows = np.searchsorted(stored, wanted).clip(max=max(0, len(stored) - 1))
    lacking = wanted[stored[rows] != wanted] if len(stored) else wanted.reshape(-1)
    return rows, lacking


class JoinedClip:
    """One clip of several shards, each of which stores some of its items."""

    def __init__(self, parts: Sequence[Clip]) -> None:
        """Take the clip as each shard has it."""
        self.parts = parts
        self.facts, self.inherited = parts[0].facts, parts[0].inherited
        self.path = parts[0].path

    @cached_property
    def index(self) -> NDArray[np.int32]:
        """Which frames of the clip are stored, ascending: (n,), from 0."""
        return np.unique(np.concatenate([part.index for part in self.parts]))

    def rows(self, indices: ArrayLike) -> NDArray[np.int64]:
        """Where items lie among all that are stored, in the order of `index`.

        Raises:
            ArtifactError: one is stored in none of the shards.
        """
        rows, lacking = _rows(self.index, np.asarray(indices))
        if lacking.size:
            self.parts[-1].rows(lacking)  # raises
        return rows

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of an item of an array."""
        shape: tuple[int, ...] = self.parts[0][name].shape[1:]
        return shape

    def at(self, name: str, indices: ArrayLike) -> NDArray[Any]:
        """Read items of an array by their indices in the clip, as `Clip.at`.

        Raises:
            ArtifactError: one is stored in none of the shards.
        """
        if len(self.parts) == 1:
            return self.parts[0].at(name, indices)
        wanted = np.asarray(indices)
        items = np.zeros((*wanted.shape, *self.shape(name)), self.parts[0][name].dtype)
        lacking = np.ones(wanted.shape, bool)
        for part in self.parts:
            here = lacking & np.isin(wanted, part.index)
            if here.any():
                items[here] = part.at(name, wanted[here])
            lacking &= ~here
        if lacking.any():
            self.parts[-1].rows(wanted[lacking])  # raises
        return items


class Shards:
    """Open shards of the same clips, read as one; `open_shards` gives them."""

    def __init__(self, files: "Sequence[Artifact]") -> None:
        """Take the open shards.

        Raises:
            ArtifactError: they are not of the same clips.
        """
        self.files, self.about, self.clips = files, files[0].about, files[0].clips
        for file in files[1:]:
            if file.clips != self.clips:
                raise unusable(file.path, f"is not of the clips of {files[0].path}")

    def clip(self, name: str) -> JoinedClip:
        """Return one clip.

        Raises:
            ArtifactError: it is not in a shard.
        """
        return JoinedClip([file.clip(name) for file in self.files])


@contextmanager
def open_shards(
    paths: Sequence[Path], kind: str | None = None, **expected: Any
) -> Iterator[Shards]:
    """Open shards that store different frames of the same clips.

    Args:
        paths: one or more.
        kind: see `open`.
        expected: see `open`.

    Raises:
        ArtifactError: see `open`; or they are not of the same clips.
    """
    with ExitStack() as stack:
        yield Shards([stack.enter_context(open(p, kind, **expected)) for p in paths])


class Artifact(Group):
    """An open artifact; `reader.open` gives it."""

    def __init__(self, file: h5py.File, path: Path) -> None:
        """Take an open file, and its path for messages."""
        super().__init__(file, path)
        self.kind = _text(file.attrs["format"])
        self.about: dict[str, Any] = json.loads(_text(file.attrs["about"]))
        self.seal = _text(file.attrs[digests.SEAL])

    def expect(self, kind: str | None, about: Mapping[str, Any]) -> None:
        """Check that it is what its reader needs.

        Raises:
            ArtifactError: it is of another format, or `about` says something else.
        """
        if kind is not None and self.kind != kind:
            raise unusable(self.path, f"has format {self.kind}, not {kind}")
        for key, value in about.items():
            stated = self.about.get(key)
            if value is not None and stated != value:
                raise unusable(
                    self.path, f"was made for {key} {stated!r}, not {value!r}"
                )

    @property
    def clips(self) -> list[str]:
        """The names of a shard's clips, in order."""
        names = self["clips"][:] if "clips" in self else []
        return [name.decode() for name in names]

    def clip(self, name: str) -> Clip:
        """Return one clip.

        Raises:
            ArtifactError: it is not in this shard.
        """
        try:
            return Clip(self._group[f"clip/{name}"], self.path)
        except KeyError as error:
            raise_refusal(self.path, error)
            raise unusable(self.path, f"holds no clip {name}") from error

    def copy_clip(self, name: str, parent: h5py.Group) -> None:
        """Copy a clip into another file's group, with its digests."""
        self._group.copy(f"clip/{name}", parent)

    def check_values(self) -> None:
        """Read every array once.

        Raises:
            ArtifactError: one has other values than were written.
        """
        for array in self.arrays():
            array.check()


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def is_artifact(path: Path) -> bool:
    """Whether a file is an HDF5 artifact of ours, by its mark; not whether it is whole.

    Other programs write HDF5 too: published weights, for instance.

    Raises:
        ArtifactError: the disk refused to read it.
    """
    if not Path(path).is_file():  # to open a pipe would never end
        return False
    try:
        with h5py.File(path, "r", locking=False) as file:
            return "format" in file.attrs and "about" in file.attrs
    except (OSError, RuntimeError, KeyError) as error:  # no HDF5, or a damaged file
        raise_refusal(path, error)
        return False


def file_id(path: Path) -> str:
    """Identify an input: an artifact's own id, or a digest of another file's bytes."""
    if is_artifact(path):
        with open(path) as file:
            return str(file.about["id"])
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()[:32]


def ids(*paths: Path) -> dict[str, str]:
    """Map the path of each input to its identity, for `provenance.about`."""
    return {str(path): file_id(path) for path in paths}
