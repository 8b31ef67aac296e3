"""What the workflow adds to Snakemake's Slurm executor, so that nothing hangs.

Jobs of a run that was killed go on without it; the next run waits for them. A job of
which Slurm no longer knows would be waited for without end by the executor (2.8.0), and
so would one that accounting calls "CANCELLED by 1000".
"""

import functools
import os
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from twinlens.progress import say

UNCONFIGURED = "Could not establish a configuration source"
"""What Slurm's commands say on a machine that is of no cluster."""
LOOKS = 6
"""At the queue, in a row, after which a job that is in none of them is lost."""
SHARE_WAITED = 0.1
"""Of the time in which nothing changed, until the next look."""
LONGEST_WAIT = 60.0
"""Seconds between two looks, at most."""
SECONDS_BETWEEN_LOOKS = 10.0
SECONDS_BETWEEN_WORDS = 300.0
States = dict[str, str]
"""Of jobs by their id, as Slurm words them."""
Query = Callable[..., Awaitable[tuple[States | None, float | None]]]


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
        time.sleep(SECONDS_BETWEEN_LOOKS)


def jobs(folder: Path) -> Iterator[str]:
    """Give the ids of one's jobs in Slurm's queue that Snakemake started in a folder.

    Where Slurm does not answer, that is said, and none are given.
    """
    if not shutil.which("squeue"):
        return
    words = ["squeue", "--me", "--noheader", "--format=%A|%k|%Z"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode and UNCONFIGURED not in done.stderr:
        say(
            "WARNING Slurm doesn't answer, and jobs of an earlier run may be at work"
            f" here: {' '.join(words)}: {done.stderr.strip()}"
        )
    if done.returncode:
        return
    for line in done.stdout.splitlines():
        job, comment, where = line.split("|", 2)
        by_snakemake = comment.startswith(("rule_", "group_"))
        if by_snakemake and os.path.realpath(where) == os.path.realpath(folder):
            yield job


def held(waiting: Sequence[str]) -> States:
    """Find those of some waiting jobs that Slurm holds, each with its reason.

    It holds a job that somebody held, or whose node failed to start it: such a job
    waits for somebody to release it.
    """
    if not waiting:
        return {}
    ids = ",".join(waiting)
    words = ["squeue", f"--jobs={ids}", "--noheader", "--format=%A|%r"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    reasons = dict(line.split("|", 1) for line in done.stdout.splitlines())
    return {job: why for job, why in reasons.items() if "held" in why.lower()}


def follow(plugin: Any) -> None:
    """Have Snakemake's Slurm executor learn of lost, cancelled and held jobs.

    It also looks at the queue in time: by itself (2.8.0) it waits 10 seconds longer
    after each look at which no job had ended, so that one of 11 seconds is found to
    have ended after 30.

    Args:
        plugin: the executor's module, `snakemake_executor_plugin_slurm`.
    """
    if hasattr(plugin.query_job_status, "__wrapped__"):
        return
    active: set[str] = set()
    plugin.query_job_status = _complete(plugin.query_job_status, active)
    check = plugin.Executor.check_active_jobs

    pace = Pace()

    @functools.wraps(check)
    async def checked(executor: Any, active_jobs: list[Any]) -> AsyncIterator[Any]:
        active.clear()
        active.update(str(each.external_jobid) for each in active_jobs)
        running = set()
        async for job in check(executor, active_jobs):
            running.add(str(job.external_jobid))
            yield job
        shortest = executor.workflow.executor_settings.init_seconds_before_status_checks
        wait = pace.wait(running, time.monotonic(), shortest)
        executor.next_seconds_between_status_checks = wait

    plugin.Executor.check_active_jobs = checked


class Pace:
    """How soon to look at the queue again: the later, the longer nothing changed."""

    def __init__(self) -> None:
        self.running: set[str] = set()
        self.changed = 0.0

    def wait(self, running: set[str], now: float, shortest: float) -> float:
        """Give the seconds until the next look.

        Args:
            running: ids of the jobs that have not ended.
            now: seconds of a clock.
            shortest: the least to wait, in seconds.
        """
        if running != self.running or not running:
            self.running, self.changed = running, now
        return min(max(SHARE_WAITED * (now - self.changed), shortest), LONGEST_WAIT)


def _complete(query: Query, active: set[str]) -> Query:
    """Add lost jobs to what a look at the queue tells, and take states by one word."""
    missing: Counter[str] = Counter()
    said: set[str] = set()

    @functools.wraps(query)
    async def asked(*arguments: Any) -> tuple[States | None, float | None]:
        states, seconds = await query(*arguments)
        if states is None:
            return states, seconds
        for job in active & states.keys():
            missing.pop(job, None)
        missing.update(active - states.keys())
        words = {job: state.partition(" ")[0] for job, state in states.items()}
        lost = [job for job in active if missing[job] >= LOOKS]
        for job in lost:
            say(f"job {job} is no longer in Slurm's queue: looking for what it wrote")
        for job, why in held([j for j in active if words.get(j) == "PENDING"]).items():
            if job not in said:
                said.add(job)
                say(
                    f"job {job} is held ({why}) and waits until somebody lets it start"
                    f" (`scontrol release {job}`) or has it submitted again (`scancel"
                    f" {job}`)"
                )
        # The executor then takes the job for ended, and looks for its outputs.
        return words | dict.fromkeys(lost, "UNKNOWN"), seconds

    return asked
