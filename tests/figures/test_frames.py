"""Frames by every method, with the clip's verdicts."""

import numpy as np
import pytest

from tests.figures import clips
from tests.figures.clips import HEIGHT, TOTAL, WIDTH, draw, pictures, shard
from tests.tables import scores
from twinlens import provenance
from twinlens.artifacts.shard import Shard
from twinlens.errors import ArtifactError
from twinlens.figures import frames, sources, style

# Which of the clips is right by each method: they agree least on the second.
RIGHT = {"hr": [1, 1, 1], "bicubic": [1, 0, 1], "vdsr": [1, 0, 1]}


def scored(folder, method):
    """Scores of two classes; one that is right has e^1 to 1."""
    path = folder / f"score-{method}.h5"
    about = provenance.about("score", [], {}, dataset="one", row=method)
    with Shard(path, "scores/2", about, clips.NAMES) as file:
        for name, right in zip(clips.NAMES, RIGHT[method], strict=True):
            label = int(name.startswith("d"))
            chosen = label if right else 1 - label
            values = np.eye(2, dtype=np.float32)[[chosen, chosen]]
            file.write(name, {"spatial": values}, label=label)
    return path


@pytest.fixture
def inputs(tmp_path):
    return [
        *(shard(tmp_path, "frames", name) for name in clips.METHODS),
        shard(tmp_path, "low", "hr"),
        *(scored(tmp_path, name) for name in clips.METHODS),
    ]


def titles(axes):
    return [axis.get_title() for axis in axes if axis.get_title()]


def test_each_method_has_a_frame_a_detail_and_a_verdict(tmp_path, inputs, axes):
    draw("frames", tmp_path, inputs, clip={"clip": "c/two", "frame": 4})
    assert titles(axes)[:4] == ["low resolution", "HR", "Bicubic", "VDSR"]
    assert titles(axes)[4:] == ["right, 0.73", "taken for d, 0.27", "taken for d, 0.27"]
    shown = [axis.images[0].get_array() for axis in axes]
    video, _ = clips.video("c/two")
    assert np.array_equal(shown[1], video[4])
    assert np.array_equal(shown[0], video[4, ::4, ::4])
    assert shown[5].shape == (HEIGHT // 3, WIDTH // 3, 3)
    assert shown[4].shape == (HEIGHT // 12, WIDTH // 12, 3)
    colours = [axis.title.get_color() for axis in axes[5:8]]
    assert colours == [style.RIGHT, style.WRONG, style.WRONG]


def test_the_clip_on_which_methods_agree_least_is_chosen(tmp_path, inputs, axes):
    draw("frames", tmp_path, inputs)
    assert f"c/two, frame {TOTAL // 2};" in axes[0].figure.get_suptitle()


def test_the_detail_is_the_part_that_is_marked(tmp_path, inputs, axes):
    draw("frames", tmp_path, inputs)
    (box,) = axes[1].patches
    x, y = (round(at + 0.5) for at in box.get_xy())
    whole, part = (axes[n].images[0].get_array() for n in (1, 5))
    assert np.array_equal(part, whole[y : y + HEIGHT // 3, x : x + WIDTH // 3])


def test_clips_that_are_low_already_have_no_original(tmp_path, inputs, axes):
    few = [each for each in inputs if each.name not in {"low-hr.h5", "score-hr.h5"}]
    draw("frames", tmp_path, few, has_hr=False)
    assert titles(axes)[:3] == ["low resolution", "Bicubic", "VDSR"]
    assert pictures(axes)["low resolution"].shape == (HEIGHT, WIDTH, 3)


def test_a_method_without_scores_is_refused(tmp_path, inputs):
    with pytest.raises(ArtifactError, match="no scores of vdsr on one"):
        draw("frames", tmp_path, inputs[:-1])


def test_a_class_without_test_clip_has_its_number(tmp_path):
    about = provenance.about("score", [], {}, dataset="one", row="vdsr")
    with Shard(tmp_path / "s.h5", "scores/2", about, ["c/one"]) as file:
        file.write("c/one", {"spatial": np.eye(3, dtype=np.float32)[[2]]}, label=0)
    loaded = frames.accuracy.load([tmp_path / "s.h5"])["one", "vdsr"]
    assert frames.verdict(loaded, "spatial", "c/one").name == "class 2"
    named = frames.verdict(loaded, "spatial", "c/one", ["c", "d", "e"])
    assert named.name == "e"


def test_the_busiest_box_is_where_most_changes():
    busy = np.zeros((30, 60))
    busy[12:16, 33:40] = 1
    y, x = sources.busiest(busy, (10, 20))
    assert y <= 12
    assert y + 10 >= 16
    assert x <= 33
    assert x + 20 >= 40


def test_scores_of_another_head_than_the_layout_s_first_are_not_taken(tmp_path):
    path = scores.shard(tmp_path, "one", "vdsr", {"c": 1, "d": 1}, heads=("temporal",))
    loaded = frames.accuracy.load([path])["one", "vdsr"]
    with pytest.raises(ArtifactError, match="the spatial stream was not scored"):
        frames.verdict(loaded, "spatial", "c/00")


def test_a_detail_of_the_smallest_frames_has_a_pixel(tmp_path, axes):
    about = provenance.about("frames", [], {}, dataset="one", method="hr", part="test")
    for kind, side in (("frames", 8), ("low", 2)):
        video = np.zeros((3, side, side, 3), np.uint8)
        with Shard(tmp_path / f"{kind}.h5", f"{kind}/1", about, clips.NAMES) as file:
            for name in clips.NAMES:
                file.write(name, {"frames": video, "index": np.arange(3)}, frames=3)
    inputs = [tmp_path / "frames.h5", tmp_path / "low.h5", scored(tmp_path, "hr")]
    draw("frames", tmp_path, inputs, {"hr": clips.METHODS["hr"]})
    assert axes[2].images[0].get_array().shape == (1, 1, 3)
