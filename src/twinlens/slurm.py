"""What the workflow adds to Snakemake's Slurm executor, so that nothing hangs.

Jobs of a run that was killed go on without it; the next run waits for them. A job of
which Slurm no longer knows would be waited for without end by the executor (2.8.0), and
so would one that accounting calls "CANCELLED by 1000", or any at all once Slurm did not
answer.
"""

import functools
import os
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from twinlens.progress import say

UNCONFIGURED = "Could not establish a configuration source"
"""What Slurm's commands say on a machine that is of no cluster."""
SECONDS_TO_ANSWER = 60.0
SECONDS_BETWEEN_CHECKS_FOR_OLD_JOBS = 10.0
SECONDS_BETWEEN_WORDS = 300.0
SHARE_WAITED = 0.1
"""Of the time in which nothing changed, until the next look at the queue."""
LONGEST_WAIT = 60.0
"""Seconds between two looks, at most."""
MIN_JOB_AGE = 300
"""Seconds for which Slurm by default knows a job that has ended."""
PATIENCE = {"squeue": 120.0, "sacct": 1800.0}
"""Seconds, by who is asked, after which a job that no answer names is lost."""
PREEMPTED, LOST, CANCELLED = "PREEMPTED", "UNKNOWN", "CANCELLED"
"""States; the executor takes an unknown job for ended, and looks for its outputs."""
GONE = (LOST, PREEMPTED)
"""States of jobs that may not come back."""
USUAL = {"None", "Resources", "Priority", "Dependency", "BeginTime", "Cleaning"}
"""Reasons for which a job waits its turn."""
HELD = (
    "job {job} is held ({why}) and waits until somebody lets it start (`scontrol"
    " release {job}`) or has it submitted again (`scancel {job}`)"
)
WAITS = (
    "job {job} does not start, nor may others: Slurm's reason is {why}; `scontrol show"
    " job {job}` has what it asked for, `scancel {job}` has it submitted again"
)
States = dict[str, str]
"""Of jobs by their id, as Slurm words them."""
Query = Callable[..., Awaitable[tuple[States | None, float | None]]]


class SilentError(RuntimeError):
    """Slurm does not answer."""


