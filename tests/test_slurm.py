"""Slurm's queue as the workflow reads it; `tests/slurm` runs a real one."""

import asyncio
import contextlib
import logging
from types import SimpleNamespace

import pytest
import snakemake_executor_plugin_slurm as plugin

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


def test_a_line_that_is_no_job_s_is_passed_over(squeue, tmp_path):
    squeue(["slurm_load_jobs: retrying", f"12|rule_frames|{tmp_path}"])
    assert list(slurm.jobs(tmp_path)) == ["12"]


def test_a_queue_that_hangs_is_warned_of(squeue, tmp_path, monkeypatch, capsys):
    squeue([])
    (tmp_path / "bin/squeue").write_text("#!/bin/sh\nexec sleep 60\n")
    monkeypatch.setattr(slurm, "SECONDS_TO_ANSWER", 0.1)
    assert list(slurm.jobs(tmp_path)) == []
    assert "WARNING Slurm doesn't answer" in capsys.readouterr().err


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
    monkeypatch.setattr(slurm, "SECONDS_BETWEEN_CHECKS_FOR_OLD_JOBS", 0)
    squeue(
        [f"12|rule_x|{tmp_path}", f"13|rule_y|{tmp_path}"],
        [f"13|rule_y|{tmp_path}"],
        [],
    )
    slurm.wait_for_jobs(tmp_path)
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "scancel 12 13" in said


# --- what the executor sees -----------------------------------------------------------


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test sets."""
    now = SimpleNamespace(seconds=1000.0)
    monkeypatch.setattr(slurm.time, "monotonic", lambda: now.seconds)
    return now


@pytest.fixture
def executor(monkeypatch):
    """The executor as it is installed, with what it reports, and Slurm's answers."""
    monkeypatch.setattr(plugin, "query_job_status", query := Answers())
    monkeypatch.setattr(plugin, "get_min_job_age", lambda: query.age)
    for name in ("check_active_jobs", "cancel_jobs"):
        monkeypatch.setattr(plugin.Executor, name, getattr(plugin.Executor, name))
    slurm.follow(plugin)
    made = plugin.Executor.__new__(plugin.Executor)
    settings = {"status_attempts": 5, "init_seconds_before_status_checks": 5}
    settings |= {"keep_successful_logs": True, "status_command": "squeue"}
    made.workflow = SimpleNamespace(executor_settings=SimpleNamespace(**settings))
    made.logger = logging.getLogger("executor")
    made.run_uuid = "run"
    made.status_rate_limiter = contextlib.AsyncExitStack()
    made.get_status_command = lambda: query.command
    made._preemption_warning = False
    made._next_seconds_between_status_checks = 5
    made._status_query_calls = made._status_query_failures = 0
    made._status_query_total_seconds = made._status_query_max_seconds = 0
    made._status_query_min_seconds = None
    made._status_query_cycle_rows = []
    made.query, made.reported = query, []
    made.report_job_success = lambda job: made.reported.append("ended")
    made.report_job_error = lambda job, msg, **_: made.reported.append(msg)
    return made


class Answers:
    """Slurm's answers, which a test gives."""

    command, age, states = "squeue", 300, None

    async def __call__(self, command, logger):
        return self.states, 0.1


def look(executor, *jobs):
    """The ids of the jobs that still run after a look at the queue."""
    given = [
        SimpleNamespace(external_jobid=job, aux={"slurm_logfile": None}) for job in jobs
    ]

    async def check():
        return [job.external_jobid async for job in executor.check_active_jobs(given)]

    return asyncio.run(check())


def test_no_job_is_forgotten_when_slurm_does_not_answer(executor, clock):
    executor.query.states = None
    assert look(executor, "12", "13") == ["12", "13"]
    executor.query.states = {"12": "COMPLETED", "13": "RUNNING"}
    assert look(executor, "12", "13") == ["13"]
    assert executor.reported == ["ended"]


def test_a_job_that_somebody_cancelled_is_cancelled(executor):
    executor.query.states = {"12": "CANCELLED by 1000"}
    assert look(executor, "12") == []
    assert "'CANCELLED'" in executor.reported[0]


