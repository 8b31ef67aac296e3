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
from twinlens.errors import ArtifactError
from twinlens.progress import say, track

STORE = Path(".snakemake/twinlens-contents.json")
"""Where the digests of a folder's runs are kept."""
SECONDS_TO_SETTLE = 2.0
"""A file that changed this shortly ago may change again under the same times."""


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
            store: JSON, by path: inode, size, times of content and inode in ns, sha1.
        """
        self.store = store
        self._known: dict[str, list[int | str]] = _read(store)

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
            OSError: a file can't be read.
        """
        files = [(path, _state(path)) for path in paths]
        new = [
            (path, state)
            for path, state in files
            if state and state[1] <= (most or state[1]) and not self._knows(path, state)
        ]
        if new:
            for path, state in track(new, f"digest {label}", "files"):
                self._known[_key(path)] = [*state, _digest(path)]
            self._keep({_key(path) for path, _ in new})
        return [self._found(path, state) for path, state in files]

    def _knows(self, path: Path, state: tuple[int, ...]) -> bool:
        return self._known.get(_key(path), [])[:-1] == list(state)

    def _found(self, path: Path, state: tuple[int, ...]) -> str:
        if not state:
            return _kind(path)
        if not self._knows(path, state):
            return f"{state[1]} bytes"
        return str(self._known[_key(path)][-1])

    def _keep(self, new: set[str]) -> None:
        """Store what is known, but of files that may still be changing."""
        settled = time.time_ns() - int(SECONDS_TO_SETTLE * 1e9)
        kept = {
            key: line
            for key, line in (_read(self.store) | self._known).items()
            if key not in new or int(line[3]) < settled
        }
        try:
            with publish(self.store) as temporary:
                temporary.write_text(json.dumps(kept, indent=0))
        except (ArtifactError, OSError) as error:
            say(f"digests of files are not kept for the next run: {error}")


def _digest(path: Path) -> str:
    """Digest a file; an error names it, also one that comes while it is read."""
    try:
        return sha1(path)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def _read(store: Path) -> dict[str, list[int | str]]:
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


def _state(path: Path) -> tuple[int, ...]:
    """Inode, size and times of a regular file; nothing for what is none."""
    try:
        status = path.stat()
    except OSError:
        return ()
    if not stat.S_ISREG(status.st_mode):
        return ()
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _kind(path: Path) -> str:
    """What a path is that is no regular file: "" for nothing, or a link to nothing."""
    return "other" if path.exists() else ""
