"""What a run's terminal shows of Snakemake's own messages."""

import logging
import subprocess
import sys
from types import SimpleNamespace

import pytest

import snakemake_logger_plugin_twinlens as plugin


@pytest.fixture
def shown(capsys):
    """What is printed of a message of a level."""
    handler = object.__new__(plugin.LogHandler)
    logging.Handler.__init__(handler)
    handler.common_settings = SimpleNamespace(verbose=False, printshellcmds=False)
    handler.settings = None
    plugin.LogHandler.__post_init__(handler)

    def show(text, level=logging.ERROR, **fields):
        record = logging.makeLogRecord({"msg": text, "levelno": level, **fields})
        handler.emit(record)
        return capsys.readouterr().err.strip()

    return show


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("WorkflowError:\nConfig file is not valid JSON or YAML.", "twinlens doctor"),
        (
            "MissingRuleException:\nNo rule to produce results/tiny/scores/x.h5 (if",
            "comes by --configfile of its own",
        ),
        (
            "FileNotFoundError: [Errno 2] No such file or directory: 'none.yaml'",
            "is looked for from where",
        ),
    ],
)
def test_errors_of_snakemake_come_with_what_to_do(shown, text, hint):
    said = shown(text)
    assert said.startswith(text)
    assert hint in said.splitlines()[-1]


def test_other_errors_come_as_they_are(shown):
    text = "MissingRuleException:\nNo rule to produce results/table9.csv (if you"
    assert shown(text) == text


def test_a_dry_run_beside_a_run_does_not_speak_of_locks(shown):
    assert shown(plugin.BESIDE) == ""
    assert shown("disk quota", logging.WARNING) == "disk quota"


# --- a cluster ------------------------------------------------------------------------


def _job(shown, jobid, rule):
    shown("", event="job_info", jobid=jobid, rule_name=rule, wildcards={"shard": "00"})


def test_the_scheduler_s_own_reason_is_shown(shown):
    _job(shown, 7, "frames")
    said = shown(
        "Error in rule frames, jobid: 7",
        event="job_error",
        jobid=7,
        rule_name="frames",
        rule_msg="SLURM-job '12' failed, SLURM status is: 'TIMEOUT'. ",
        log=["results/tiny/logs/frames.log", "logs/slurm/12.log"],
    )
    assert said.startswith("FAILED frames 00; SLURM-job '12' failed")
    assert "'TIMEOUT'" in said
    assert said.endswith("log: results/tiny/logs/frames.log logs/slurm/12.log")


def test_sbatch_s_error_is_shown_without_its_call(shown):
    said = shown(
        "Error in rule frames, jobid: 7",
        event="job_error",
        jobid=7,
        rule_name="frames",
        rule_msg="SLURM sbatch failed. The error message was 'sbatch: error: invalid"
        " partition'.\n    sbatch call:\n        sbatch --parsable --wrap=...\n",
        log=[],
    )
    assert "sbatch: error: invalid partition" in said
    assert "--wrap" not in said


def test_jobs_of_a_cluster_are_named(shown):
    _job(shown, 7, "frames")
    text = "Job 7 has been submitted with SLURM jobid 12 (log: /x/12.log)."
    assert shown(text, logging.INFO) == "submitted frames 00 as Slurm job 12"
    assert shown("Trying to restart job 7.", logging.INFO) == "AGAIN frames 00"


def test_guesses_of_an_account_are_no_warning(shown):
    assert shown("No SLURM account given, trying to guess.", logging.WARNING) == ""


def test_the_plugin_loads_nothing_of_twinlens():
    """Snakemake loads it before the Snakefile names the source of its checkout."""
    code = (
        "import sys, snakemake_logger_plugin_twinlens; print('twinlens' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert "twinlens" not in done.stdout.split()
