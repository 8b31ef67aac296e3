"""Dispersion about Bicubic's diagonal from small scores."""

import numpy as np
import pandas as pd
import pytest

from tests.tables import scores
from twinlens.errors import ArtifactError

METHODS = {
    "hr": scores.method("hr"),
    "bicubic": scores.method("bicubic", "Bicubic"),
    "vdsr": scores.method("vdsr"),
}
# Of ten clips of each class.
RIGHT = {
    "bicubic": {"A": 5, "B": 5, "C": 5, "D": 5},
    "vdsr": {"A": 9, "B": 5, "C": 2, "D": 6},
    "hr": {"A": 5, "B": 5, "C": 5, "D": 5},
}


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    """Score shards by method."""
    folder = tmp_path_factory.mktemp("scores")
    return {name: scores.shard(folder, "one", name, RIGHT[name]) for name in RIGHT}


def _write(folder, shards, names=tuple(RIGHT), methods=METHODS, **datasets):
    inputs = [shards[name] for name in names]
    return scores.write(folder, "dispersion", inputs, scores.layout(methods, datasets))


def test_it_is_the_root_mean_square_over_classes(tmp_path, shards):
    lines = _write(tmp_path, shards).out.read_text().splitlines()
    assert lines[1].startswith(
        "Dataset,Method,RMS,RMS by chance,Mean,Spread,Better,Equal"
    )
    # Differences of 40, 0, -30 and 10 points; one alone has 4, 0, 3 and 1 clips right.
    rms = np.sqrt((40**2 + 30**2 + 10**2) / 4)
    chance = 100 * np.sqrt((4 + 0 + 3 + 1) / 4 / 10**2)
    spread = np.sqrt(rms**2 - 5**2)
    assert lines[2] == f"One,VDSR,{rms:.2f},{chance:.2f},5.00,{spread:.2f},2,1,1"
    assert lines[3] == "One,HR,0.00,0.00,0.00,0.00,0,4,0"


def test_the_long_form_has_intervals_and_counts(tmp_path, shards):
    found = pd.read_csv(_write(tmp_path, shards).long, comment="#").set_index("method")
    vdsr = found.loc["VDSR"]
    assert vdsr["rms_low"] < vdsr["rms"] < vdsr["rms_high"] <= 40
    assert -30 <= vdsr["mean_low"] < 5 < vdsr["mean_high"] <= 40
    assert vdsr[["classes", "clips", "data"]].tolist() == [4, 40, "generated"]


def test_clips_without_originals_have_no_hr_line(tmp_path, shards):
    low = scores.dataset("One", has_hr=False)
    files = _write(tmp_path, shards, ("bicubic", "vdsr"), one=low)
    assert len(files.out.read_text().splitlines()) == 3


def test_there_is_no_dispersion_without_bicubic(tmp_path, shards):
    methods = {"vdsr": METHODS["vdsr"]}
    with pytest.raises(ArtifactError, match="no method stands for the paper's Bicubic"):
        _write(tmp_path, shards, ("vdsr",), methods)


def test_bicubic_may_have_another_label(tmp_path, shards):
    methods = {**METHODS, "bicubic": scores.method("bicubic", "Cubic", "Bicubic")}
    renamed = _write(tmp_path / "a", shards, methods=methods)
    named = _write(tmp_path / "b", shards)
    assert renamed.out.read_bytes() == named.out.read_bytes()


def test_two_runs_give_the_same_bytes(tmp_path, shards):
    once, again = (_write(tmp_path / name, shards) for name in "ab")
    assert once.long.read_bytes() == again.long.read_bytes()