def squeue(*options: str, fields: int) -> list[list[str]]:
    """Ask for the fields of jobs in the queue.

    Args:
        options: among them a format that puts `|` between fields.
        fields: how many there are; a line with fewer is no job's.

    Raises:
        SilentError: there is no answer.
    """
    command = ["squeue", "--noheader", *options]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=SECONDS_TO_ANSWER,
            check=True,
        )
    except subprocess.CalledProcessError as error:
        raise SilentError(f"{' '.join(command)}: {error.stderr.strip()}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SilentError(str(error)) from error
    rows = [line.split("|", fields - 1) for line in done.stdout.splitlines()]
    return [row for row in rows if len(row) == fields]


# --- jobs of an earlier run -----------------------------------------------------------


def wait_for_jobs(folder: Path) -> None:
    """Wait until the Slurm jobs that an earlier run left in a folder have ended.

    Two jobs with the same output would wait for one another, at twice the cost.

    Args:
        folder: where the workflow runs, as its jobs name it.
    """
    said = -SECONDS_BETWEEN_WORDS
    while found := list(jobs(folder)):
        if time.monotonic() - said > SECONDS_BETWEEN_WORDS:
            said = time.monotonic()
            ids = " ".join(found)
            say(
                f"jobs of an earlier run here are still in Slurm's queue: {ids};"
                f" waiting for them (`scancel {ids}` ends them; trainings resume)"
            )
        time.sleep(SECONDS_BETWEEN_CHECKS_FOR_OLD_JOBS)


def jobs(folder: Path) -> Iterator[str]:
    """Give the ids of one's jobs in Slurm's queue that Snakemake started in a folder.

    Where Slurm does not answer, that is said, and none are given.
    """
    if not shutil.which("squeue"):
        return
    try:
        found = squeue("--me", "--format=%A|%k|%Z", fields=3)
    except SilentError as error:
        if UNCONFIGURED not in str(error):
            say(
                "WARNING Slurm doesn't answer, and jobs of an earlier run may be at"
                f" work here: {error}"
            )
        return
    for job, comment, where in found:
        by_snakemake = comment.startswith(("rule_", "group_"))
        if by_snakemake and os.path.realpath(where) == os.path.realpath(folder):
            yield job


# --- jobs of this run -----------------------------------------------------------------


def follow(plugin: Any) -> None:
    """Have Snakemake's Slurm executor see what becomes of its jobs, and see it soon.

    By itself (2.8.0) it forgets all jobs at a look that Slurm does not answer, waits
    for those that are lost, cancels none of which the state is just asked, and waits 10
    seconds longer after each look at which no job had ended, so that one of 11 seconds
    is found to have ended after 30.

    Args:
        plugin: the executor's module, `snakemake_executor_plugin_slurm`.
    """
    if hasattr(plugin.query_job_status, "__wrapped__"):
        return
    plugin.get_min_job_age = age = _remembered(plugin.get_min_job_age)
    queue = Queue(age)
    plugin.query_job_status = _completed(plugin.query_job_status, queue)
    executor = plugin.Executor
    executor.check_active_jobs = _paced(executor.check_active_jobs, queue)
    executor.cancel_jobs = _cancelling(executor.cancel_jobs, queue)


class Queue:
    """What is known of a run's jobs from one look at Slurm's queue to the next."""

    def __init__(self, age: Callable[[], int | None]) -> None:
        self.age = age
        """Asks for how many seconds Slurm knows a job that has ended."""
        self.asked_for: list[Any] = []
        """Jobs of which the state is being asked, as the executor has them."""
        self.running: set[str] = set()
        self.changed = 0.0
        self.unclear: dict[str, float] = {}
        """Since when a job has been in no answer, or preempted."""
        self.said: set[str] = set()

    @property
    def active(self) -> list[str]:
        """Ids of the jobs that have not ended."""
        return [str(job.external_jobid) for job in self.asked_for]

    def complete(self, states: States, now: float, patience: float) -> States:
        """Take states by one word, and add those of jobs that will not come back.

        Args:
            states: an answer of Slurm.
            now: seconds of a clock.
            patience: seconds after which a job without a state is lost, and one that
                was preempted is not put back into the queue.
        """
        found = {job: state.partition(" ")[0] for job, state in states.items()}
        unclear = [job for job in self.active if found.get(job, LOST) in GONE]
        self.unclear = {job: self.unclear.get(job, now) for job in unclear}
        for job, since in self.unclear.items():
            if now - since >= patience:
                found[job] = _given_up(job, found.get(job, LOST))
        return found

    def wait(self, running: set[str], now: float, shortest: float) -> float:
        """Give the seconds until the next look: the more, the longer nothing changed.

        Args:
            running: ids of the jobs that have not ended.
            now: seconds of a clock.
            shortest: the least to wait, in seconds.
        """
        if running != self.running or not running:
            self.running, self.changed = running, now
        # Slurm must still know a job that ended just after the last look.
        longest = min(LONGEST_WAIT, (self.age() or MIN_JOB_AGE) / 2)
        return min(max(SHARE_WAITED * (now - self.changed), shortest), longest)

    def say_why(self, waiting: Sequence[str]) -> None:
        """Say once why jobs wait, unless it is for their turn."""
        for job, why in _reasons(waiting).items():
            text, once = (HELD, job) if "held" in why.lower() else (WAITS, why)
            if why not in USUAL and once not in self.said:
                self.said.add(once)
                say(text.format(job=job, why=why))


def _given_up(job: str, state: str) -> str:
    """Say what is no longer waited for, and give the state that it gets."""
    if state == PREEMPTED:
        say(f"job {job} was preempted and is not in the queue again: submitting it")
        return CANCELLED
    say(f"job {job} is no longer in Slurm's queue: looking for what it wrote")
    return LOST


def _reasons(waiting: Sequence[str]) -> States:
    """Ask why jobs wait."""
    if not waiting:
        return {}
    with suppress(SilentError):  # it is asked again
        rows = squeue(f"--jobs={','.join(waiting)}", "--format=%A|%r", fields=2)
        return {job: why for job, why in rows if job in waiting}
    return {}


def _completed(query: Query, queue: Queue) -> Query:
    """Wrap the executor's look at the states of its jobs."""

    @functools.wraps(query)
    async def asked(command: str, *others: Any) -> tuple[States, float]:
        states, seconds = await query(command, *others)
        if states is None:
            return {}, 0.0  # jobs without a state are waited for
        patience = PATIENCE["sacct" if command.startswith("sacct") else "squeue"]
        found = queue.complete(states, time.monotonic(), patience)
        queue.say_why([job for job in queue.active if found.get(job) == "PENDING"])
        return found, seconds or 0.0

    return asked


def _remembered(ask: Callable[[], int | None]) -> Callable[[], int | None]:
    """Wrap what a running controller answers, which holds while it is away."""
    known: list[int] = []

    @functools.wraps(ask)
    def remembered() -> int | None:
        if not known and (answer := ask()) is not None:
            known.append(answer)
        return known[0] if known else None

    return remembered


def _paced(check: Callable[..., AsyncIterator[Any]], queue: Queue) -> Any:
    """Wrap the executor's check, after which it waits."""

    @functools.wraps(check)
    async def checked(executor: Any, active_jobs: list[Any]) -> AsyncIterator[Any]:
        queue.asked_for = list(active_jobs)
        running = set()
        async for job in check(executor, active_jobs):
            running.add(str(job.external_jobid))
            yield job
        shortest = executor.workflow.executor_settings.init_seconds_before_status_checks
        wait = queue.wait(running, time.monotonic(), shortest)
        executor.next_seconds_between_status_checks = wait
        queue.asked_for = []

    return checked


def _cancelling(cancel: Callable[..., None], queue: Queue) -> Any:
    """Wrap what ends jobs with the run: those of a look that goes on are its too."""

    @functools.wraps(cancel)
    def cancelled(executor: Any, active_jobs: list[Any]) -> None:
        others = [job for job in queue.asked_for if job not in active_jobs]
        cancel(executor, [*active_jobs, *others])

    return cancelled