@pytest.mark.parametrize(("command", "seconds"), slurm.PATIENCE.items())
def test_a_job_that_slurm_no_longer_knows_has_ended(
    executor, clock, capsys, command, seconds
):
    executor.query.command = command
    executor.query.states = {}
    assert look(executor, "12") == ["12"]
    clock.seconds += seconds - 1
    assert look(executor, "12") == ["12"]
    clock.seconds += 1
    assert look(executor, "12") == []
    assert executor.reported == ["ended"]  # if its outputs are there
    assert "job 12 is no longer in Slurm's queue" in capsys.readouterr().err


def test_a_job_that_is_seen_again_is_not_lost(executor, clock):
    for states in ({}, {"12": "RUNNING"}, {}, None, {}):
        executor.query.states = states
        assert look(executor, "12") == ["12"]
        clock.seconds += slurm.PATIENCE["squeue"] / 3


def test_a_preempted_job_that_stays_out_of_the_queue_is_cancelled(
    executor, clock, capsys
):
    executor.query.states = {"12": "PREEMPTED"}
    assert look(executor, "12") == ["12"]
    clock.seconds += slurm.PATIENCE["squeue"]
    assert look(executor, "12") == []
    assert "'CANCELLED'" in executor.reported[0]
    assert "job 12 was preempted" in capsys.readouterr().err


def test_a_job_that_waits_is_said_to_once_with_the_reason(executor, squeue, capsys):
    squeue(
        [
            "12|launch failed requeued held",
            "13|Resources",
            "14|JobHeldAdmin",
            "15|PartitionTimeLimit",
            "16|PartitionTimeLimit",
        ]
    )
    ids = ("12", "13", "15", "16")
    executor.query.states = dict.fromkeys(ids, "PENDING") | {"14": "RUNNING"}
    assert look(executor, *ids, "14") == look(executor, *ids, "14")
    said = capsys.readouterr().err
    assert said.count("\n") == 2
    assert "job 12 is held (launch failed requeued held) and waits" in said
    assert "`scontrol release 12`" in said
    assert "job 15 does not start, nor may others: Slurm's reason is Partition" in said


def test_the_queue_is_not_asked_why_nothing_waits(executor, monkeypatch):
    monkeypatch.setenv("PATH", "/none")
    executor.query.states = {"12": "RUNNING"}
    assert look(executor, "12") == ["12"]


def test_jobs_of_a_look_that_goes_on_are_cancelled_too(executor, monkeypatch):
    cancelled = []
    monkeypatch.setattr(
        plugin, "cancel_slurm_jobs", lambda jobs, *_: cancelled.extend(jobs)
    )
    executor._submitted_job_clusters = set()
    job, other = (SimpleNamespace(external_jobid=each, aux={}) for each in "12")
    executor.query.states = {}

    async def check():
        async for _ in executor.check_active_jobs([job]):
            executor.cancel_jobs([other])
        executor.cancel_jobs([])

    asyncio.run(check())
    assert cancelled == [other, job]


def test_the_longer_no_job_ends_the_later_is_the_next_look(executor, clock):
    waits = []
    for jobs, seconds in (("", 0), ("12", 0), ("12", 40), ("12", 200), ("12", 900)):
        clock.seconds += seconds
        executor.query.states = dict.fromkeys(jobs, "RUNNING")
        look(executor, *jobs)
        waits.append(executor.next_seconds_between_status_checks)
    assert waits == [5, 5, 5, 24, 60]
    executor.query.states = {"1": "COMPLETED", "2": "RUNNING"}
    look(executor, "1", "2")
    assert executor.next_seconds_between_status_checks == 5


def test_slurm_still_knows_at_the_next_look_what_ended_after_this_one(executor, clock):
    executor.query.age, executor.query.states = 40, {"12": "RUNNING"}
    look(executor, "12")
    clock.seconds += 900
    executor.query.age = None  # its controller is away: the age holds
    look(executor, "12")
    assert executor.next_seconds_between_status_checks == 20


def test_a_module_is_followed_once(executor):
    before = plugin.query_job_status
    slurm.follow(plugin)
    assert plugin.query_job_status is before
