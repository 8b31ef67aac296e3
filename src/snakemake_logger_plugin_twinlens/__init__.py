"""What a person sees of a run: a line a step, steps done, time left, and the cause.

Snakemake's own log file keeps everything; `--verbose` and `-p` bring it back to the
terminal. `profiles/default` turns this on; `--logger` with another name turns it off.
"""

import json
import logging
import re
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.settings import LogHandlerSettingsBase

# Nothing of `twinlens`: the Snakefile has yet to say which checkout's it is.
from snakemake_logger_plugin_twinlens import causes

# Lines that a person who waits for a table does not need.
QUIET = (
    "Building DAG",
    "Using shell",
    "Provided cores",
    "Rules claiming more threads",
    "Conda environments: ignored",
    "Select jobs",
    "Assuming unrestricted",
    "This was a dry-run",
    "Exiting because",
    "Job stats",
    "Reasons:",
    "Would remove",
    "Some jobs were triggered by",
    "Rules with provenance",
    "Complete log",
    "SLURM run ID",
    "Singularity containers: ignored",
    "Provided remote nodes",
    "Auto-selected partition",
    "Cleaning up SLURM log files",
    "Falling back to 'sacct'",
    "'sacct' unavailable",
)
# What Slurm's executor warns of, and nobody need do anything about.
NO_WARNINGS = (
    "No SLURM account given",
    "No account was given",
    "Unable to guess SLURM account",
)
# Of a dry run beside another one, which the workflow itself says, with its process.
BESIDE = "Error: Directory cannot be locked. Another Snakemake instance is running."
HINTS = {
    r"Config file (is not valid|must be given as)": (
        "`twinlens doctor --config FILE` names the file and line"
    ),
    r"No rule to produce (\./)?results/[^/]+/": (
        "the folder below results/ is the world: what is not of this run's config comes"
        " by --configfile of its own, with that `world:`"
    ),
    r"FileNotFoundError: .*\.ya?ml'": (
        "a --configfile, if it is one, is looked for from where the command runs"
    ),
}
"""What to do about some of Snakemake's own errors."""


@dataclass
class LogHandlerSettings(LogHandlerSettingsBase):
    """What may be asked of it: `--logger-twinlens-jobs FILE`."""

    jobs: Optional[Path] = field(  # noqa: UP045 - Snakemake asks for it
        default=None,
        metadata={"help": "write a line of JSON for each job: rule, wildcards, files"},
    )


