"""The files that stages exchange: one way to publish them, one way to open them.

An HDF5 artifact is written under a temporary name beside its target, marked complete,
read back, synced and renamed, so a target is whole or absent. Every data set carries a
Fletcher32 checksum and every structure HDF5's own (`libver="latest"`), so a flipped bit
is an error and never a number. Text is of fixed length: HDF5's heap for the other kind
has no checksum.

    root attributes   format = "flow/1", about = JSON (stage, settings, inputs, code,
                      id), complete = True (written last)
    clips             |S (N,) the names of the shard's clips, in order
    clip/<name>/...   the arrays of one clip; <name> is "<Class>/<file stem>"
"""

import errno
import fcntl
import hashlib
import io
import json
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import h5py
import numpy as np
import pandas as pd
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = NDArray[Any]


# Endings of files that only the workflow writes: removing one loses nothing.
OURS = {".h5", ".csv", ".checkpoint"}
# File systems that know no locks say so; unique temporary names still protect there.
WITHOUT_LOCKS = {errno.ENOSYS, errno.ENOTSUP, errno.ENOLCK}


class ArtifactError(RuntimeError):
    """A file that is not what its reader needs; the text says which and the mend."""


# --- publishing -----------------------------------------------------------------------


@contextmanager
def publish(path: Path, check: Callable[[Path], None] | None = None) -> Iterator[Path]:
    """Give a temporary path beside `path`; when the block ends well, put it in place.

    The temporary file keeps the suffix of `path`, for writers that go by it. If the
    block raises, `path` stays as it was and the temporary file goes.

    Args:
        path: the file to publish; its folder is made.
        check: reads the finished temporary file and raises if it is not whole.

    Raises:
        ArtifactError: another process is writing the same file, or nothing was written.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with _locked(path):
        for stale in _hidden(path, r"\d+-[0-9a-f]{8}\.tmp.*"):
            stale.unlink()
        name = f".{path.name}.{os.getpid()}-{os.urandom(4).hex()}.tmp{path.suffix}"
        temporary = path.with_name(name)
        try:
            yield temporary
            if not temporary.exists():
                raise ArtifactError(f"{path}: its writer ended without writing it")
            if check is not None:
                check(temporary)
            _sync(temporary)
            temporary.replace(path)
            _sync(path.parent)
        finally:
            temporary.unlink(missing_ok=True)


def _hidden(path: Path, ending: str) -> list[Path]:
    """What is hidden beside `path`: its name, then what the pattern `ending` fits."""
    pattern = re.compile(re.escape(f".{path.name}.") + ending)
    return [each for each in path.parent.iterdir() if pattern.fullmatch(each.name)]


@contextmanager
def _locked(path: Path, what: str = "") -> Iterator[None]:
    """Hold the one writer's place for `path`, or say who holds it."""
    lock = path.with_name(f".{path.name}{what}.lock")
    while True:
        handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.read(handle, 20).decode(errors="replace") or "unknown"
            os.close(handle)
            raise ArtifactError(
                f"{path}: process {holder} is writing it now; wait until it ends, or"
                f" end it (kill {holder}), then run again"
            ) from error
        except OSError as error:
            if error.errno not in WITHOUT_LOCKS:
                os.close(handle)
                raise
        with suppress(FileNotFoundError):
            if os.fstat(handle).st_ino == lock.stat().st_ino:
                break  # else: the last holder removed the file that we locked
        os.close(handle)
    try:
        os.truncate(handle, 0)
        os.pwrite(handle, str(os.getpid()).encode(), 0)
        yield
    finally:
        lock.unlink(missing_ok=True)
        os.close(handle)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


# --- HDF5 artifacts -------------------------------------------------------------------


@contextmanager
def create(path: Path, kind: str, about: Mapping[str, Any]) -> Iterator[h5py.File]:
    """Write an HDF5 artifact; it appears at `path` only when whole.

    Args:
        path: where it is published.
        kind: format name and version, such as `"frames/1"`.
        about: what it is and where it comes from (see `provenance.about`).
    """

    def check(temporary: Path) -> None:
        verify(temporary, kind).close()

    with (
        publish(path, check) as temporary,
        h5py.File(temporary, "w", libver="latest") as file,
    ):
        file.attrs["format"] = np.bytes_(kind)
        file.attrs["about"] = np.bytes_(json.dumps(about, sort_keys=True))
        yield file
        file.flush()
        file.attrs["complete"] = True


