import errno
import importlib
import json
import os
import runpy
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from twinlens import __version__, cli, errors
from twinlens.artifacts import reader

ROOMS = sorted({stage.room for stage in cli.STAGES.values() if stage.room})


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
    for name, stage in cli.STAGES.items():
        words = [name, *stage.about.split()]
        assert [line for line in lines if line.split() == words]


def test_no_words_give_the_help(capsys):
    cli.main([])
    assert capsys.readouterr().out.startswith("usage: twinlens STAGE")


def test_help_fits_a_terminal():
    assert all(len(line) <= 80 for line in cli._usage().splitlines())


def test_the_version_is_printed(capsys):
    cli.main(["--version"])
    assert capsys.readouterr().out.strip() == __version__


def test_an_unknown_stage_lists_those_there_are():
    with pytest.raises(SystemExit) as ended:
        cli.main(["flo"])
    assert str(ended.value).startswith("no stage 'flo'; there are: init, generate,")


@pytest.mark.parametrize("stage", cli.STAGES)
def test_every_stage_is_a_function(stage):
    home, _, function = cli.STAGES[stage].home.partition(":")
    module = importlib.import_module(f"twinlens.{home}")
    assert callable(getattr(module, function))
    assert home.startswith(cli.STAGES[stage].room)


@pytest.mark.parametrize("stage", cli.STAGES)
def test_every_stage_explains_its_options(stage, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main([stage, "--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert said.startswith(f"usage: twinlens {stage}")
    assert "<class" not in said


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


def test_every_error_whose_text_is_for_users_is_shown_as_words():
    own = {
        name
        for name, each in vars(errors).items()
        if isinstance(each, type) and each.__module__ == errors.__name__
    }
    assert own == set(cli.USER_ERRORS)


def test_a_notebook_s_backend_is_not_taken_for_pictures(monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    monkeypatch.setattr(cli, "_run_stage", lambda *given: None)
    cli.main(["upscale"])
    assert os.environ["MPLBACKEND"] == "agg"


def test_a_data_sets_error_ends_in_one_line(tmp_path):
    job = {
        "dataset": "own",
        "part": "test",
        "source": {"kind": "folder", "videos": "/nowhere"},
        "shard": 0,
        "shards": 1,
        "reading": {},
    }
    words = ["frames", "--job", json.dumps(job), "--out", str(tmp_path / "f.h5")]
    words += ["--report", str(tmp_path / "report.csv")]
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    assert str(ended.value).startswith("twinlens frames: /nowhere: no such folder;")


def test_settings_out_of_range_end_without_a_trace(tmp_path):
    job = '{"network": "p", "recipe": {"steps": 0}}'
    with pytest.raises(SystemExit, match="greater than or equal to 1"):
        cli.main(["train-vgg", "--job", job, "--out", str(tmp_path / "p.h5")])


def test_ctrl_c_ends_without_a_trace(monkeypatch, tmp_path):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "call", stop)
    with pytest.raises(SystemExit) as ended:
        cli.main(["degrade", "--out", str(tmp_path)])
    assert ended.value.code == 130


def test_an_unknown_option_ends_without_a_trace(capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["inspect", "a.h5", "--colums", "3"])
    assert ended.value.code == 2
    assert "--colums" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("job", "words"),
    [
        ("{", "Invalid JSON"),
        ('{"dataset": "yard"}', "frames_of"),
        ('{"datasets": "yard"}', "datasets"),
    ],
)
def test_a_wrong_job_ends_with_what_is_wrong(job, words, tmp_path):
    with pytest.raises(SystemExit) as ended:
        cli.main(
            ["score", "--frames=", "--flow=", "--networks=", "--job", job]
            + ["--out", str(tmp_path / "s.h5")]
        )
    assert str(ended.value).startswith("twinlens score: ")
    assert words in str(ended.value)


def test_a_wrong_job_of_a_recogniser_s_training_ends_with_what_is_wrong(tmp_path):
    files = {"classes": "c.csv", "out": "w.h5", "log": "l.csv"}
    words = [f"--{name}={tmp_path / file}" for name, file in files.items()]
    words += ["--frames=", "--flow=", "--starts=", "--job", '{"network": "x"}']
    with pytest.raises(SystemExit) as ended:
        cli.main(["train", "--kind", "tsn", *words])
    assert str(ended.value).startswith("twinlens train: ")
    assert "backbone" in str(ended.value)


def stage_of_files(frames: list[Path], more: list[Path] | None, start: Path | None):
    """Stand for a stage."""


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["--frames", "a", "b"], ["--frames", '["a", "b"]']),
        (["--frames=a", "b"], ["--frames", '["a", "b"]']),
        (["--frames", "a", "--more", "b"], ["--frames", '["a"]', "--more", '["b"]']),
        (["--frames", "a b"], ["--frames", '["a b"]']),
        (["--frames"], ["--frames", "[]"]),
        (["--frames="], ["--frames", "[]"]),
        (["--frames", "--start", "c"], ["--frames", "[]", "--start", "c"]),
        (["--start=c"], ["--start=c"]),
        (["--start=", "--frames", "a"], ["--frames", '["a"]']),
        (["--start", "a=b"], ["--start", "a=b"]),
        (["--start", "a="], ["--start", "a="]),
        (["--plain"], ["--plain"]),
    ],
)
def test_files_of_a_list_are_joined_and_empty_options_left_out(words, wanted):
    assert cli.joined(words, stage_of_files) == wanted


def test_an_option_without_a_value_is_one_that_was_not_named(tmp_path):
    with pytest.raises(SystemExit, match=r"gone\.h5: no such file"):
        cli.main(["inspect", str(tmp_path / "gone.h5"), "--sheet="])


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


@pytest.mark.parametrize("number", errors.REMEDIES, ids=errno.errorcode.get)
def test_what_a_disk_refuses_is_said_in_a_line(tmp_path, monkeypatch, number):
    """Wherever a stage meets it; what to do stands at the end."""

    def refuse(*_, **__):
        raise OSError(number, os.strerror(number), "/disk/x.h5")

    monkeypatch.setattr(reader, "open", refuse)
    with pytest.raises(SystemExit) as caught:
        cli.main(["inspect", str(tmp_path / "x.h5")])
    text = str(caught.value.code)
    assert text.startswith("twinlens inspect: /disk/x.h5: can't be read or written: ")
    assert os.strerror(number) in text
    assert text.endswith("then run the same command again")
    assert "\n" not in text


def test_other_errors_of_the_system_keep_their_trace(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.ECHILD, "none")

    monkeypatch.setattr(reader, "open", refuse)
    with pytest.raises(ChildProcessError):
        cli.main(["inspect", str(tmp_path / "x.h5")])
