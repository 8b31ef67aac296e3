"""From a cell to the raw files, what made a file stale, and what is left to do."""

import os
import shutil
import subprocess
import sys

import pytest

from tests.workflow.checkout import environment

CONFIG = ("--config", "config/tiny.yaml")
TABLE = "results/table3.csv"
EXPLAIN = ("explain", TABLE)
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(done, tmp_path_factory):
    """A finished world whose files these tests change."""
    copied = tmp_path_factory.mktemp("explain") / "checkout"
    shutil.copytree(done, copied, symlinks=True)
    return copied


def run(folder, *words, check=True):
    known = {**environment(folder), "PYTHONPATH": str(folder / "src")}
    command = [sys.executable, "-m", "twinlens", *words, *CONFIG]
    done = subprocess.run(
        command, cwd=folder, env=known, capture_output=True, text=True, check=False
    )
    assert not check or done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_a_cell_leads_to_its_clips_and_to_the_raw_files(folder):
    said = run(
        folder,
        "explain",
        "results/table3.csv",
        "--row",
        "SoSR",
        "--column",
        "Yard Fusion",
    )
    first, *lines = said.splitlines()
    table = (folder / "results/table3_long.csv").read_text().splitlines()
    (cell,) = [line.split(",") for line in table if line.startswith("SoSR,Yard,Fusion")]
    right, clips = cell[7], cell[8]
    assert first.startswith("SoSR on Yard, fusion of TSN with a compact network: ")
    assert first.endswith(f": {right} of {clips} clips are recognised")
    verdicts = [line for line in lines if line.startswith(("  right", "  wrong"))]
    assert len(verdicts) == int(clips)
    assert sum(line.startswith("  right") for line in verdicts) == int(right)
    for part in (
        "results/tiny/scores/tsn/yard/sosr/test-00.h5",
        "results/tiny/networks/sr/trained/sosr.h5",
        "results/tiny/patches/spatial/00.h5",
        "results/tiny/data/corpus/generated.csv",
        "video: results/tiny/data/yard/videos/",
        "by train_sr: python -m twinlens.training",
        '"alpha"',
    ):
        assert part in said, part
    patches = "results/tiny/patches/spatial/00.h5"
    named = [line for line in lines if line.strip().startswith(patches)]
    assert len([line for line in named if "see above" not in line]) == 1


def test_unknown_cells_are_named_with_what_there_is(folder):
    words = (
        "explain",
        "results/table3.csv",
        "--row",
        "Sosr",
        "--column",
        "Yard Fusion",
    )
    assert "did you mean 'SoSR'" in run(folder, *words, check=False)
    words = ("explain", "results/table5.csv", "--row", "SoSR", "--column", "x")
    assert "it is cells of table3, table4 that can" in run(folder, *words, check=False)
    said = run(folder, "explain", "other.csv", *words[2:], check=False)
    assert "it is cells of" in said
    (folder / "table3.csv").write_text("# twinlens table 3, world mine: ours\n")
    said = run(folder, "explain", "table3.csv", *words[2:], check=False)
    assert "table3.csv: is of world mine, and the config's is tiny" in said
    row, column = "SoSR+ToSR2", "Yard Spatial"
    words = (*EXPLAIN, "--row", row, "--column", column)
    assert "their fusion only" in run(folder, *words, check=False)


def test_what_is_up_to_date_is_said_to_be(folder):
    assert "results/table3.csv: is up to date" in run(
        folder, "why", "results/table3.csv"
    )


def test_a_finished_world_has_nothing_left_and_a_lost_file_a_job(folder):
    _, *stages, _, total = run(folder, "status").splitlines()
    done, of = (int(each) for each in total.split(" jobs ")[0].split(" of "))
    assert done == of == sum(int(line.split()[1]) for line in stages)
    lost = folder / "results/tiny/flow_error.csv"
    lost.rename(folder / "kept.csv")
    said = run(folder, "status", check=False)
    (folder / "kept.csv").rename(lost)
    assert f"{of - 1} of {of} jobs are done" in said
    assert "job time left, one after the other: 0:00:" in said


def test_a_changed_setting_is_named_with_both_values(folder):
    config = folder / "config/tiny.yaml"
    before = config.read_text()
    config.write_text(before.replace("steps: 10, batch: 4", "steps: 11, batch: 4"))
    said = run(folder, "why", TABLE)
    config.write_text(before)
    (line,) = [x for x in said.splitlines() if "trained/sosr.h5" in x]
    assert line.endswith("setting recipe.steps: 10 before, 11 now")


def test_changed_code_a_changed_file_and_a_lost_one_are_named(folder):
    target = "results/tiny/quality/yard/sosr/test-00.csv"
    source = folder / "src/twinlens/quality/measures.py"
    before = source.read_text()
    source.write_text(before + "\n\nUNUSED = 1\n")
    assert f"{target}: the code of its job changed" in run(folder, "why", target)
    source.write_text(before)
    frames = folder / "results/tiny/sr/tsn/yard/sosr/test-00.h5"
    os.utime(frames)
    assert "sosr/test-00.h5 changed" in run(folder, "why", target)
    (folder / target).unlink()
    assert f"{target}: {target} is gone" in run(folder, "why", target)
