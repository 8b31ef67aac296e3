"""What a unit of work takes here: the world's own stages on a few generated clips.

The world is made twice more in miniature: the same methods, networks, batches and sizes
of frames, but few clips and few steps, and somewhat more of both, by the workflow
itself. Published weights are replaced by random ones.
"""

import csv
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import linear_regression
from typing import Any

import numpy as np
import yaml

from twinlens import dry_run
from twinlens.dry_run import Job
from twinlens.forecast.sizes import Size, Sizes
from twinlens.forecast.units import Class, Work
from twinlens.plan import Plan, overlays
from twinlens.progress import say

CLASSES = ("SawPales", "RollBars")
"""Of the generated data sets, whatever theirs are."""
CLIPS = 6
"""Of a class and part, and of a corpus."""
STEPS = 8
"""Of each training."""
TIMES = (1, 4)
"""Clips and steps of the miniatures: two points give a job's start and its rate."""
LEAST = 0.05
"""Share of a job's time that is work, where the two points are too noisy to tell."""
Row = tuple[float, float, float, float]
"""Of a job: units, seconds, MB of memory (as `Rate` has it), bytes on disk."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rate:
    """What a class of jobs takes."""

    start: float
    """Seconds before it begins."""
    seconds: float
    """Of wall time a unit, on the threads and the GPU that the config gives a job."""
    memory: float
    """Largest resident memory, MB, without images that a training keeps."""
    bytes: float
    """On disk a unit."""


def calibrate(configs: Sequence[Path], data: str | None, out: Path) -> None:
    """Measure a world's rates on this machine, and write them as YAML.

    Args:
        configs: overlays of the world.
        data: folder of the data; None for the config's.
        out: YAML, by stage and what does the work there.
    """
    plan = overlays.plan(configs, data)
    rows: dict[Class, list[Row]] = defaultdict(list)
    for times in TIMES:
        config = out.with_suffix(f".config{times}.yaml")
        made = miniature(plan, configs, times)
        config.write_text(yaml.safe_dump(made), encoding="utf-8")
        say(f"calibrating by {config}: minutes, or longer where networks are large")
        small = overlays.plan([config])
        targets = small.tables.own_targets()  # copies would replace the world's tables
        jobs = dry_run.jobs([config], targets=targets, anew=True)
        dry_run.run(*targets, *dry_run.words([config]), "--forceall", "--notemp")
        for key, row in _rows(small, jobs):
            rows[key].append(row)
    text = {str(key): asdict(_rate(found)) for key, found in rows.items()}
    out.write_text(yaml.safe_dump(text), encoding="utf-8")
    say(f"{out}: rates of {len(text)} classes of jobs")


def miniature(plan: Plan, configs: Sequence[Path], times: int) -> dict[str, Any]:
    """Make a config of the same work on a few clips, and few steps; `times` as many."""
    config = overlays.merged([*overlays.bases(), *configs])
    sizes, world = Sizes(plan), plan.world
    config |= {"world": f"{world.world}_calibration{times}", "keep": True}
    config["data"] = world.data
    config["select"]["datasets"] = config["select"]["datasets"][:1]
    config["select"].pop("clips", None)  # of videos that are not in the miniature
    for name, entry in world.datasets.items():
        part = "corpus" if entry.kind == "corpus" else "test"
        used = name in world.select.datasets or entry.kind == "corpus"
        if used and not (entry.generated and entry.generated.kind == "flow"):
            size = sizes.of(name, part)
            config["datasets"][name] = _few(
                config["datasets"][name], size, part, CLIPS * times
            )
    config["explorer"] = config.get("explorer", {}) | {"clips": CLIPS * times}
    single = next(name for name, each in world.patches.items() if not each.pair)
    for method in config["methods"].values():
        if method.get("weights"):  # which are not taken here: trained for some steps
            method.setdefault("recipe", {"patches": single, "loss": {"kind": "mse"}})
    for section in ("training", "starts", "methods", "flows", "recognisers"):
        _shorten(config[section], STEPS * times)
    return config


def _few(entry: dict[str, Any], size: Size, part: str, clips: int) -> dict[str, Any]:
    """Make an entry of a data set of a few generated clips of the same size."""
    kept = {key: entry[key] for key in ("label", "pairs", "frames") if key in entry}
    generated: dict[str, Any] = {
        "width": size.width - size.width % 2,
        "height": size.height - size.height % 2,
        "frames": [size.frames, size.frames],
    }
    if part == "corpus":
        generated |= {"kind": "corpus", "clips": clips}
        return kept | {"kind": "corpus", "generated": generated}
    generated |= {"train": clips, "test": clips, "classes": list(CLASSES)}
    return kept | {"kind": "playground", "generated": generated}


def _shorten(section: Any, steps: int) -> None:
    """Cut steps, and take no published weights, anywhere in a section."""
    if not isinstance(section, dict):
        return
    for key, value in section.items():
        if key == "steps":
            section[key] = (
                dict.fromkeys(value, steps) if isinstance(value, dict) else steps
            )
        elif key == "validations":
            section[key] = 1
        elif key in ("weights", "init"):
            section[key] = None
        else:
            _shorten(value, steps)


def _rows(plan: Plan, jobs: Sequence[Job]) -> Iterator[tuple[Class, Row]]:
    """Read what the jobs took."""
    work = Work(plan)
    for job in jobs:
        key, units = work.of(job)
        if took := _benchmark(job):
            size = sum(Path(each).stat().st_size for each in job.output)
            seconds, memory = took
            yield key, (units, seconds, memory - work.kept(job), float(size))


def _rate(rows: Sequence[Row]) -> Rate:
    """Draw a line through the jobs of a class: seconds to start, and of each unit."""
    units, seconds, memory, size = np.array(rows, dtype=np.float64).T
    slope, start = 0.0, 0.0
    if np.ptp(units):
        slope = linear_regression(units, seconds).slope
        slope = max(slope, LEAST * seconds.sum() / units.sum())
        start = max(0.0, float(seconds.mean() - slope * units.mean()))
    return Rate(
        start=round(start, 3),
        seconds=float((seconds.sum() - start * len(rows)) / units.sum()),
        memory=float(memory.max()),
        bytes=float(size.sum() / units.sum()),
    )


def _benchmark(job: Job) -> tuple[float, float] | None:
    """Seconds and MB of a finished job, as Snakemake measured them."""
    if not job.benchmark:
        return None
    with Path(job.benchmark).open(encoding="utf-8") as text:
        (row,) = csv.DictReader(text, delimiter="\t")
    return float(row["s"]), float(row["max_rss"])
