import cv2
import numpy as np
import pytest

from tests.tables import scores
from twinlens.errors import ArtifactError
from twinlens.figures.draw import draw_figure
from twinlens.tables.settings import FigureJob

METHODS = {
    "hr": scores.method("hr"),
    "bicubic": scores.method("bicubic", "Bicubic"),
    "vdsr": scores.method("vdsr"),
}
# Ben and Cat lie at one place by VDSR; Ada is hard, Dot is easy.
RIGHT = {
    "bicubic": {"Ada": 8, "Ben": 5, "Cat": 5, "Dot": 1},
    "vdsr": {"Ada": 2, "Ben": 5, "Cat": 5, "Dot": 9},
    "hr": {"Ada": 9, "Ben": 8, "Cat": 9, "Dot": 9},
}


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    """Score shards by method."""
    folder = tmp_path_factory.mktemp("scores")
    return {name: scores.shard(folder, "one", name, RIGHT[name]) for name in RIGHT}


def _draw(folder, shards, names=tuple(RIGHT), has_hr=True, name="one.png"):
    about = scores.dataset("One", generated=True, has_hr=has_hr)
    layout = scores.layout(METHODS, {"one": about})
    job = FigureJob(module="scatter", dataset="one", layout=layout)
    draw_figure([shards[each] for each in names], job, folder / name)
    return folder / name


def _titles(axes):
    return [axis.get_title() for axis in axes if axis.get_title()]


def test_each_method_has_a_panel_with_its_dispersion(tmp_path, shards, axes):
    path = _draw(tmp_path, shards)
    assert cv2.imread(str(path)).shape[0] > 200
    assert _titles(axes) == [
        "VDSR: 50.0 points off (RMS)",
        "HR: 47.4 points off (RMS)",
    ]


def test_points_lie_at_bicubic_s_and_the_method_s_accuracy(tmp_path, shards, axes):
    _draw(tmp_path, shards)
    crowd, *coloured = axes[0].collections
    places = dict(
        zip(map(tuple, crowd.get_offsets().data), crowd.get_sizes(), strict=True)
    )
    assert set(places) == {(80, 20), (50, 50), (10, 90)}
    assert places[50, 50] == 2 * places[80, 20]
    assert [each.get_label() for each in coloured] == ["Ada (hard)", "Dot (easy)"]
    assert coloured[0].get_offsets().data.tolist() == [[80, 20]]
    assert not np.array_equal(*(each.get_facecolor() for each in coloured))


def test_the_diagonal_is_dashed(tmp_path, shards, axes):
    _draw(tmp_path, shards)
    (line,) = axes[0].lines
    assert line.get_linestyle() == "--"
    assert np.array_equal(line.get_xydata(), [[0, 0], [100, 100]])


def test_a_renamed_label_keeps_the_comparison_with_bicubic(
    tmp_path, shards, axes, monkeypatch
):
    cubic = scores.method("bicubic", "Cubic", "Bicubic")
    monkeypatch.setitem(METHODS, "bicubic", cubic)
    _draw(tmp_path, shards)
    assert [title.split(":")[0] for title in _titles(axes)] == ["VDSR", "HR"]
    assert axes[0].get_xlabel() == "Cubic (%)"
    labels = [each.get_label() for each in axes[0].collections[1:]]
    assert labels == ["Ada (hard)", "Dot (easy)"]


def test_clips_without_originals_have_no_hr_panel(tmp_path, shards, axes):
    _draw(tmp_path, shards, ("bicubic", "vdsr"), has_hr=False)
    assert [title.split(":")[0] for title in _titles(axes)] == ["VDSR"]


def test_bicubic_alone_makes_no_picture(tmp_path, shards, monkeypatch):
    monkeypatch.delitem(METHODS, "vdsr")
    with pytest.raises(ArtifactError, match="no method has scores besides"):
        _draw(tmp_path, shards, ("bicubic",), has_hr=False)


@pytest.mark.slow
def test_two_pictures_are_the_same_bytes(tmp_path, shards):
    one, other = (_draw(tmp_path, shards, name=f"{name}.png") for name in "ab")
    assert one.read_bytes() == other.read_bytes()
