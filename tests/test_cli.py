import importlib
import runpy
import subprocess
import sys
from contextlib import suppress

import pytest

from twinlens import __version__, cli

ROOMS = sorted({room for _, _, room, _ in cli.STAGES.values() if room})


def command(*words, module="twinlens"):
    """Run a module as a user does."""
    return subprocess.run(
        [sys.executable, "-m", module, *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_help_lists_every_stage_with_one_line(capsys):
    cli.main(["--help"])
    lines = capsys.readouterr().out.splitlines()
    for stage, about in cli.STAGES.items():
        assert [line for line in lines if line.split() == [stage, *about[3].split()]]


def test_no_words_give_the_help(capsys):
    cli.main([])
    assert capsys.readouterr().out.startswith("usage: twinlens STAGE")


def test_help_fits_a_terminal():
    assert all(len(line) <= 80 for line in cli._usage().splitlines())


def test_the_version_is_told(capsys):
    cli.main(["--version"])
    assert capsys.readouterr().out.strip() == __version__


def test_an_unknown_stage_lists_those_there_are():
    with pytest.raises(SystemExit) as ended:
        cli.main(["flo"])
    assert str(ended.value).startswith("no stage 'flo'; there are: generate, frames,")


@pytest.mark.parametrize("stage", cli.STAGES)
def test_every_stage_is_a_function(stage):
    module, function, room, _ = cli.STAGES[stage]
    made = importlib.import_module(f"twinlens.{module}")
    assert callable(getattr(made, function))
    assert module.startswith(room)


@pytest.mark.parametrize("stage", cli.STAGES)
def test_every_stage_explains_its_options(stage, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main([stage, "--help"])
    assert ended.value.code == 0
    told = capsys.readouterr().out
    assert told.startswith(f"usage: twinlens {stage}")


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_has_a_command(room, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["twinlens", "--help"])
    with suppress(SystemExit):
        runpy.run_module(f"twinlens.{room}", run_name="__main__")
    assert capsys.readouterr().out.startswith("usage: twinlens ")


def test_a_room_runs_its_own_stages_only(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["twinlens", "flow"])
    with pytest.raises(SystemExit) as ended:
        cli.room("media")
    assert str(ended.value) == (
        "no stage 'flow'; there are: generate, frames, classes, manifest"
    )


def test_a_room_can_be_run_as_a_module():
    done = command("--help", module="twinlens.media")
    assert done.returncode == 0
    assert done.stderr == ""
    assert "decode the frames that are read" in done.stdout


def test_a_users_error_ends_in_one_line(tmp_path):
    done = command("inspect", tmp_path / "gone.h5")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        f"twinlens inspect: {tmp_path}/gone.h5: no such file; run the workflow to make"
        " it\n"
    )


def test_a_data_sets_error_ends_in_one_line(tmp_path):
    words = [
        *("frames", "--dataset", "own", "--part", "test"),
        *("--settings", '{"kind": "folder", "videos": "/nowhere"}'),
        *("--protocol", "{}", "--out", str(tmp_path / "frames.h5")),
        *("--report", str(tmp_path / "report.csv")),
    ]
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    assert str(ended.value).startswith("twinlens frames: /nowhere: no such folder;")


def test_an_unknown_option_ends_without_a_trace(capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["inspect", "a.h5", "--colums", "3"])
    assert ended.value.code == 2
    assert "--colums" in capsys.readouterr().err


def test_plain_asks_for_lines_instead_of_bars(monkeypatch, tmp_path):
    monkeypatch.setenv("TWINLENS_PLAIN", "")
    with pytest.raises(SystemExit):
        cli.main(["inspect", "--plain", str(tmp_path / "gone.h5")])
    assert cli.os.environ["TWINLENS_PLAIN"] == "1"


def test_a_job_ends_with_the_workflow_that_started_it():
    code = (
        "import os, time; from twinlens.cli import _end_with_master;"
        " _end_with_master(); time.sleep(60)"
    )
    master = subprocess.Popen([sys.executable, "-c", "pass"])
    master.wait()
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"TWINLENS_MASTER": str(master.pid)},
        timeout=30,
        check=False,
    )
    assert done.returncode == 1
