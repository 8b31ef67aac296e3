"""Digests of files' bytes: of people's own files, which size and time don't tell apart.

The workflow asks for them at each start, so each file is read once, and again when its
inode, size or one of its times has changed.
"""

import hashlib
import json
import os
import stat
import time
from collections.abc import Iterable
from pathlib import Path

from twinlens.artifacts.publish import publish
from twinlens.errors import REMEDIES, ArtifactError
from twinlens.progress import say, track

STORE = Path(".snakemake/twinlens-contents.json")
"""Where the digests of a folder's runs are kept."""
SECONDS_TO_SETTLE = 2.0
"""A file that changed so shortly before it was read may change again unnoticed."""
SECONDS_BETWEEN_STORES = 60.0

Line = list[int | str]
"""Of a file: inode, size, times of content and inode in ns, SHA-1."""


def sha1(path: Path) -> str:
    """Digest of a file's bytes.

    Raises:
        OSError: it can't be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha1").hexdigest()


class Contents:
    """Digests of files, kept from run to run."""

    def __init__(self, store: Path = STORE) -> None:
        """Take what is known.

        Args:
            store: JSON, by path a `Line`.
        """
        self.store = store
        self._known: dict[str, Line] = _read(store)
        self._new: dict[str, Line] = {}
        self._stored = time.monotonic()

    def of(
        self, paths: Iterable[Path], label: str, most: int | None = None
    ) -> list[str]:
        """Digest files, reporting progress where some must be read.

        Args:
            paths: the files; links are followed.
            label: what they are, for the progress.
            most: bytes; of a larger file only the size counts.

        Returns:
            The SHA-1 of each; the kind of what is no regular file, "" for nothing.

        Raises:
            OSError: a file can't be read; it is named.
        """
        files = [(path, _state(path)) for path in paths]
        unknown = [
            (path, state)
            for path, state in files
            if state and not _is_over(state, most) and not self._knows(path, state)
        ]
        if unknown:
            try:
                for path, state in track(unknown, f"digest {label}", "files"):
                    self._digest(path, state)
            finally:
                self._keep()
        return [self._found(path, state, most) for path, state in files]

    def _digest(self, path: Path, state: list[int]) -> None:
        started = time.time_ns()
        try:
            line: Line = [*state, sha1(path)]
        except OSError as error:  # one that comes while it is read names no file
            raise OSError(error.errno, error.strerror, str(path)) from error
        self._known[_key(path)] = line
        if state[3] < started - SECONDS_TO_SETTLE * 1e9:
            self._new[_key(path)] = line
        if time.monotonic() - self._stored > SECONDS_BETWEEN_STORES:
            self._keep()

    def _knows(self, path: Path, state: list[int]) -> bool:
        return self._known.get(_key(path), [])[:-1] == state

    def _found(self, path: Path, state: list[int], most: int | None) -> str:
        if not state:
            return "other" if path.exists() else ""
        if _is_over(state, most):
            return f"{state[1]} bytes"
        return str(self._known[_key(path)][-1])

    def _keep(self) -> None:
        """Store what is new beside what others stored; drop what is gone."""
        if not self._new:
            return
        try:
            with publish(self.store) as temporary:  # one writer at a time
                lines = _read(self.store) | self._new
                there = {key: line for key, line in lines.items() if Path(key).exists()}
                temporary.write_text(json.dumps(there, indent=0))
        except (ArtifactError, OSError) as error:
            say(f"digests of files are not kept for the next run: {error}")
        self._new, self._stored = {}, time.monotonic()


def _read(store: Path) -> dict[str, Line]:
    """Read the store; one that can't be used is as good as none."""
    try:
        known = json.loads(store.read_text())
        if any(len(line) != 5 for line in known.values()):
            raise ValueError("not a store of digests")
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        say(f"{store}: digests of files are made again: {error}")
        return {}
    return dict(known)


def _key(path: Path) -> str:
    return os.path.abspath(path)  # noqa: PTH100  # of a link its own, not its target's


def _is_over(state: list[int], most: int | None) -> bool:
    return most is not None and state[1] > most


def _state(path: Path) -> list[int]:
    """Inode, size and times of a regular file; nothing for what is none."""
    try:
        status = path.stat()
    except OSError as error:
        if error.errno in REMEDIES:
            raise
        return []
    if not stat.S_ISREG(status.st_mode):
        return []
    return [status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns]
