"""What a user reads before and after a run of the workflow."""

import functools
import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from snakemake_logger_plugin_twinlens import causes
from twinlens.artifacts import reader
from twinlens.artifacts.publish import hidden
from twinlens.errors import ArtifactError
from twinlens.plan import Plan
from twinlens.plan.tables import Tables

REFUSED = ("SLURM sbatch failed", "Job submission failed")
"""How messages of Slurm's executor begin on a job that was never submitted."""
STOPPED = "Terminating processes on user request"
"""What Snakemake logs of Ctrl-C."""
FAILED = re.compile(
    r"Error in \w+ (\w+):(?:.(?!Error in))*?\n    message: ([^\n]*)"
    r"(?:.(?!Error in))*?\n    log: ([^\n(]+)",
    re.DOTALL,
)
"""A failed job in Snakemake's log: rule, message, logs."""


def announced(tables: Tables) -> list[str]:
    """The targets of `all`; prints what is left out, and why."""
    for line in tables.left_out():
        print_once(line)
    return tables.targets()


@functools.cache
def print_once(line: str) -> None:
    """Print a line; Snakemake asks for a rule's input more than once."""
    print(line, file=sys.stderr)


def print_tables(plan: Plan, started: float) -> None:
    """Print the tables that a run wrote, and warnings of the networks that they read.

    Args:
        plan: of the world.
        started: time of the run's start, in seconds since the epoch.
    """
    root = Path(plan.root)
    for path in sorted(root.glob("*.md")):
        copy = Path("results") / path.name
        fresh = copy.exists() and copy.stat().st_mtime > started
        if fresh and copy.read_bytes() == path.read_bytes():
            print(f"\n{path.read_text()}\n{copy.with_suffix('.csv')}", file=sys.stderr)
    networks = sorted(plan.methods.networks(plan.tables.methods_read))
    logs = [
        root / "logs/flow_error.log",
        *(root / f"logs/import_network/sr/{name}.log" for name in networks),
        *(root / f"logs/train_sr/{name}.log" for name in networks),
        *(
            path
            for path in sorted(root.glob("logs/import_network/*/*.log"))
            if path.parent.name != "sr"
        ),
    ]
    for path in filter(Path.exists, logs):
        for line in path.read_text(errors="replace").splitlines():
            if line.startswith("WARNING"):
                print(line, file=sys.stderr)


def remove_checkpoints(plan: Plan) -> None:
    """Remove the checkpoints of trainings whose networks a run has now recorded."""
    for network in Path(plan.root, "networks").rglob("[!.]*.h5"):
        with suppress(ArtifactError):  # a damaged one may be trained again from it
            identity = reader.file_id(network)[:12]
            for path in hidden(network, rf"{identity}\.checkpoint"):
                path.unlink(missing_ok=True)


def report_failures(own: str | Sequence[str]) -> None:
    """Print of a failed run which jobs failed, why, and their logs.

    Args:
        own: Snakemake's own log of the run.
    """
    files = [own] if isinstance(own, str) else own
    text = "".join(Path(each).read_text(errors="replace") for each in files)
    before, stopped, _ = text.partition(STOPPED)  # jobs that end after it were stopped
    for name, message, listed in dict.fromkeys(FAILED.findall(before)):
        paths = [Path(each) for each in listed.strip().split(", ")]
        refused = message.startswith(REFUSED)  # its log is of before
        why = message if refused else causes.cause(paths) or "it says nothing"
        print(
            f"\nFAILED {name}: {why}\n  log: {paths[0]}; after fixing it, rerun the"
            " same command: finished jobs are kept",
            file=sys.stderr,
        )
    if stopped:
        print(
            "stopped by the user; finished jobs are kept, and the same command goes on",
            file=sys.stderr,
        )