def put(group: h5py.Group, name: str, array: Array) -> None:
    """Store an array with a checksum, one chunk for each item of its first axis.

    The next reader takes single frames, flows or patches: each is then one read.
    """
    array = np.atleast_1d(np.asarray(array))
    item = array.nbytes // max(1, len(array))
    # Numbers and short rows share a chunk; low patches of 8x8 pixels and more do not.
    rows = 1 if item >= 128 else max(1, min(len(array), 65536 // max(1, item)))
    group.create_dataset(
        name,
        data=array,
        chunks=(rows, *(max(1, side) for side in array.shape[1:])),
        maxshape=(None, *array.shape[1:]),  # empty arrays have no chunk that fits
        fletcher32=True,
    )


def verify(
    path: Path, kind: str | None = None, *, cache: bool = True, **expected: Any
) -> h5py.File:
    """Open an artifact for reading, or say what is wrong with it and what to do.

    Args:
        path: an HDF5 artifact.
        kind: the format that the reader needs; None takes any.
        cache: whether HDF5 keeps chunks in memory, some MB for each data set; no use to
            one who reads single chunks at random.
        expected: what `about` must say, such as `dataset="ucf101"`.

    Raises:
        ArtifactError: missing, empty, cut off, damaged, unfinished, of another format,
            made for something else, or reaching outside itself.
    """
    path = Path(path)
    if not path.exists():
        raise ArtifactError(f"{path}: no such file; run the workflow to make it")
    if path.is_dir():
        raise ArtifactError(f"{path}: is a folder; name an artifact in it")
    if path.stat().st_size == 0:
        raise _spoilt(path, "is empty")
    try:
        file = h5py.File(path, "r", **({} if cache else {"rdcc_nbytes": 0}))
    except OSError as error:
        raise _spoilt(path, f"is not a whole HDF5 file ({error})") from error
    try:
        _check(file, path, kind, expected)
    except BaseException:
        file.close()
        raise
    return file


def _check(
    file: h5py.File, path: Path, kind: str | None, expected: Mapping[str, Any]
) -> None:
    try:
        found = format_of(file)
        complete = bool(file.attrs.get("complete", False))
        about = json.loads(file.attrs.get("about", "{}"))
        _refuse_links(file, path)
    except ArtifactError:
        raise
    except Exception as error:  # HDF5's errors are of many types
        raise _spoilt(path, f"is damaged ({error})") from error
    if not found or (kind is not None and found != kind):
        raise _spoilt(path, f"has format {found or 'unknown'}, not {kind or 'ours'}")
    if not complete:
        raise _spoilt(path, "was never finished")
    for key, value in expected.items():
        if about.get(key) != value:
            raise _spoilt(path, f"was made for {key} {about.get(key)!r}, not {value!r}")


def _refuse_links(file: h5py.File, path: Path) -> None:
    """Refuse links and storage that lead out of the file: its checksums end there."""

    # A visit ends with what its function returns; it must not raise.
    def link(name: str, link: object) -> str | None:
        outside = isinstance(link, h5py.ExternalLink)
        return f"links to another file at {name}" if outside else None

    def storage(name: str, item: object) -> str | None:
        if isinstance(item, h5py.Dataset) and (item.external or item.is_virtual):
            return f"keeps {name} in another file"
        return None

    if found := file.visititems_links(link) or file.visititems(storage):
        raise _spoilt(path, found)


def _spoilt(path: Path, what: str) -> ArtifactError:
    if path.suffix not in OURS:
        return ArtifactError(f"{path}: {what}; it is none of our artifacts")
    return ArtifactError(
        f"{path}: {what}; remove it and make it again (with the same --configfile):"
        f" rm {str(path)!r} && snakemake --cores all {str(path)!r}"
    )


@contextmanager
def reading(
    path: Path, kind: str | None = None, *, cache: bool = True, **expected: Any
) -> Iterator[h5py.File]:
    """Open an artifact as `verify` does, and name it in whatever its data says."""
    file = verify(path, kind, cache=cache, **expected)
    try:
        yield file
    except (OSError, RuntimeError) as error:
        if "synchronously" not in str(error) or not (told := damaged(file)):
            raise  # not HDF5's, or not this file's
        raise told from error
    finally:
        file.close()


def damaged(file: h5py.File) -> ArtifactError | None:
    """What to raise when reading an open artifact failed; None if it is whole."""
    damage = _damage(file)
    return _spoilt(Path(file.filename), f"is damaged ({damage})") if damage else None


def _damage(file: h5py.File) -> str:
    """What is wrong with an open file's data, "" if nothing.

    Several files may be open when a read fails: only the damaged one is to be named.
    """

    def read(_: str, item: object) -> str | None:
        try:
            if isinstance(item, h5py.Dataset) and item.size:
                for chunk in item.iter_chunks():
                    item[chunk]
        except (OSError, RuntimeError) as error:
            return str(error)
        return None

    return file.visititems(read) or ""


def format_of(file: h5py.File) -> str:
    """The format of an open artifact, such as `"frames/1"`; "" if it says none."""
    found = file.attrs.get("format", "")
    return found.decode() if isinstance(found, bytes) else str(found)


def about(file: h5py.File) -> dict[str, Any]:
    """What an open artifact says of itself."""
    found: dict[str, Any] = json.loads(file.attrs["about"])
    return found


def file_id(path: Path) -> str:
    """Identity of an input: an artifact's own, or else a digest of a file's bytes."""
    if h5py.is_hdf5(path):
        with verify(path) as file:
            return str(about(file)["id"])
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:32]


def ids(*paths: Path) -> dict[str, str]:
    """Path and identity of each input, for `provenance.about`."""
    return {str(path): file_id(path) for path in paths}


# --- shards ---------------------------------------------------------------------------


def clips(file: h5py.File) -> list[str]:
    """The names of a shard's clips, in order."""
    return [name.decode() for name in file["clips"][:]] if "clips" in file else []


def clip(file: h5py.File, name: str) -> h5py.Group:
    """One clip's group in a shard."""
    return file[f"clip/{name}"]


def facts(clip: h5py.Group) -> dict[str, Any]:
    """What `Shard.write` was told of a clip."""
    return {
        key: value.decode() if isinstance(value, bytes) else value
        for key, value in clip.attrs.items()
    }


class Shard:
    """Write a shard clip by clip; a killed job goes on where it was.

    Finished clips are published in part files in a hidden folder beside the target
    (Snakemake removes the declared outputs of failed jobs, so they can't stay there).
    The folder is named after the artifact's id: other settings, inputs or code never
    find it.

    Use as a context manager; the target appears when the block ends well.
    """

    def __init__(
        self,
        path: Path,
        kind: str,
        about: Mapping[str, Any],
        names: Sequence[str],
        every_s: float = 60.0,
    ) -> None:
        self.path, self.kind, self.about, self.names = Path(path), kind, about, names
        self.every_s = float(os.environ.get("TWINLENS_PART_SECONDS", every_s))
        self.parts = self.path.with_name(f".{self.path.name}.{about['id'][:12]}.parts")
        self._open: Any = None
        self._file: h5py.File | None = None
        self._since = 0.0

    def __enter__(self) -> Self:
        """Find what an earlier run of the same job finished."""
        self.parts.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            stack.enter_context(_locked(self.path, ".parts"))
            for other in _hidden(self.path, r"[^.]+\.parts"):
                if other != self.parts:
                    _remove_folder(other)
            self.done: set[str] = set()
            for part in sorted(self.parts.glob("part-*.h5")):
                with reading(part, self.kind, id=self.about["id"]) as file:
                    self.done.update(clips(file))
            self._lock = stack.pop_all()
        return self

    def missing(self) -> list[str]:
        """The clips that are still to be written, in order."""
        return [name for name in self.names if name not in self.done]

    def skip(self, name: str) -> None:
        """Leave a clip out; its caller reports why."""
        self.names = [each for each in self.names if each != name]

    def write(
        self, name: str, arrays: Mapping[str, Array], **facts: str | float
    ) -> None:
        """Store the arrays of one clip and facts about it, as attributes."""
        if self._file is None:
            self._begin_part()
        assert self._file is not None
        group = self._file.create_group(f"clip/{name}")
        for key, array in arrays.items():
            put(group, key, array)
        for key, fact in facts.items():
            text = isinstance(fact, str)
            group.attrs[key] = np.bytes_(str(fact).encode()) if text else fact
        self._written.append(name)
        if time.monotonic() - self._since > self.every_s:
            self._end_part()

    def _begin_part(self) -> None:
        # Above the last, not their count: some may have been removed.
        numbers = [int(part.stem[5:]) for part in self.parts.glob("part-*.h5")]
        number = max(numbers, default=-1) + 1
        self._open = create(self.parts / f"part-{number:04d}.h5", self.kind, self.about)
        self._file = self._open.__enter__()
        self._written: list[str] = []
        self._since = time.monotonic()

    def _end_part(self) -> None:
        if self._file is None:
            return
        put_clips(self._file, self._written)
        self.done.update(self._written)
        self._file = None
        self._open.__exit__(None, None, None)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Join the parts into the target, or keep them for the next run."""
        with self._lock:
            self._end(error)

    def _end(self, error: BaseException | None) -> None:
        if error is not None and self._file is not None:
            # What is finished in the open part is whole: keep it too.
            with suppress(Exception):
                self._end_part()
        if error is not None:
            return
        self._end_part()
        if left := self.missing():
            raise ArtifactError(f"{self.path}: {len(left)} clips were never written")
        self._join()
        _remove_folder(self.parts)

    def _join(self) -> None:
        with create(self.path, self.kind, self.about) as file:
            put_clips(file, self.names)
            file.require_group("clip")
            for part in sorted(self.parts.glob("part-*.h5")):
                with reading(part, self.kind) as source:
                    for name in clips(source):
                        parent = file.require_group(f"clip/{Path(name).parent}")
                        source.copy(f"clip/{name}", parent)
            if lost := [name for name in self.names if f"clip/{name}" not in file]:
                raise ArtifactError(f"{self.path}: its parts lack {lost}; run again")


def put_clips(file: h5py.File, names: Sequence[str]) -> None:
    """Store the names of an artifact's clips."""
    put(file, "clips", np.array([name.encode() for name in names], dtype="S"))


def _remove_folder(folder: Path) -> None:
    for item in folder.iterdir():
        item.unlink()
    folder.rmdir()


# --- csv artifacts --------------------------------------------------------------------

# Columns of text: a class may be named 007.
TEXT = "clip class part status note sha1 path file".split()


def write_csv(path: Path, kind: str, rows: pd.DataFrame) -> None:
    """Publish a csv whose first line says its format, rows and digest."""
    body = rows.to_csv(index=False, lineterminator="\n")
    digest = hashlib.sha256(body.encode()).hexdigest()[:16]
    with publish(path) as temporary:
        temporary.write_text(
            f"# twinlens {kind} rows={len(rows)} sha256={digest}\n{body}",
            encoding="utf-8",
        )


def write_figure(path: Path, figure: "Figure", dpi: int) -> None:
    """Publish a figure of pyplot's and close it; no release's name is in the file."""
    from matplotlib import pyplot  # heavy, and few stages draw

    with publish(path) as temporary:
        figure.savefig(temporary, dpi=dpi, metadata={"Software": None})
    pyplot.close(figure)


def read_csv(path: Path, kind: str) -> pd.DataFrame:
    """Read a csv that `write_csv` made.

    Raises:
        ArtifactError: it is missing, empty, cut off, edited or of another kind.
    """
    path = Path(path)
    if not path.exists():
        raise ArtifactError(f"{path}: no such file; run the workflow to make it")
    first, _, body = path.read_bytes().partition(b"\n")
    digest = hashlib.sha256(body).hexdigest()[:16]
    if not first.startswith(f"# twinlens {kind} ".encode()):
        raise _spoilt(path, f"is not a whole {kind} file")
    if not first.endswith(f"sha256={digest}".encode()):
        raise _spoilt(path, "was cut off or edited")
    kinds = dict.fromkeys(TEXT, str)
    return pd.read_csv(io.BytesIO(body), keep_default_na=False, dtype=kinds)
