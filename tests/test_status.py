"""What of a world is done, begun, missing."""

import os
import subprocess
import sys
import time
from base64 import urlsafe_b64encode
from pathlib import Path

import pytest

from twinlens import runs, status
from twinlens.dry_run import Job


def job(rule, number, benchmark=""):
    return Job(rule, {}, [], [f"{rule}/{number}.h5"], benchmark=benchmark)


EVERY = [*(job("frames", n) for n in range(3)), *(job("flow", n) for n in range(2))]


def test_jobs_are_counted_by_stage():
    waiting = [EVERY[2], *EVERY[3:]]
    found = status.stages(EVERY, waiting, {"flow/0.h5"}, {"frames": [2.0, 4.0]})
    assert found == [
        status.Stage("frames", done=2, begun=0, missing=1, seconds=3.0),
        status.Stage("flow", done=0, begun=1, missing=1, seconds=None),
    ]
    assert [each.left for each in found] == [3.0, None]


def test_the_report_names_what_is_not_measured():
    found = status.stages(EVERY, EVERY[2:], set(), {"frames": [3700.0]})
    lines = list(status.report(found))
    assert "frames    2             1 1:01:40 1:01:40" in lines[0]
    assert lines[2:] == [
        "2 of 5 jobs are done",
        "job time left, one after the other: 1:01:40, beside flow: not measured yet",
    ]


def test_a_finished_world_has_nothing_left():
    found = status.stages(EVERY, [], set(), {})
    assert list(status.report(found))[-1] == "5 of 5 jobs are done"
    assert [each.left for each in found] == [0.0, 0.0]


def test_pictures_of_trainings_that_are_on_are_named(tmp_path):
    (tmp_path / "sosr-live.png").touch()
    (tmp_path / "old-live.png").touch()
    begun = [f"{tmp_path}/sosr.h5", f"{tmp_path}/sosr.csv", f"{tmp_path}/vdsr.h5"]
    assert status._pictures(begun) == [tmp_path / "sosr-live.png"]


def test_files_of_jobs_that_have_begun_are_found(tmp_path, monkeypatch):
    monkeypatch.setattr(status, "INCOMPLETE", tmp_path)
    names = ["flow/0.h5", "results/" + 300 * "x"]
    for name in names:
        text = urlsafe_b64encode(name.encode()).decode()
        *folders, last = [text[at : at + 254] for at in range(0, len(text), 254)]
        file = tmp_path.joinpath(*("@" + each for each in folders), last)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    assert set(status._begun(0)) == set(names)
    assert list(status._begun(time.time() + 60)) == []


def test_times_are_those_of_the_jobs_that_ended(tmp_path):
    for number, seconds in enumerate((2.0, 3.0)):
        (tmp_path / f"{number}.tsv").write_text(f"s\th:m:s\n{seconds}\t0:00:02\n")
    (tmp_path / "2.tsv").touch()  # of a job that has begun
    jobs = [job("flow", n, str(tmp_path / f"{n}.tsv")) for n in range(4)]
    assert status._measured(jobs) == {"flow": [2.0, 3.0]}


def test_a_job_that_ends_meanwhile_has_not_begun(tmp_path, monkeypatch):
    monkeypatch.setattr(status, "INCOMPLETE", tmp_path)
    (tmp_path / urlsafe_b64encode(b"flow/0.h5").decode()).touch()
    monkeypatch.setattr(Path, "is_file", lambda path: path.unlink() or True)
    assert list(status._begun(0)) == []


@pytest.mark.parametrize("ends", [False, True])
def test_a_run_is_live_until_it_ends(tmp_path, ends):
    home = tmp_path / ".snakemake"
    code = (
        "import sys; from pathlib import Path; from twinlens import runs;"
        f" runs.begin(Path({str(home)!r})); print('begun', flush=True);"
        " sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ,
    )
    assert process.stdout.readline() == b"begun\n"
    if ends:
        process.communicate()
        assert list(runs.live(home)) == []
        return
    ((text, since),) = runs.live(home)
    assert abs(time.time() - since) < 3600
    assert text.startswith(f"process {process.pid} on ")
    process.communicate()


def test_hours_are_written_whole():
    assert status.clock(59.6) == "0:01:00"
    assert status.clock(360_000) == "100:00:00"
