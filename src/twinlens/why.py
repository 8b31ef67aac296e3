"""Say in a line what made a file stale: which input, setting or code."""

import json
import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from twinlens import cli, dry_run, records
from twinlens.dry_run import Job
from twinlens.records import Record

SETTINGS = re.compile(r" --job ('\{.*?\}'|\{\S*\})(?= |$)")
DEVICES = re.compile(r" --(devices) (\d+)(?= |$)")
"""The one option beside `--job` that is a parameter; threads, say, rerun nothing."""
BESIDE = {
    "classes": "the names of its classes",
    "explorer": "the page's own files",
    "frames": "a video that it reads",
    "import_network": "the weights that it reads",
    "rule_graph": "the rules",
}
"""By rule, what a parameter stands for that is not in its command, beside its code."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line for each job that would make the file again."""
    parser = cli.config_options("why", __doc__)
    parser.add_argument("file", type=Path, help="a target of the workflow")
    options = parser.parse_args(arguments)
    jobs = dry_run.jobs(options.config, options.data, [str(options.file)])
    if not jobs:
        print(f"{options.file}: is up to date")
    for line in lines(jobs):
        print(line)
    return 0


def lines(jobs: Sequence[Job]) -> Iterator[str]:
    """Say of each job why it runs; those alone that others follow from.

    Args:
        jobs: of a dry run, each before those that read what it makes.
    """
    made = {file for job in jobs for file in job.output}
    for job in jobs:
        behind = [file for file in job.input if file in made]
        why = reason(job, records.of(Path(job.output[0])))
        if why:
            yield f"{job.output[0]}: {why}"
        elif not behind:
            yield f"{job.output[0]}: {job.reason}"


def reason(job: Job, record: Record | None) -> str:
    """Compare a job with what was recorded of its last run; "" where all is the same.

    Args:
        job: as it would run now.
        record: of its first output; None if it never ran.
    """
    absent = [file for file in job.output if not Path(file).exists()]
    if record is None:
        return "was never made" if absent else "was not made by the workflow"
    if absent:
        return f"{absent[0]} is gone"
    found = [*_settings(record.command, job.command), *_inputs(record, job)]
    if "Updated input files" in job.reason:
        changed = job.reason.partition("Updated input files: ")[2].partition(";")[0]
        found.append(f"{changed.strip()} changed")
    if not found and "Params have changed" in job.reason:
        beside = f", or {BESIDE[job.rule]}" if job.rule in BESIDE else ""
        found.append(f"the code of its job changed{beside}")
    return "; ".join(found)


def _settings(before: str, now: str) -> Iterator[str]:
    """Name the settings and options that differ, with both values."""
    old, new = (_job(command) | _options(command) for command in (before, now))
    for key in sorted({*old, *new}):
        if old.get(key) != new.get(key):
            yield f"setting {key}: {old.get(key)} before, {new.get(key)} now"


def _job(command: str) -> dict[str, Any]:
    """The settings in a command, by their path."""
    found = SETTINGS.search(command)
    return dict(_flat(json.loads(shlex.split(found[1])[0]))) if found else {}


def _options(command: str) -> dict[str, Any]:
    """The options of a command that are parameters, by their name."""
    return dict(DEVICES.findall(SETTINGS.sub("", command)))


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """List the values of nested settings by their path."""
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else None
    )
    if inner is None:
        yield path, value
        return
    for key, each in inner:
        yield from _flat(each, f"{path}.{key}".lstrip("."))


def _inputs(record: Record, job: Job) -> Iterator[str]:
    before, now = record.inputs, job.input
    for what, files in (
        ("reads", sorted({*now} - {*before})),
        ("no longer reads", sorted({*before} - {*now})),
    ):
        if files:
            more = f" and {len(files) - 1} more" if len(files) > 1 else ""
            yield f"{what} {files[0]}{more}"