class LogHandler(LogHandlerBase):
    """Prints to standard error."""

    def __post_init__(self) -> None:
        """Start the clock."""
        self.start = time.monotonic()
        self.jobs: dict[int, str] = {}
        self.finished: list[str] = []
        self.last = ""
        self.stopped = False
        self.talkative = (
            self.common_settings.verbose or self.common_settings.printshellcmds
        )

    def emit(self, record: logging.LogRecord) -> None:
        """Print what a record means, or nothing."""
        event = getattr(record, "event", None)
        kind = "text" if event is None else str(event)
        text = getattr(self, f"_{kind}", self._other)(record)
        if text:
            print(text, file=sys.stderr, flush=True)

    def _run_info(self, record: Any) -> str:
        """Numbers of jobs by rule, on few lines."""
        counts = {
            line.split()[0]: line.split()[1]
            for line in str(record.getMessage()).splitlines()
            if len(line.split()) == 2 and line.split()[1].isdigit()
        }
        total = counts.pop("total", "0")
        jobs = ", ".join(f"{count} {rule}" for rule, count in counts.items())
        text = f"{total} steps to do: {jobs}"
        last, self.last = self.last, text
        return "" if text == last else text  # a dry run says it twice

    def _job_info(self, record: Any) -> str:
        if jobs := getattr(self.settings, "jobs", None):
            with Path(jobs).open("a", encoding="utf-8") as file:
                print(_line(record), file=file)
        wildcards = " ".join(map(str, (record.wildcards or {}).values()))
        self.jobs[record.jobid] = f"{record.rule_name} {wildcards}".strip()
        return f"{self.jobs[record.jobid]}: {record.output}" if self.talkative else ""

    def _shellcmd(self, record: Any) -> str:
        return str(record.shellcmd or "") if self.common_settings.printshellcmds else ""

    def _job_finished(self, record: Any) -> str:
        self.finished.append(self.jobs.get(record.job_id, "a step"))
        return ""

    def _progress(self, record: Any) -> str:
        took = time.monotonic() - self.start
        left = took / max(1, record.done) * (record.total - record.done)
        names, self.finished = ", ".join(self.finished), []
        return (
            f"[{record.done} of {record.total} steps, {_clock(took)} gone, about"
            f" {_clock(left)} left] done: {names}"
        )

    def _job_error(self, record: Any) -> str:
        if self.stopped:
            return ""  # by the user, not by a fault
        # The cause follows at the very end, where nothing scrolls it away.
        name = self.jobs.get(record.jobid, record.rule_name)
        reason = re.split(
            r"    sbatch call:|\. Detailed failure|For further error",
            record.rule_msg or "",
        )[0].strip()
        log = f"log: {' '.join(record.log or ['none'])}"
        # A scheduler's job may be tried again, and its cause is not told at the end.
        said = ""
        if reason.startswith("SLURM-job"):
            said = causes.cause([Path(each) for each in record.log])
        return "; ".join(filter(None, (f"FAILED {name}", reason, said, log)))

    def _group_error(self, record: Any) -> str:
        return str(record.getMessage())

    def _error(self, record: Any) -> str:
        return "" if self.stopped else _hinted(str(record.getMessage()))

    def _text(self, record: Any) -> str:
        """Messages without an event: all that warns, and what is worth a line."""
        text = str(record.getMessage()).strip()
        if text in {"", "None", BESIDE}:
            return ""
        if text.startswith("Terminating processes on user request"):
            self.stopped = True
            return "stopping: running jobs end, what they finished is kept"
        if text.startswith(NO_WARNINGS) and not self.talkative:
            return ""
        if record.levelno >= logging.WARNING or self.talkative:
            return _hinted(text)
        if found := re.match(r"Trying to restart job (\d+)\.", text):
            return f"AGAIN {self._job_name(found[1])}"
        if found := re.match(
            r"Job (\d+) has been submitted .* SLURM jobid (\d+)", text
        ):
            return f"submitted {self._job_name(found[1])} as Slurm job {found[2]}"
        return "" if text.startswith(QUIET) or record.levelno < logging.INFO else text

    def _job_name(self, jobid: str) -> str:
        return self.jobs.get(int(jobid), f"job {jobid}")

    def _other(self, record: Any) -> str:
        return record.getMessage() if self.common_settings.verbose else ""

    @property
    def writes_to_stream(self) -> bool:
        """It takes the place of Snakemake's own printing."""
        return True

    @property
    def writes_to_file(self) -> bool:
        """Snakemake's log file stays as it is."""
        return False

    @property
    def has_filter(self) -> bool:
        """It chooses by itself."""
        return True

    @property
    def has_formatter(self) -> bool:
        """It words by itself."""
        return True

    @property
    def needs_rulegraph(self) -> bool:
        """No."""
        return False


def _line(record: Any) -> str:
    """Write a job as JSON."""
    return json.dumps(
        {
            "rule": record.rule_name,
            "wildcards": dict(record.wildcards or {}),
            "input": list(record.input or ()),
            "output": list(record.output or ()),
            "gpu": int(record.resources.get("gpu", 0)),
            "threads": int(record.threads or 1),
            "benchmark": str(record.benchmark or ""),
            "reason": str(record.reason),
            "command": str(record.shellcmd or ""),
        }
    )


def _hinted(text: str) -> str:
    """Add what to do about an error."""
    hints = [hint for pattern, hint in HINTS.items() if re.search(pattern, text)]
    return "\n".join([text, *hints])


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes}:{seconds:02d}"
