"""What the logs of a failed job say about why it failed."""

import re
from collections.abc import Sequence
from pathlib import Path

BY_SCHEDULER = re.compile(r"slurmstepd[^:]*: error: (.*)")
"""What Slurm writes to a job's output about why it ended it."""
SAVED = "SIGTERM: "
"""In the last line of a training that saved its state before it would be killed."""


def cause(logs: Sequence[Path]) -> str:
    """Find why a job failed: what its scheduler wrote, else its own last line.

    Of a training that ended by itself, as its scheduler wanted, the last line counts.

    Args:
        logs: its own, then those of a scheduler.

    Returns:
        "" where they say nothing.
    """
    own, *others = logs
    last = last_line(own)
    return last if SAVED in last else by_scheduler(others) or last


def by_scheduler(logs: Sequence[Path]) -> str:
    """Find why Slurm ended a job: the first that it wrote of it."""
    said = [BY_SCHEDULER.match(line) for log in logs for line in _lines(log)]
    return next((found[1].strip("* ") for found in said if found), "")


def last_line(log: Path) -> str:
    """Read the last line of a log that is not empty."""
    return next((line for line in reversed(_lines(log)) if line.strip()), "")


def _lines(log: Path) -> list[str]:
    return log.read_text(errors="replace").split("\n") if log.is_file() else []
