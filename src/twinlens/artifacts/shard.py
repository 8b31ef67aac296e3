"""Write a shard clip by clip, so that a killed job resumes where it was."""

import ctypes
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import h5py
import numpy as np
from numpy.typing import NDArray

from twinlens.artifacts import reader
from twinlens.artifacts.publish import hidden, locked
from twinlens.artifacts.writer import create, put, put_clips
from twinlens.errors import ArtifactError
from twinlens.progress import track

Computed = tuple[Mapping[str, NDArray[Any]], Mapping[str, Any]]
"""Arrays of a clip, and facts about it beside those that it inherits."""
Source = reader.Artifact | reader.Shards
TRIM_S = 5.0
"""Seconds between giving freed memory back: what is used again costs page faults."""


class Shard:
    """A shard that is being written.

    Finished clips are published in part files in a hidden folder beside the target
    (Snakemake removes the declared outputs of failed jobs, so they can't stay there).
    The folder is named after the artifact's id: other settings, inputs or code never
    find it.

    Use as a context manager; the target appears when the block succeeds.
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
        self._trimmed = time.monotonic()

    def __enter__(self) -> Self:
        """Find what an earlier run of the same job finished.

        Raises:
            ArtifactError: a part is damaged.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            stack.enter_context(locked(self.path, ".parts"))
            self.parts.mkdir(exist_ok=True)
            self._remove_other_parts()
            self.done = self._finished()
            self._lock = stack.pop_all()
        return self

    def _remove_other_parts(self) -> None:
        """Remove what jobs of other settings, inputs or code left unfinished."""
        for other in hidden(self.path, r"[^.]+\.parts"):
            if other != self.parts:
                _remove_folder(other)

    def _finished(self) -> set[str]:
        """List the clips in the parts, which are read and checked."""
        done = set[str]()
        for part in self._part_files():
            with reader.open(part, self.kind, id=self.about["id"]) as file:
                file.check_values()
                done.update(file.clips)
        return done

    def _part_files(self) -> list[Path]:
        return sorted(each for each in self.parts.iterdir() if each.match("part-*.h5"))

    def missing(self) -> list[str]:
        """List the clips that are still to be written, in order."""
        return [name for name in self.names if name not in self.done]

    def skip(self, name: str) -> None:
        """Leave a clip out; its caller reports why."""
        self.names = [each for each in self.names if each != name]

    def write(
        self, name: str, arrays: Mapping[str, NDArray[Any]], **facts: str | float
    ) -> None:
        """Store the arrays of one clip and facts about it, as attributes.

        Args:
            name: one of `names`.
            arrays: by name; stages that store items of some frames add their `index`.
            facts: text and numbers, such as the clip's number of `frames`.

        Raises:
            ArtifactError: the disk refused it.
        """
        if self._file is None:
            self._begin_part()
        assert self._file is not None
        self._begun = name
        group = self._file.create_group(f"clip/{name}")
        for key, array in arrays.items():
            put(group, key, array)
        for key, fact in facts.items():
            text = isinstance(fact, str)
            group.attrs[key] = np.bytes_(str(fact).encode()) if text else fact
        self._written.append(name)
        if time.monotonic() - self._since > self.every_s:
            self._end_part()
        if time.monotonic() - self._trimmed > TRIM_S:
            _trim()
            self._trimmed = time.monotonic()

    def _begin_part(self) -> None:
        # Above the last, not their count: some may have been removed.
        numbers = [int(part.stem[5:]) for part in self._part_files()]
        number = max(numbers, default=-1) + 1
        self._open = create(self.parts / f"part-{number:04d}.h5", self.kind, self.about)
        self._file = self._open.__enter__()
        self._begun, self._written = "", list[str]()
        self._since = time.monotonic()

    def _end_part(self) -> None:
        if self._file is None:
            return
        put_clips(self._file, self._written)
        self._file = None
        self._open.__exit__(None, None, None)
        self.done.update(self._written)

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
                self._drop_begun()
                self._end_part()
        if error is not None:
            return
        self._end_part()
        if left := self.missing():
            raise ArtifactError(f"{self.path}: {len(left)} clips were never written")
        self._join()
        _remove_folder(self.parts)

    def _drop_begun(self) -> None:
        """Take the clip out of the open part that was not written to its end."""
        assert self._file is not None
        if self._begun not in {"", *self._written}:
            del self._file[f"clip/{self._begun}"]

    def _join(self) -> None:
        with create(self.path, self.kind, self.about) as file:
            put_clips(file, self.names)
            file.require_group("clip")
            for part in self._part_files():
                self._copy(part, file)
            if lost := [name for name in self.names if f"clip/{name}" not in file]:
                raise ArtifactError(f"{self.path}: its parts lack {lost}; run again")

    def _copy(self, part: Path, file: h5py.File) -> None:
        with reader.open(part, self.kind) as source:
            for name in source.clips:
                parent = file.require_group(f"clip/{Path(name).parent}")
                source.copy_clip(name, parent)


def map_clips(
    source: Source,
    out: Path,
    kind: str,
    about: Mapping[str, Any],
    compute: Callable[[str, Any], Computed],
    label: str,
) -> None:
    """Write a shard whose clips are computed from those of another, one by one.

    Args:
        source: an open artifact, or several that are read as one.
        out: the shard to write; a run that was interrupted resumes.
        kind: its format.
        about: see `provenance.about`.
        compute: of a clip's name and the clip, what to store.
        label: of the progress.
    """
    with Shard(out, kind, about, source.clips) as shard:
        for name in track(shard.missing(), label):
            clip = source.clip(name)
            arrays, facts = compute(name, clip)
            shard.write(name, arrays, **{**clip.inherited, **facts})


def _trim() -> None:
    """Give freed memory back to the system, where the C library can.

    Arrays of a clip leave holes in glibc's heap that the next ones do not fill: it
    would grow with every clip.
    """
    if malloc_trim := getattr(ctypes.CDLL(None), "malloc_trim", None):
        malloc_trim(0)


def _remove_folder(folder: Path) -> None:
    for item in folder.iterdir():
        item.unlink()
    folder.rmdir()
