"""Runs of the workflow in one folder: who is there, and locks that killed ones left.

Snakemake locks the files of a run and forgets whose lock it is, so that a run that was
killed must be unlocked by hand. Here each run leaves a note of its process beside the
locks; locks of runs that all are gone are removed when the next one starts.
"""

import atexit
import json
import socket
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
from filelock import FileLock

from twinlens.progress import say

HOME = Path(".snakemake")
"""Where Snakemake keeps what it knows of a folder."""
SECONDS_FOR_JOBS = 30
"""Jobs end by themselves some seconds after the run that started them."""


@dataclass(frozen=True, slots=True)
class Run:
    """A process that runs the workflow."""

    host: str
    pid: int
    created: float
    """When the process began, in seconds since the epoch; processes reuse numbers."""

    @classmethod
    def own(cls) -> "Run":
        """This process."""
        process = psutil.Process()
        return cls(socket.gethostname(), process.pid, process.create_time())

    @property
    def is_dead(self) -> bool:
        """Whether it is known to be gone; of another machine nothing is known."""
        if self.host != socket.gethostname():
            return False
        try:
            return psutil.Process(self.pid).create_time() != self.created
        except psutil.NoSuchProcess:
            return True

    def __str__(self) -> str:
        """Say where and since when."""
        since = time.strftime("%Y-%m-%d %H:%M", time.localtime(self.created))
        return f"process {self.pid} on {self.host}, since {since}"


def begin(home: Path = HOME) -> None:
    """Leave a note of this run, and remove the locks of runs that are gone.

    Says which other runs are here: Snakemake refuses to start if they make the same
    files.

    Args:
        home: `.snakemake` of the folder.
    """
    notes = home.resolve() / "twinlens-runs"
    notes.mkdir(parents=True, exist_ok=True)
    with FileLock(notes / "lock"):
        found = dict(_notes(notes))
        dead = {path: run for path, run in found.items() if run.is_dead}
        for path, run in dead.items():
            _wait_for_jobs(run)
            path.unlink(missing_ok=True)
        alive = [run for path, run in found.items() if path not in dead]
        if dead and not alive:
            _unlock(home, dead)
        for run in alive:
            say(f"another run of the workflow is in this folder: {run}")
        _leave_note(notes)


def _notes(folder: Path) -> Iterator[tuple[Path, Run]]:
    """Read the notes that are there; one that is cut off says nothing."""
    for path in sorted(folder.glob("*.json")):
        try:
            yield path, Run(**json.loads(path.read_text()))
        except (ValueError, TypeError):
            path.unlink(missing_ok=True)


def _unlock(home: Path, dead: dict[Path, Run]) -> None:
    locks = list((home / "locks").glob("*.lock"))
    for lock in locks:
        lock.unlink(missing_ok=True)
    if locks:
        killed = ", ".join(map(str, dead.values()))
        say(f"the last run here was killed ({killed}): going on from there")


def _leave_note(folder: Path) -> None:
    own = Run.own()
    path = folder / f"{own.host}-{own.pid}.json"
    path.write_text(json.dumps(asdict(own)))
    atexit.register(path.unlink, missing_ok=True)


def _wait_for_jobs(run: Run) -> None:
    """Wait until the jobs of a killed run have seen that it is gone, and end."""
    deadline = time.monotonic() + SECONDS_FOR_JOBS
    while time.monotonic() < deadline and any(_jobs(run)):
        time.sleep(0.2)


def _jobs(run: Run) -> Iterator[psutil.Process]:
    """Processes that a run started and that still run."""
    for process in psutil.process_iter():
        try:
            if process.environ().get("TWINLENS_MASTER") == str(run.pid):
                yield process
        except (psutil.Error, OSError):  # of others, or gone by now
            continue
