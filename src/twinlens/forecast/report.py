"""Hours, memory and disk of a world by stage, and the time on a cluster."""

import heapq
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import yaml
from pydantic import TypeAdapter, ValidationError

from twinlens import cli, dry_run
from twinlens.dry_run import Job
from twinlens.errors import ArtifactError
from twinlens.forecast.calibrate import Rate, calibrate
from twinlens.forecast.units import Class, Work
from twinlens.plan import Plan, overlays
from twinlens.progress import say

SNAKEMAKE = 2.0
"""Seconds of a job before its own command begins."""
SHORT = Rate(start=3.0, seconds=0.0, memory=400.0, bytes=0.0)
"""Of jobs that are alike and short: lists, tables, figures."""
TEMPORARY = {"frames", "super_resolve", "flow", "motion", "patches"}
"""Stages whose files go after their last use, unless the world keeps them."""
GIVEN = "what a unit of work takes: seconds, MB of memory, bytes on disk"


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """What a job takes."""

    kind: Class
    seconds: float
    threads: int
    gpu: int
    memory: float
    bytes: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a forecast; with --calibrate, measure first."""
    parser = cli.config_options("forecast", __doc__)
    parser.add_argument("--rates", type=Path, default=Path("rates.yaml"), help=GIVEN)
    parser.add_argument(
        "--calibrate", action="store_true", help="measure the rates on this machine"
    )
    parser.add_argument("--nodes", type=int, default=1, help="jobs at once without GPU")
    parser.add_argument("--gpus", type=int, default=1, help="jobs at once with a GPU")
    parser.add_argument("--long", action="store_true", help="a line for each class")
    options = parser.parse_args(arguments)
    if options.calibrate:
        calibrate(options.config, options.data, options.rates)
    plan = overlays.plan(options.config, options.data)
    jobs = dry_run.jobs(options.config, options.data)
    found = costs(plan, jobs, read(options.rates))
    digits = ("", ".0f", ".2f", ".2f", ".0f", ".2f", ".2f")  # jobs and MB have none
    print(table(plan, found, long=options.long).to_markdown(floatfmt=digits))
    hours = wall(jobs, found, options.nodes, options.gpus) / 3600
    at_once = f"{options.nodes} jobs at once"
    if any(job.gpu for job in jobs):
        at_once += f", and {options.gpus} more with a GPU"
    print(f"\nwith {at_once}: {hours:.2f} hours, if none waits in a queue")
    return 0


def read(path: Path) -> dict[str, Rate]:
    """Read rates by class.

    Raises:
        ArtifactError: there are none, or they are no rates.
    """
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
        return TypeAdapter(dict[str, Rate]).validate_python(found)
    except FileNotFoundError as error:
        raise ArtifactError(
            f"{path}: no rates; measure them by --calibrate, or name a file of a"
            " machine like the one that is to run it by --rates"
        ) from error
    except (yaml.YAMLError, ValidationError) as error:
        raise ArtifactError(f"{path}: no rates: {error}") from error


def costs(plan: Plan, jobs: Sequence[Job], rates: dict[str, Rate]) -> list[Cost]:
    """Estimate each job; classes without a rate are named and count as short."""
    work, unknown, found = Work(plan), Counter[str](), []
    for job in jobs:
        kind, units = work.of(job)
        rate = rates.get(str(kind), SHORT)
        if kind.stage in work.stages and str(kind) not in rates:
            unknown[str(kind)] += 1
        found.append(
            Cost(
                kind=kind,
                seconds=SNAKEMAKE + rate.start + rate.seconds * units,
                threads=job.threads,
                gpu=job.gpu,
                memory=rate.memory + work.kept(job),
                bytes=rate.bytes * units,
            )
        )
    for name, count in unknown.items():
        say(f"WARNING no rate of {name}: its {count} jobs are counted as short ones")
    return found


def table(plan: Plan, found: Sequence[Cost], *, long: bool = False) -> pd.DataFrame:
    """Sum up costs by stage, and in the long form by what does the work."""
    frame = pd.DataFrame(
        {
            "stage": [str(each.kind) if long else each.kind.stage for each in found],
            "jobs": 1,
            "CPU hours": [
                0 if each.gpu else each.threads * each.seconds / 3600 for each in found
            ],
            "GPU hours": [each.gpu * each.seconds / 3600 for each in found],
            "memory MB": [each.memory for each in found],
            "kept GB": [each.bytes / 1e9 * _stays(plan, each) for each in found],
            "for a time GB": [
                each.bytes / 1e9 * (not _stays(plan, each)) for each in found
            ],
        }
    )
    grouped = frame.groupby("stage", sort=False)
    summed = grouped.sum().assign(**{"memory MB": grouped["memory MB"].max()})
    total = summed.sum()
    total["memory MB"] = summed["memory MB"].max()
    summed.loc["all"] = total
    return summed.astype({"jobs": int})


def _stays(plan: Plan, cost: Cost) -> bool:
    return plan.world.keep or cost.kind.stage not in TEMPORARY


def wall(jobs: Sequence[Job], found: Sequence[Cost], nodes: int, gpus: int) -> float:
    """Simulate a run: seconds until the last job ends.

    Args:
        jobs: in any order.
        found: what each takes.
        nodes: jobs without a GPU at once.
        gpus: GPUs.
    """
    made = {file: index for index, job in enumerate(jobs) for file in job.output}
    needs = [{made[file] for file in job.input if file in made} for job in jobs]
    behind: dict[int, list[int]] = {}
    for index, before in enumerate(needs):
        for each in before:
            behind.setdefault(each, []).append(index)
    ready = [index for index, before in enumerate(needs) if not before]
    free, running, now = {False: nodes, True: gpus}, list[tuple[float, int]](), 0.0
    while ready or running:
        waiting = []
        for index in sorted(ready, key=lambda each: -found[each].seconds):
            slot, size = found[index].gpu > 0, max(1, found[index].gpu)
            if free[slot] >= min(size, gpus if slot else nodes):
                free[slot] -= size
                heapq.heappush(running, (now + found[index].seconds, index))
            else:
                waiting.append(index)
        now, index = heapq.heappop(running)
        free[found[index].gpu > 0] += max(1, found[index].gpu)
        ready = waiting
        for each in behind.get(index, []):
            needs[each].discard(index)
            if not needs[each]:
                ready.append(each)
    return now
