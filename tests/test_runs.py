"""Runs of the workflow in a folder, and the locks of killed ones."""

import json
import os
import subprocess
import sys

import pytest

from twinlens import runs
from twinlens.runs import Run, begin

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]


@pytest.fixture
def home(tmp_path):
    """A folder with the locks of a run."""
    locks = tmp_path / "locks"
    locks.mkdir()
    for name in ("0.input.lock", "0.output.lock"):
        (locks / name).write_text("results/table3.csv\n")
    return tmp_path


def note(home, host=None, pid=None, created=None):
    own = Run.own()
    text = {
        "host": host or own.host,
        "pid": pid or own.pid,
        "created": own.created if created is None else created,
    }
    folder = home / "twinlens-runs"
    folder.mkdir(exist_ok=True)
    (folder / f"{len(list(folder.iterdir()))}-other.json").write_text(json.dumps(text))


def locks(home):
    return sorted(each.name for each in (home / "locks").iterdir())


def gone():
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_locks_of_a_killed_run_are_removed(home, capsys):
    note(home, pid=gone(), created=1.0)
    begin(home)
    assert locks(home) == []
    assert "the last run here was killed (process" in capsys.readouterr().err
    (own,) = (home / "twinlens-runs").glob("*.json")
    assert json.loads(own.read_text())["pid"] == os.getpid()


def test_a_number_that_another_process_has_by_now_is_no_run(home):
    note(home, created=1.0)
    begin(home)
    assert locks(home) == []


@pytest.mark.parametrize("host", [None, "elsewhere"], ids=["here", "elsewhere"])
def test_locks_of_a_run_that_may_live_stay(home, host, capsys):
    note(home, host=host)
    note(home, pid=gone(), created=1.0)
    begin(home)
    assert len(locks(home)) == 2
    said = capsys.readouterr().err
    assert "another run of the workflow is in this folder: process" in said
    assert (f"on {host}" in said) == (host is not None)


def test_locks_that_nobody_left_a_note_of_stay(home):
    begin(home)
    assert len(locks(home)) == 2


def test_a_note_that_was_cut_says_nothing(home):
    folder = home / "twinlens-runs"
    folder.mkdir()
    (folder / "a.json").write_text('{"host": "x')
    begin(home)
    assert len(locks(home)) == 2
    assert not (folder / "a.json").exists()


def test_jobs_of_a_killed_run_are_waited_for(home):
    killed = gone()
    environment = {**os.environ, "TWINLENS_MASTER": str(killed)}
    job = subprocess.Popen(SLEEP, env=environment)
    try:
        assert [each.pid for each in runs._jobs(Run("", killed, 0.0))] == [job.pid]
        subprocess.Popen(["sh", "-c", f"sleep 1; kill {job.pid}"])
        note(home, pid=killed, created=1.0)
        begin(home)
        assert job.poll() is not None
    finally:
        job.kill()
        job.wait()


def test_a_job_that_does_not_end_is_not_waited_for_ever(home, monkeypatch):
    monkeypatch.setattr(runs, "SECONDS_FOR_JOBS", 0.5)
    monkeypatch.setattr(runs, "_jobs", lambda run: iter([run]))
    note(home, pid=gone(), created=1.0)
    begin(home)
    assert locks(home) == []


def test_a_run_takes_its_note_with_it(tmp_path):
    code = (
        "import sys, pathlib, twinlens.runs;"
        " twinlens.runs.begin(pathlib.Path(sys.argv[1]))"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path], check=True)
    assert list((tmp_path / "twinlens-runs").glob("*.json")) == []
