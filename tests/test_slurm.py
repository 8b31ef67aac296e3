"""Slurm's queue as the workflow reads it; `tests/slurm` runs a real one."""

import asyncio
from types import SimpleNamespace

import pytest

from twinlens import slurm


@pytest.fixture
def squeue(tmp_path, monkeypatch):
    """Let `squeue` print other lines each time; the last ones stay."""

    def say(*answers, code=0, error=""):
        folder = tmp_path / "bin"
        folder.mkdir()
        for number, lines in enumerate(answers):
            (folder / f"{number}.txt").write_text("".join(f"{x}\n" for x in lines))
        script = folder / "squeue"
        script.write_text(
            f"#!/bin/sh\ncd {folder}\nset -- *.txt\ncat $1\n"
            f"[ $# -gt 1 ] && rm $1\necho '{error}' >&2\nexit {code}\n"
        )
        script.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    return say


def test_jobs_of_this_folder_are_found(squeue, tmp_path):
    here = tmp_path / "work"
    here.mkdir()
    (tmp_path / "link").symlink_to(here)
    squeue(
        [
            f"12|rule_frames_wildcards_yard|{here}",
            f"13|group_clips|{tmp_path}/link",
            f"14|rule_frames|{tmp_path}/other",
            f"15|(null)|{here}",
        ]
    )
    assert list(slurm.jobs(here)) == ["12", "13"]


def test_without_slurm_there_are_none(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert list(slurm.jobs(tmp_path)) == []


@pytest.mark.parametrize(
    ("error", "warned"),
    [
        ("slurm_load_jobs error: Unable to contact slurm controller", 1),
        (f"squeue: fatal: {slurm.UNCONFIGURED}", 0),
    ],
)
def test_a_queue_that_does_not_answer_is_warned_of(
    squeue, tmp_path, capsys, error, warned
):
    """Unless there is none: commands of Slurm may be installed without a cluster."""
    squeue([], code=1, error=error)
    assert list(slurm.jobs(tmp_path)) == []
    assert capsys.readouterr().err.count("WARNING Slurm doesn't answer") == warned


def test_jobs_of_a_killed_run_are_waited_for(squeue, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(slurm, "SECONDS_BETWEEN_LOOKS", 0)
    squeue(
        [f"12|rule_x|{tmp_path}", f"13|rule_y|{tmp_path}"],
        [f"13|rule_y|{tmp_path}"],
        [],
    )
    slurm.wait_for_jobs(tmp_path)
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "scancel 12 13" in said


# --- what the executor hears ----------------------------------------------------------


def plugin(answers):
    """An executor's module that looks at the queue and answers as it is asked."""

    async def query_job_status(command, logger):
        return answers.pop(0), 0.1

    class Executor:
        settings = SimpleNamespace(init_seconds_before_status_checks=5)
        workflow = SimpleNamespace(executor_settings=settings)

        async def check_active_jobs(self, active_jobs):
            self.states, _ = await found.query_job_status("squeue", None)
            for job in active_jobs:
                yield job

    found = SimpleNamespace(query_job_status=query_job_status, Executor=Executor)
    slurm.follow(found)
    return found


def looks(answers, *jobs):
    """What the executor sees in each look."""
    executor = plugin([*answers]).Executor()
    active = [SimpleNamespace(external_jobid=job) for job in jobs]

    async def look():
        assert [job async for job in executor.check_active_jobs(active)] == active
        return executor.states

    return [asyncio.run(look()) for _ in answers]


def test_a_job_that_somebody_cancelled_is_cancelled():
    assert looks([{"12": "CANCELLED by 1000"}], "12") == [{"12": "CANCELLED"}]


def test_a_job_that_slurm_no_longer_knows_has_ended():
    unknown, known = {}, {"12": "RUNNING"}
    seen = looks([known, *[unknown] * slurm.LOOKS], "12")
    assert seen == [known, *[{}] * (slurm.LOOKS - 1), {"12": "UNKNOWN"}]


def test_looks_that_failed_or_missed_once_say_nothing():
    known = {"12": "RUNNING"}
    seen = looks([{}, {}, known, {}, None, {}, known], "12")
    assert seen == [{}, {}, known, {}, None, {}, known]


def test_a_job_that_was_never_seen_is_lost_too():
    assert looks([{}] * slurm.LOOKS, "7")[-1] == {"7": "UNKNOWN"}


def test_the_executor_waits_as_it_is_paced():
    executor = plugin([{"12": "RUNNING"}]).Executor()

    async def look():
        async for _ in executor.check_active_jobs([SimpleNamespace(external_jobid=12)]):
            pass

    asyncio.run(look())
    assert executor.next_seconds_between_status_checks == 5


def test_the_longer_nothing_changes_the_later_is_the_next_look():
    pace = slurm.Pace()
    assert pace.wait(set(), 999, shortest=5) == 5  # no job yet
    assert pace.wait({"1", "2"}, 1000, shortest=5) == 5
    assert pace.wait({"1", "2"}, 1040, shortest=5) == 5
    assert pace.wait({"1", "2"}, 1200, shortest=5) == 20
    assert pace.wait({"1", "2"}, 9000, shortest=5) == 60
    assert pace.wait({"1"}, 9001, shortest=5) == 5  # a job has ended
    assert pace.wait({"1", "3"}, 9101, shortest=5) == 5  # another one has begun
    assert pace.wait(set(), 9900, shortest=5) == 5
    assert pace.wait(set(), 9990, shortest=5) == 5


def test_a_job_that_is_held_is_said_to_be_once(squeue, capsys):
    squeue(["12|launch failed requeued held", "13|Resources", "14|JobHeldAdmin"])
    states = {"12": "PENDING", "13": "PENDING", "14": "RUNNING"}
    assert looks([states] * 2, *states) == [states] * 2
    said = capsys.readouterr().err
    assert said.count("\n") == 2  # 12 and 14, as this queue answers for all
    assert "job 12 is held (launch failed requeued held) and waits" in said
    assert "`scontrol release 12`" in said


def test_the_queue_is_not_asked_why_nothing_waits(monkeypatch):
    monkeypatch.setenv("PATH", "/none")
    assert looks([{"12": "RUNNING"}], "12") == [{"12": "RUNNING"}]


def test_a_module_is_followed_once():
    found = plugin([{"12": "RUNNING"}])
    before = found.query_job_status
    slurm.follow(found)
    assert found.query_job_status is before
