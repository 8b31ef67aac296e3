"""Runs of the workflow in one folder: who is there, and locks that killed ones left.

Snakemake locks the files of a run and forgets whose lock it is, so that a run that was
killed must be unlocked by hand. Here each run holds a lock of its own, which ends with
its process, beside a note that says which process that is. Where nobody holds the
locks of the notes that are there, Snakemake's are of killed runs, and are removed.
"""

import atexit
import os
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from twinlens.artifacts.publish import WITHOUT_LOCKS, locked
from twinlens.progress import say

HOME = Path(".snakemake")
"""Where Snakemake keeps what it knows of a folder."""
WITHOUT_JOBS = frozenset(
    "--lint --list-rules --list -l --list-target-rules --lt --summary -S -D"
    " --detailed-summary --list-changes --lc --list-input-changes --li"
    " --list-params-changes --lp --list-untracked --lu --dag --rulegraph --filegraph"
    " --d3dag --report --reporter --archive --generate-unit-tests --containerize"
    " --export-cwl --print-compilation --unlock --cleanup-metadata --cm"
    " --cleanup-shadow --delete-all-output --delete-temp-output"
    " --list-conda-envs --conda-cleanup-envs --conda-create-envs-only".split()
)
"""Options with which Snakemake runs no job; a workflow is read before it knows."""
RUN, LOOK = ".run", ".look"
"""Endings of the notes of runs, and of those that only look."""
SECONDS_FOR_JOBS = 30
"""Jobs end by themselves some seconds after the run that started them."""


def begin(home: Path = HOME, *, looks: bool = False) -> bool:
    """Leave a note of this run, and remove the locks of runs that are gone.

    Says which other runs are here: Snakemake refuses to start if they make the same
    files. Those that only look, such as dry runs, are in nobody's way.

    Args:
        home: `.snakemake` of the folder.
        looks: whether this run only looks.

    Returns:
        Whether no other run that has jobs is here.
    """
    folder = home.resolve() / "twinlens-runs"
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder / "runs"):
        notes = sorted((*folder.glob(f"*{RUN}"), *folder.glob(f"*{LOOK}")))
        dead = [note for note in notes if _is_dead(note)]
        others = [each for each in notes if each not in dead and each.suffix == RUN]
        for note in others:
            text = note.read_text(errors="replace")
            say(f"another run of the workflow is in this folder: {text} ({note})")
        if dead and not others:
            _clear(home, dead)
        _leave_note(folder, LOOK if looks else RUN)
        return not others


def with_jobs(words: Sequence[str]) -> bool:
    """Whether a command line of Snakemake is to run jobs, not only to look or tidy."""
    options = {word.partition("=")[0] for word in words}
    return "--report-after-run" in options or options.isdisjoint(WITHOUT_JOBS)


def live(home: Path = HOME) -> Iterator[tuple[str, float]]:
    """Say of each run that is in a folder which process it is, and when it began."""
    for note in sorted((home.resolve() / "twinlens-runs").glob(f"*{RUN}")):
        with suppress(FileNotFoundError):  # the run ended meanwhile
            if not _is_dead(note):
                yield note.read_text(errors="replace"), note.stat().st_mtime


def _is_dead(note: Path) -> bool:
    """Whether the process of a note is gone: nobody holds the lock beside it."""
    lock = FileLock(note.with_suffix(".lock"), timeout=0, fallback_to_soft=False)
    try:
        with lock:
            return True
    except Timeout:
        return False
    except OSError as error:
        if error.errno not in WITHOUT_LOCKS:
            raise
        return False  # nothing is known on this disk


def _clear(home: Path, dead: list[Path]) -> None:
    """Remove the notes of killed runs and Snakemake's locks, once their jobs ended."""
    killed = ", ".join(note.read_text(errors="replace") for note in dead)
    for note in dead:
        _wait_for_jobs(note)
    locks = list((home / "locks").glob("*.lock"))
    for path in (*locks, *dead, *(note.with_suffix(".lock") for note in dead)):
        path.unlink(missing_ok=True)
    if locks:
        say(f"the last run here was killed ({killed}): going on from there")


def _leave_note(folder: Path, kind: str) -> None:
    """Write who this is, and hold the lock beside it until the process ends."""
    note = folder / f"{socket.gethostname()}-{os.getpid()}{kind}"
    lock = FileLock(note.with_suffix(".lock"), timeout=0, fallback_to_soft=False)
    try:
        lock.acquire()
    except OSError as error:
        if error.errno not in WITHOUT_LOCKS:
            raise
        return
    since = time.strftime("%Y-%m-%d %H:%M")
    note.write_text(f"process {os.getpid()} on {socket.gethostname()}, since {since}")
    atexit.register(_leave, note, lock)


def _leave(note: Path, lock: FileLock) -> None:
    note.unlink(missing_ok=True)
    Path(lock.lock_file).unlink(missing_ok=True)
    lock.release()


def _wait_for_jobs(note: Path) -> None:
    """Wait until the jobs of a killed run have seen that it is gone, and end."""
    host, _, pid = note.stem.rpartition("-")
    deadline = time.monotonic() + SECONDS_FOR_JOBS
    while host == socket.gethostname() and any(_jobs(pid)):
        if time.monotonic() > deadline:
            say(f"jobs of process {pid}, which was killed, still run: going on")
            return
        time.sleep(0.2)


def _jobs(pid: str) -> Iterator[psutil.Process]:
    """Processes that a run started and that still run."""
    for process in psutil.process_iter():
        try:
            if process.environ().get("TWINLENS_MASTER") == pid:
                yield process
        except (psutil.Error, OSError):  # of others, or gone by now
            continue
