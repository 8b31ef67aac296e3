"""Publish a file: it appears whole or not at all, and has one writer at a time."""

import errno
import os
import re
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

from twinlens.errors import REMEDIES, ArtifactError, refused
from twinlens.progress import say

ENOTSUPP = 524
"""Linux's own number for "not supported"; NFS gives it instead of ENOTSUP."""
SECONDS_BETWEEN_WORDS = 300.0
"""After which a process that waits for another says so again."""
WITHOUT_LOCKS = {errno.ENOSYS, errno.ENOTSUP, errno.ENOLCK, ENOTSUPP}
"""What file systems without locks say; unique temporary names still protect there."""
WITHOUT_FOLDER_SYNC = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, ENOTSUPP}
"""What CIFS, sshfs and VirtualBox say to fsync of a folder, which they lack."""


@contextmanager
def publish(path: Path, check: Callable[[Path], None] | None = None) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it when the block succeeds.

    The temporary file keeps the suffix of `path`, for writers that go by it. If the
    block raises, `path` stays as it was and the temporary file is removed. Where
    another process writes the same file, it is waited for.

    Args:
        path: the file to publish; its folder is created.
        check: reads the finished temporary file and raises if it is not whole.

    Raises:
        ArtifactError: nothing was written, or the disk refused it.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with locked(path) as alone, _temporary(path, alone) as temporary:
        try:
            yield temporary
            if not temporary.exists():
                raise ArtifactError(f"{path}: its writer ended without writing it")
            if check is not None:
                check(temporary)
            _replace(temporary, path)
        except OSError as error:
            if error.errno not in REMEDIES:
                raise
            if error.filename in (None, str(path), str(temporary)):
                raise refused(path, error) from error
            raise refused(error.filename, error, "read or written") from error


@contextmanager
def publish_folder(path: Path) -> Iterator[Path]:
    """Yield a hidden folder beside `path`; it takes its place when the block succeeds.

    If the block raises, `path` stays as it was and the hidden folder is removed; one
    that a killed process left is removed by the next.

    Args:
        path: the folder to publish; an older one is replaced.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with locked(path):
        hidden_one = path.with_name(f".{path.name}.part")
        shutil.rmtree(hidden_one, ignore_errors=True)
        hidden_one.mkdir()
        try:
            yield hidden_one
            shutil.rmtree(path, ignore_errors=True)
            hidden_one.replace(path)
        finally:
            shutil.rmtree(hidden_one, ignore_errors=True)


@contextmanager
def _temporary(path: Path, alone: bool) -> Iterator[Path]:
    """Name a new file beside `path`; remove it afterwards.

    Those of killed jobs go, if this is known to be the only writer.
    """
    for stale in hidden(path, r"\d+-[0-9a-f]{8}\.tmp.*") if alone else ():
        stale.unlink()
    name = f".{path.name}.{os.getpid()}-{os.urandom(4).hex()}.tmp{path.suffix}"
    temporary = path.with_name(name)
    try:
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def _replace(temporary: Path, path: Path) -> None:
    """Rename a finished file durably: it survives a power cut from then on."""
    _sync(temporary)
    temporary.replace(path)
    _sync_folder(path.parent)


def hidden(path: Path, ending: str) -> list[Path]:
    """List files hidden beside `path`: its name, then a match of the regex `ending`."""
    pattern = re.compile(re.escape(f".{path.name}.") + ending)
    return [each for each in path.parent.iterdir() if pattern.fullmatch(each.name)]


@contextmanager
def locked(path: Path, what: str = "") -> Iterator[bool]:
    """Be the one who works on `path`; wait for another who does, and say so at once.

    To fail instead would cost the other its work: Snakemake removes the outputs of a
    job that failed, whoever wrote them.

    Args:
        path: of the file.
        what: which lock of it, such as ".training"; "" for writing.

    Yields:
        Whether it is locked: false on a file system without locks.
    """
    note = path.with_name(f".{path.name}{what}.lock")
    lock = FileLock(note, timeout=0, fallback_to_soft=False)
    found = _acquire(lock, path)
    try:
        note.write_text(f"{os.getpid()} on {socket.gethostname()}")
        yield found
    finally:
        note.unlink(missing_ok=True)  # while held: who waits for it then sees it gone
        lock.release()


def _acquire(lock: BaseFileLock, path: Path) -> bool:
    """Take a lock, saying again and again who has it; false where there are none."""
    patience = 0.0
    try:
        while True:
            with suppress(Timeout):
                lock.acquire(timeout=patience, poll_interval=0.5)
                return True
            patience = SECONDS_BETWEEN_WORDS
            holder = _holder(Path(lock.lock_file))
            say(f"{path}: process {holder} works on it: waiting until that ends")
    except OSError as error:
        if error.errno not in WITHOUT_LOCKS:
            raise
        return False


def _holder(note: Path) -> str:
    """Read the process that holds a lock, from the note that it left in the file."""
    with suppress(OSError):
        return note.read_text() or "unknown"
    return "unknown"


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sync_folder(folder: Path) -> None:
    """Make a rename survive a power cut, where the file system can."""
    try:
        _sync(folder)
    except OSError as error:
        if error.errno not in WITHOUT_FOLDER_SYNC:
            raise
