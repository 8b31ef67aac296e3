"""Say what of a world is done, begun and missing, and how long the rest takes."""

from base64 import urlsafe_b64decode
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from statistics import mean
from typing import NamedTuple

import pandas as pd

from twinlens import cli, dry_run, runs
from twinlens.dry_run import Job
from twinlens.networks import live
from twinlens.progress import say

INCOMPLETE = runs.HOME / "incomplete"
"""Where Snakemake marks the files of jobs that have begun."""
Measured = Mapping[str, Sequence[float]]
"""Seconds of finished jobs by rule."""


class Stage(NamedTuple):
    """The jobs of a rule."""

    rule: str
    done: int
    begun: int
    """At work in a run that is on, or failed in it."""
    missing: int
    """Not begun."""
    seconds: float | None
    """Of a finished job, on average; None where none was measured."""

    @property
    def left(self) -> float | None:
        """Seconds of all jobs that are not done; None where nothing is known."""
        waiting = self.begun + self.missing
        return 0.0 if not waiting else self.seconds and waiting * self.seconds


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line for each stage; 1 if something is missing."""
    parser = cli.config_options("status", __doc__)
    parser.add_argument("target", nargs="?", default="all", help="a file, or all")
    options = parser.parse_args(arguments)
    where = options.config, options.data, [options.target]
    every = dry_run.jobs(*where, anew=True)
    waiting = dry_run.jobs(*where)
    now = dict(runs.live())
    for text in now:
        say(f"a run is on: {text}")
    begun = set(_begun(min(now.values()))) if now else set()
    for line in report(stages(every, waiting, begun, _measured(every))):
        print(line)
    for path in _pictures(begun):
        print(f"a training's curve so far: {path}")
    return int(bool(waiting))


def stages(
    every: Sequence[Job], waiting: Sequence[Job], begun: set[str], measured: Measured
) -> list[Stage]:
    """Count the jobs of each rule, in the order of the workflow.

    Args:
        every: all jobs of the target.
        waiting: those that are not done.
        begun: files of jobs that have begun in a run that is on.
        measured: of finished jobs.
    """
    total, left = (Counter(job.rule for job in each) for each in (every, waiting))
    at_work = Counter(job.rule for job in waiting if begun.intersection(job.output))
    return [
        Stage(
            rule=rule,
            done=max(0, count - left[rule]),
            begun=at_work[rule],
            missing=left[rule] - at_work[rule],
            seconds=mean(measured[rule]) if measured.get(rule) else None,
        )
        for rule, count in (total | left).items()
    ]


def report(found: Sequence[Stage]) -> Iterator[str]:
    """Write the lines: stages, then all of them."""
    table = pd.DataFrame([_line(each) for each in found])
    yield table.to_string(index=False)
    done, total = (
        sum(s.done for s in found),
        sum(s.done + s.begun + s.missing for s in found),
    )
    yield ""
    yield f"{done} of {total} jobs are done"
    if done < total:
        known = sum(each.left or 0 for each in found)
        unknown = [each.rule for each in found if each.left is None]
        text = f"job time left, one after the other: {clock(known)}"
        yield text + (
            f", beside {', '.join(unknown)}: not measured yet" if unknown else ""
        )


def _line(stage: Stage) -> dict[str, str]:
    return {
        "stage": stage.rule,
        "done": str(stage.done),
        "begun": str(stage.begun or ""),
        "missing": str(stage.missing or ""),
        "a job": "" if stage.seconds is None else clock(stage.seconds),
        "left": "?" if stage.left is None else clock(stage.left) if stage.left else "",
    }


def clock(seconds: float) -> str:
    """Write a time as h:mm:ss."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


def _begun(since: float) -> Iterator[str]:
    """The files of jobs that have begun and not ended well, since a time.

    Older marks are of jobs that were killed or failed in an earlier run.
    """
    for path in INCOMPLETE.rglob("*"):
        with suppress(FileNotFoundError):  # the job ended meanwhile
            if path.is_file() and path.stat().st_mtime >= since:
                parts = path.relative_to(INCOMPLETE).parts
                name = "".join(each.removeprefix("@") for each in parts)
                yield urlsafe_b64decode(name).decode()


def _pictures(begun: Iterable[str]) -> list[Path]:
    """The pictures of trainings that are on."""
    networks = [Path(each) for each in begun if each.endswith(".h5")]
    return sorted(filter(Path.exists, map(live.path_beside, networks)))


def _measured(jobs: Iterable[Job]) -> Measured:
    """Read what Snakemake measured of jobs that ended, now or in an earlier run."""
    found: dict[str, list[float]] = defaultdict(list)
    for job in jobs:
        if not job.benchmark:
            continue
        with suppress(FileNotFoundError, pd.errors.EmptyDataError):  # not yet written
            found[job.rule] += pd.read_csv(job.benchmark, sep="\t")["s"].tolist()
    return found
