"""What a unit of work takes here: the world's own stages on a few generated clips.

The world is made once more in miniature: the same methods, networks, batches and sizes
of frames, but few clips and few steps, by the workflow itself. Published weights are
replaced by random ones.
"""

import csv
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

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
STARTS = {
    "generate": "media.generate",
    "frames": "media.frames",
    "degrade": "degrade.stage",
    "super_resolve": "sr.stage",
    "flow": "flow.stage",
    "motion": "flow.motion",
    "flow_error": "flow.error",
    "patches": "patches.stage",
    "count_patches": "patches.counts",
    "quality": "quality.stage",
    "explorer_media": "explorer.media",
    "score": "recognition.tsn.score",
    "train_sr": "training.train",
    "train_recogniser": "recognition.tsn.train",
    "train_flow": "flow.flownet2.train",
    "train_perceptual": "perceptual.train",
}
"""What a job loads before it begins, by stage; below `twinlens`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rate:
    """What a class of jobs takes."""

    start: float
    """Seconds before it begins."""
    seconds: float
    """Of wall time a unit, on the threads and the GPU that the config gives a job."""
    memory: float
    """Largest resident memory, MB."""
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
    config = out.with_suffix(".config.yaml")
    config.write_text(yaml.safe_dump(miniature(plan, configs)), encoding="utf-8")
    say(f"calibrating by {config}: minutes, or longer where networks are large")
    small = overlays.plan([config])
    found = dry_run.jobs([config])
    dry_run.run("--configfile", str(config), "--forceall", "--notemp")
    rates = _rates(small, found)
    text = {str(key): asdict(rate) for key, rate in rates.items()}
    out.write_text(yaml.safe_dump(text), encoding="utf-8")
    say(f"{out}: rates of {len(rates)} classes of jobs")


def miniature(plan: Plan, configs: Sequence[Path]) -> dict[str, Any]:
    """Make a config of the same work on a few clips, and few steps."""
    config = overlays.merged([*overlays.bases(), *configs])
    sizes, world = Sizes(plan), plan.world
    config |= {"world": f"{world.world}_calibration", "keep": True}
    config["select"]["datasets"] = config["select"]["datasets"][:1]
    for name, entry in world.datasets.items():
        part = "corpus" if entry.kind == "corpus" else "test"
        used = name in world.select.datasets or entry.kind == "corpus"
        if used and not (entry.generated and entry.generated.kind == "flow"):
            config["datasets"][name] = _few(config["datasets"][name], sizes, name, part)
    for section in ("training", "starts", "methods", "flows", "recognisers"):
        _shorten(config[section])
    return config


def _few(entry: dict[str, Any], sizes: Sizes, name: str, part: str) -> dict[str, Any]:
    """Make an entry of a data set of a few generated clips of the same size."""
    size: Size = sizes.of(name, part)
    kept = {key: entry[key] for key in ("label", "pairs", "frames") if key in entry}
    generated: dict[str, Any] = {
        "width": size.width - size.width % 2,
        "height": size.height - size.height % 2,
        "frames": [size.frames, size.frames],
    }
    if part == "corpus":
        generated |= {"kind": "corpus", "clips": CLIPS}
        return kept | {"kind": "corpus", "generated": generated}
    generated |= {"train": CLIPS, "test": CLIPS, "classes": list(CLASSES)}
    return kept | {"kind": "playground", "generated": generated}


def _shorten(section: Any) -> None:
    """Cut steps, and take no published weights, anywhere in a section."""
    if not isinstance(section, dict):
        return
    for key, value in section.items():
        if key == "steps":
            many = dict.fromkeys(value, STEPS) if isinstance(value, dict) else STEPS
            section[key] = many
        elif key == "validations":
            section[key] = 1
        elif key == "weights":
            section[key] = None
        else:
            _shorten(value)


def _rates(plan: Plan, jobs: Sequence[Job]) -> dict[Class, Rate]:
    """Read what the jobs took."""
    work, starts = Work(plan), {stage: _start(home) for stage, home in STARTS.items()}
    found: dict[Class, list[tuple[float, float, float, float]]] = {}
    for job in jobs:
        key, units = work.of(job)
        took = _benchmark(job)
        if took:
            size = sum(Path(each).stat().st_size for each in job.output)
            found.setdefault(key, []).append((units, *took, float(size)))
    return {key: _rate(starts.get(key.stage, 0.0), rows) for key, rows in found.items()}


def _rate(start: float, rows: list[tuple[float, float, float, float]]) -> Rate:
    units, seconds, memory, size = zip(*rows, strict=True)
    rest = max(sum(seconds) - start * len(rows), 0.05 * sum(seconds))
    return Rate(
        start=round(start, 3),
        seconds=rest / sum(units),
        memory=max(memory),
        bytes=sum(size) / sum(units),
    )


def _start(home: str) -> float:
    """Time how long a stage takes to load; the best of two."""
    command = [sys.executable, "-c", f"import twinlens.{home}"]
    took = []
    for _ in range(2):
        begun = time.perf_counter()
        subprocess.run(command, check=True)
        took.append(time.perf_counter() - begun)
    return min(took)


def _benchmark(job: Job) -> tuple[float, float] | None:
    """Seconds and MB of a finished job, as Snakemake measured them."""
    if not job.benchmark:
        return None
    with Path(job.benchmark).open(encoding="utf-8") as text:
        (row,) = csv.DictReader(text, delimiter="\t")
    return float(row["s"]), float(row["max_rss"])
