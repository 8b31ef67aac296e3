"""Flow by every method, and where it differs from the originals'."""

import cv2
import numpy as np
import pytest

from tests.figures import clips
from tests.figures.clips import TOTAL, draw, pictures, shard
from twinlens.errors import ArtifactError
from twinlens.figures import flow
from twinlens.flow.colours import coloured, wheel

FLOWS = range(TOTAL - 1)


@pytest.fixture
def inputs(tmp_path):
    return [shard(tmp_path, "flow", name, FLOWS) for name in clips.METHODS]


def test_each_method_has_its_flow_and_its_error(tmp_path, inputs, axes):
    path = draw("flow", tmp_path, inputs)
    assert cv2.imread(str(path)).shape[0] > 200
    shown = pictures(axes)
    step = 40 / 255  # px, of flow as it is stored
    inside = {"Bicubic": 4, "VDSR": 2}
    share = 12 * 16 / (clips.HEIGHT * clips.WIDTH)
    errors = [title for title in shown if "marked" in title]
    assert len(shown) == 6
    for title, size in zip(errors, inside.values(), strict=True):
        mean = float(title.split(" px")[0])
        assert abs(mean - size * share) < step
        assert shown[title][8:20, 40:56].min() > size - step


def test_the_region_of_the_largest_error_is_marked(tmp_path, inputs, axes):
    draw("flow", tmp_path, inputs)
    corners = {box.get_xy() for axis in axes for box in axis.patches}
    assert (40 - 0.5, 8 - 0.5) in corners
    assert len(corners) == 2


def test_regions_do_not_overlap(tmp_path, inputs, axes):
    draw("flow", tmp_path, inputs)
    (a, b), (c, d) = sorted({box.get_xy() for axis in axes for box in axis.patches})
    assert abs(a - c) >= clips.WIDTH // 4 or abs(b - d) >= clips.HEIGHT // 4


def test_the_fastest_clip_is_drawn_in_its_middle(tmp_path, inputs, capsys, axes):
    speeds = {name: np.hypot(*clips.video(name)[1]).mean() for name in clips.NAMES}
    draw("flow", tmp_path, inputs)
    assert f"{max(speeds, key=speeds.get)}: " in capsys.readouterr().err
    assert f"frame {len(FLOWS) // 2};" in axes[0].figure.get_suptitle()


def test_a_named_clip_and_the_nearest_stored_frame_are_drawn(tmp_path, axes):
    inputs = [shard(tmp_path, "flow", name, [1, 4, 9]) for name in clips.METHODS]
    draw("flow", tmp_path, inputs, clip={"clip": "d/three", "frame": 7})
    assert "d/three, frame 9" in axes[0].figure.get_suptitle().replace("\n", " ")


def test_a_clip_that_is_not_there_is_refused(tmp_path, inputs):
    with pytest.raises(
        ArtifactError, match=r"select\.clips\.one: .*no clip c/four; it"
    ):
        draw("flow", tmp_path, inputs, clip={"clip": "c/four"})


def test_the_paper_s_clip_is_drawn_if_it_is_there(tmp_path, inputs, axes):
    for clip, shown in (("c/two", "c/two, frame 3"), ("c/nine", "frame 5")):
        draw("flow", tmp_path, inputs, paper={"clip": clip, "frame": 3})
        assert shown in axes[0].figure.get_suptitle().replace("\n", " ")
        axes.clear()


def test_small_differences_are_found_among_large_ones():
    rng = np.random.default_rng(0)
    error = cv2.blur(rng.random((240, 320)).astype(np.float32), (31, 31))
    for y, x in flow._regions(error):
        left = error[y : y + 60, x : x + 80].astype(np.float64).sum()
    boxes = cv2.boxFilter(error.astype(np.float64), -1, (80, 60), normalize=False)
    assert left <= boxes.max()
    (y, x), (v, u) = flow._regions(error)
    best = -1.0
    for at in range(0, 181):
        for to in range(0, 241):
            if abs(at - y) >= 60 or abs(to - x) >= 80:
                best = max(
                    best, error[at : at + 60, to : to + 80].sum(dtype=np.float64)
                )
    assert error[v : v + 60, u : u + 80].sum(dtype=np.float64) == pytest.approx(
        best, rel=1e-9
    )


def test_flow_of_another_range_looks_alike(tmp_path, axes):
    stored = [shard(tmp_path, "flow", name, FLOWS) for name in ("hr", "vdsr")]
    draw("flow", tmp_path, stored)
    near = pictures(axes)["VDSR"].astype(int)
    axes.clear()
    stored[1] = shard(tmp_path / "wide", "flow", "vdsr", FLOWS, bound=40.0)
    draw("flow", tmp_path, stored)
    assert abs(near - pictures(axes)["VDSR"].astype(int)).max() < 30


def test_methods_without_a_flow_in_common_are_refused(tmp_path):
    inputs = [shard(tmp_path, "flow", "hr", [1]), shard(tmp_path, "flow", "vdsr", [2])]
    with pytest.raises(ArtifactError, match="no flow of .* set frames: all"):
        draw("flow", tmp_path, inputs)
    assert not (tmp_path / "one.png").exists()


def test_the_originals_alone_are_refused(tmp_path):
    with pytest.raises(ArtifactError, match="only the originals have flow"):
        draw("flow", tmp_path, [shard(tmp_path, "flow", "hr", FLOWS)])


def test_a_shard_without_clips_is_refused(tmp_path):
    inputs = [shard(tmp_path, "flow", "hr", FLOWS, names=[])]
    with pytest.raises(ArtifactError, match=r"flow-hr\.h5: has no clip to draw"):
        draw("flow", tmp_path, inputs)


@pytest.mark.slow
def test_two_pictures_are_the_same_bytes(tmp_path, inputs):
    one, other = (draw("flow", tmp_path, inputs, out=out) for out in "ab")
    for ending in (".png", ".pdf", ".svg"):
        both = [each.with_suffix(ending).read_bytes() for each in (one, other)]
        assert both[0] == both[1]


def test_the_wheel_has_the_colours_of_flow():
    picture = wheel(61)
    assert picture.shape == (61, 61, 3)
    right = coloured(np.array([1.0, 0.0]).reshape(2, 1, 1), 1.0)[0, 0]
    assert np.array_equal(picture[30, 60], right)
    assert (picture[0, 0] == 255).all()
    assert picture[30, 30].min() > 250
