"""Runs of the workflow in a folder, and the locks of killed ones."""

import errno
import os
import socket
import subprocess
import sys
from contextlib import contextmanager

import pytest

from twinlens import runs
from twinlens.runs import begin

BEGIN = (
    "import sys, pathlib, twinlens.runs;"
    " twinlens.runs.begin(pathlib.Path(sys.argv[1]), looks=sys.argv[2] == 'True');"
)
SLEEP = [sys.executable, "-c", "import time; time.sleep(3600)"]


@pytest.fixture
def home(tmp_path):
    """A folder with the locks of a run."""
    locks = tmp_path / "locks"
    locks.mkdir()
    for name in ("0.input.lock", "0.output.lock"):
        (locks / name).write_text("results/table3.csv\n")
    return tmp_path


@contextmanager
def running(home, end="kill", looks=False):
    """Another run in the folder, which is there in the block."""
    code = f"{BEGIN} print(flush=True); sys.stdin.read()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(home), str(looks)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    process.stdout.readline()
    try:
        yield process.pid
    finally:
        if end == "kill":
            process.kill()
        process.communicate()


def locks(home):
    return sorted(each.name for each in (home / "locks").iterdir())


def notes(home):
    return sorted(each.name for each in (home / "twinlens-runs").glob("*.run"))


@pytest.fixture(autouse=True)
def leave(monkeypatch):
    """Leave at the end of a test what `begin` leaves at the end of a process."""
    left = []
    monkeypatch.setattr(runs.atexit, "register", lambda *call: left.append(call))
    yield
    for function, *arguments in left:
        function(*arguments)


def test_locks_of_a_killed_run_are_removed(home, capsys):
    with running(home) as pid:
        pass
    begin(home)
    assert locks(home) == []
    said = capsys.readouterr().err
    assert f"the last run here was killed (process {pid} on " in said
    assert notes(home) == [f"{socket.gethostname()}-{os.getpid()}.run"]


def test_locks_of_a_run_that_lives_stay(home, capsys):
    with running(home) as pid:
        begin(home)
        assert len(locks(home)) == 2
    said = capsys.readouterr().err
    assert f"another run of the workflow is in this folder: process {pid} on" in said


def test_a_run_that_only_looks_is_in_nobody_s_way(home, capsys):
    with running(home):
        pass
    with running(home, end="well", looks=True):
        assert begin(home)
        assert locks(home) == []
    assert "another run" not in capsys.readouterr().err


def test_a_killed_run_beside_a_living_one_is_found_by_the_next(home):
    with running(home, end="well"):
        with running(home):
            pass
        with running(home, end="well"):
            assert len(locks(home)) == 2
        assert len(notes(home)) == 2
    begin(home)
    assert locks(home) == []


def test_locks_that_nobody_left_a_note_of_stay(home):
    begin(home)
    assert len(locks(home)) == 2


def test_a_run_that_ends_well_takes_its_note_with_it(home):
    with running(home, end="well"):
        assert len(notes(home)) == 1
    assert notes(home) == []
    assert [each.name for each in (home / "twinlens-runs").iterdir()] == []


def test_jobs_of_a_killed_run_are_waited_for(home):
    with running(home) as pid:
        pass
    environment = {**os.environ, "TWINLENS_MASTER": str(pid)}
    job = subprocess.Popen(SLEEP, env=environment)
    try:
        assert [each.pid for each in runs._jobs(str(pid))] == [job.pid]
        subprocess.Popen(["sh", "-c", f"sleep 1; kill {job.pid}"])
        begin(home)
        assert job.poll() is not None
    finally:
        job.kill()
        job.wait()


def test_jobs_that_do_not_end_are_not_waited_for_ever(home, monkeypatch, capsys):
    with running(home) as pid:
        pass
    monkeypatch.setattr(runs, "SECONDS_FOR_JOBS", 0.5)
    monkeypatch.setattr(runs, "_jobs", lambda pid: iter([pid]))
    begin(home)
    assert locks(home) == []
    assert f"jobs of process {pid}, which was killed, still run" in (
        capsys.readouterr().err
    )


def test_on_a_disk_without_locks_nothing_is_removed(home, monkeypatch):
    with running(home):
        pass

    def refuse(*_, **__):
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr(runs.FileLock, "acquire", refuse)
    begin(home)
    assert len(locks(home)) == 2


def test_a_command_that_runs_no_job_is_known_by_its_options():
    assert runs.with_jobs(["snakemake", "results/table3.csv", "--profile", "slurm"])
    assert runs.with_jobs(["snakemake", "--report", "r.zip", "--report-after-run"])
    assert not runs.with_jobs(["snakemake", "--profile", "slurm", "--unlock"])
    assert not runs.with_jobs(["snakemake", "--report=report.zip"])


def test_the_options_without_jobs_are_snakemake_s():
    from snakemake.cli import get_argument_parser

    known = {
        option
        for action in get_argument_parser()._actions
        for option in action.option_strings
    }
    assert known >= runs.WITHOUT_JOBS
