"""What happens after a run of the workflow."""

from types import SimpleNamespace

import pytest

from tests.training import runs
from twinlens import endings
from twinlens.artifacts import reader


def test_checkpoints_of_recorded_networks_go_and_others_stay(tmp_path):
    folder = tmp_path / "networks/sr/trained"
    runs.train(folder, name="sosr")
    identity = reader.file_id(folder / "sosr.h5")[:12]
    recorded = folder / f".sosr.h5.{identity}.checkpoint"
    other_settings = folder / ".sosr.h5.0123456789ab.checkpoint"
    unfinished = folder / ".vdsr.h5.0123456789ab.checkpoint"
    damaged = folder / ".rrn.h5.0123456789ab.checkpoint"
    (folder / "rrn.h5").write_bytes(b"cut")
    for path in (recorded, other_settings, unfinished, damaged):
        path.touch()
    endings.remove_checkpoints(SimpleNamespace(root=str(tmp_path)))
    assert not recorded.exists()
    assert other_settings.exists()
    assert unfinished.exists()
    assert damaged.exists()
    assert (folder / "sosr.h5").exists()


def test_a_failed_job_is_named_with_its_last_words(tmp_path, capsys):
    (tmp_path / "job.log").write_text("first\nlast words\n\n")
    log = tmp_path / "snakemake.log"
    log.write_text(
        f"Error in rule frames:\n    message: None\n    log: {tmp_path}/job.log, x\n"
    )
    endings.report_failures(str(log))
    assert "FAILED frames: last words" in capsys.readouterr().err


def test_ctrl_c_is_no_failure(tmp_path, capsys):
    log = tmp_path / "snakemake.log"
    log.write_text(
        "Terminating processes on user request, this might take some time.\n"
        f"Error in rule frames:\n    message: None\n    log: {tmp_path}/job.log, x\n"
    )
    endings.report_failures(str(log))
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("stopped by the user; finished jobs are kept")


def test_a_failure_before_ctrl_c_is_named(tmp_path, capsys):
    (tmp_path / "job.log").write_text("last words\n")
    error = (
        f"Error in rule frames:\n    message: None\n    log: {tmp_path}/job.log, x\n"
    )
    log = tmp_path / "snakemake.log"
    log.write_text(f"{error}Terminating processes on user request, this might take\n")
    endings.report_failures(str(log))
    said = capsys.readouterr().err
    assert "FAILED frames: last words" in said
    assert "stopped by the user" in said


@pytest.mark.parametrize(
    ("own", "by_slurm", "cause"),
    [
        (
            "clips: 3 of 8",
            "*** JOB 12 ON n1 CANCELLED DUE TO TIME LIMIT ***",
            "JOB 12 ON n1 CANCELLED DUE TO TIME LIMIT",
        ),
        (
            "sosr: SIGTERM: saved at step 400",
            "*** STEP 12.0 ON n1 CANCELLED AT 2026-11-30T07:43:00 ***",
            "sosr: SIGTERM: saved at step 400",
        ),
    ],
    ids=["killed", "saved"],
)
def test_what_slurm_wrote_comes_before_last_words_unless_they_were_said_in_time(
    tmp_path, capsys, own, by_slurm, cause
):
    (tmp_path / "job.log").write_text(f"{own}\n")
    (tmp_path / "12.log").write_text(
        f"slurmstepd-n1: error: {by_slurm}\nsrun: error: n1: task 0: Terminated\n"
    )
    log = tmp_path / "snakemake.log"
    log.write_text(
        f"Error in rule flow:\n    message: x\n    log: {tmp_path}/job.log,"
        f" {tmp_path}/12.log (check log file(s) for error details)\n"
    )
    endings.report_failures(str(log))
    said = capsys.readouterr().err
    assert f"FAILED flow: {cause}\n" in said
    assert f"log: {tmp_path}/job.log;" in said


@pytest.mark.parametrize(
    "message",
    [
        "SLURM sbatch failed. The error message was 'invalid partition'.",
        "Job submission failed with exception: The given account x appears to be"
        " invalid. Available accounts:",
    ],
)
def test_a_job_that_slurm_refused_is_named_with_its_error(tmp_path, capsys, message):
    (tmp_path / "job.log").write_text("of an earlier run\n")
    log = tmp_path / "snakemake.log"
    log.write_text(
        f"Error in rule flow:\n    message: {message}\n"
        f"    log: {tmp_path}/job.log (check log file(s))\n"
    )
    endings.report_failures(str(log))
    assert f"FAILED flow: {message[:30]}" in capsys.readouterr().err
