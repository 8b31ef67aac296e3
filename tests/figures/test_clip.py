import cv2
import numpy as np
import pytest

from tests.patches.clips import moving
from tests.tables import scores
from twinlens import provenance
from twinlens.artifacts.shard import Shard
from twinlens.errors import ArtifactError
from twinlens.figures.clip import _busiest
from twinlens.figures.draw import draw_figure
from twinlens.flow.encoding import encode
from twinlens.tables.settings import FigureJob

HEIGHT, WIDTH, TOTAL = 48, 64, 12
NAMES = ["c/one", "c/two", "c/three"]
METHODS = {
    "hr": scores.method("hr"),
    "bicubic": scores.method("bicubic", "Bicubic"),
    "vdsr": scores.method("vdsr"),
}
EVERY = range(TOTAL)
ROWS = ["frame", "detail", "flow", "row over time"]


def _shard(folder, kind, method, index, names=NAMES, form=None):
    """A shard of clips whose frames are blurred more or less, or of their flow."""
    name = kind.partition("/")[0]
    path = folder / f"{name}-{method}.h5"
    about = {"dataset": "one", "method": method, "part": "test", **(form or {})}
    index = np.array(index)
    with Shard(path, kind, provenance.about(name, [], {}, **about), names) as file:
        for seed, clip in enumerate(names):
            video, flow = moving(seed, TOTAL, HEIGHT, WIDTH)
            if kind == "flow/1":
                motion = encode(np.stack([flow] * len(index)), form["form"]["bound"])
                file.write(clip, {"flow": motion, "index": index})
                continue
            if kind == "low/1":
                video = video[:, ::4, ::4]
            elif method != "hr":
                video = np.stack([cv2.blur(frame, (5, 5)) for frame in video])
            file.write(clip, {"frames": video[index], "index": index}, frames=TOTAL)
    return path


def _flow(folder, method, index=range(TOTAL - 1), bound=20.0):
    return _shard(folder, "flow/1", method, index, form={"form": {"bound": bound}})


def _inputs(folder, frames=EVERY, low=EVERY, **own):
    """Frames and flow of all methods, and low resolution."""
    inputs = [
        _shard(folder, "frames/1", name, own.get(name, frames)) for name in METHODS
    ]
    inputs.append(_shard(folder, "low/1", "hr", low))
    return inputs + [_flow(folder, name) for name in METHODS]


def _draw(folder, inputs, methods=METHODS, has_hr=True, name="clip.png"):
    about = scores.dataset("One", generated=True, has_hr=has_hr)
    layout = scores.layout(methods, {"one": about})
    job = FigureJob(module="clip", dataset="one", layout=layout)
    draw_figure(inputs, job, folder / name)
    return folder / name


def _titles(axes):
    return [axis.get_title() for axis in axes if axis.get_title()]


def _pictures(axes, column, columns):
    """The pictures of a column, None for an empty panel."""
    panels = axes[column::columns]
    images = [panel.images for panel in panels]
    return [each[0].get_array() if each else None for each in images]


def test_the_sheet_has_a_column_for_each_method(tmp_path, axes):
    path = _draw(tmp_path, _inputs(tmp_path))
    assert cv2.imread(str(path)).shape[0] > 200
    assert _titles(axes) == ["low resolution", "Bicubic", "VDSR", "HR"]
    assert [axis.get_ylabel() for axis in axes[::4]] == ROWS


def test_each_method_is_another_column(tmp_path):
    inputs = _inputs(tmp_path)
    few = {name: METHODS[name] for name in ("hr", "bicubic")}
    one, two = (
        cv2.imread(str(_draw(tmp_path, inputs, methods, name=f"{name}.png"))).shape
        for name, methods in (("few", few), ("all", METHODS))
    )
    assert one[0] == two[0]
    assert one[1] < two[1]


def test_the_clip_in_the_middle_is_drawn_from_what_was_stored(tmp_path, axes, capsys):
    path = _draw(tmp_path, _inputs(tmp_path))
    assert f"c/two: {path}" in capsys.readouterr().err
    video, flow = moving(1, TOTAL, HEIGHT, WIDTH)
    frame, detail, moved, row = _pictures(axes, 3, 4)
    middle = (TOTAL - 1) // 2
    assert np.array_equal(frame, video[middle])
    assert detail.shape == (HEIGHT // 3, WIDTH // 3, 3)
    assert moved.shape == (HEIGHT, WIDTH, 3)
    assert row.shape == (TOTAL, WIDTH, 3)
    low = _pictures(axes, 0, 4)
    assert np.array_equal(low[0], video[middle, ::4, ::4])
    assert low[2] is None
    assert low[3].shape == (TOTAL, WIDTH // 4, 3)
    text = axes[0].figure.get_suptitle()
    assert text.startswith("c/two: flow of 2.0 px a frame in full colour, row ")
    assert text.endswith(f"({TOTAL} stored frames)")


def test_frames_that_all_methods_have_are_drawn(tmp_path, axes):
    own = {"bicubic": [1, 3, 4, 7, 9], "vdsr": [0, 3, 4, 6, 7, 9]}
    _draw(tmp_path, _inputs(tmp_path, **own))
    video, _ = moving(1, TOTAL, HEIGHT, WIDTH)
    frame, _, _, row = _pictures(axes, 3, 4)
    assert len(row) == 4
    assert np.array_equal(frame, video[7])


def test_a_method_s_frames_may_lie_in_two_files(tmp_path, axes):
    inputs = _inputs(tmp_path, frames=range(6))
    other = tmp_path / "other"
    inputs += [_shard(other, "frames/1", name, range(6, TOTAL)) for name in METHODS]
    _draw(tmp_path, inputs)
    assert len(_pictures(axes, 3, 4)[3]) == TOTAL


def test_the_frame_shown_has_flow_by_every_method(tmp_path, axes):
    inputs = _inputs(tmp_path)
    inputs[-1] = _flow(tmp_path / "few", "vdsr", [2])
    _draw(tmp_path, inputs)
    video, _ = moving(1, TOTAL, HEIGHT, WIDTH)
    frame, _, _, row = _pictures(axes, 3, 4)
    assert np.array_equal(frame, video[2])
    assert len(row) == TOTAL


def test_flow_of_another_range_looks_alike(tmp_path, axes):
    inputs = _inputs(tmp_path)
    inputs[-1] = _flow(tmp_path / "wide", "vdsr", bound=40.0)
    _draw(tmp_path, inputs)
    one, other = (_pictures(axes, column, 4)[2].astype(int) for column in (1, 2))
    assert abs(one - other).max() < 30


def test_a_method_without_flow_has_an_empty_panel(tmp_path, axes):
    _draw(tmp_path, _inputs(tmp_path)[:-1])
    frame, _, flow, _ = _pictures(axes, 2, 4)
    assert frame is not None
    assert flow is None


def test_a_pair_shows_the_frames_of_one_and_the_flow_of_the_other(tmp_path, axes):
    pair = scores.method("vdsr", "Pair", flow_of="bicubic")
    inputs = _inputs(tmp_path)
    _draw(tmp_path, inputs, {**METHODS, "pair": pair})
    vdsr, both = _pictures(axes, 2, 5), _pictures(axes, 3, 5)
    assert _titles(axes)[3] == "Pair"
    assert np.array_equal(vdsr[0], both[0])
    assert np.array_equal(_pictures(axes, 1, 5)[2], both[2])


def test_clips_that_are_low_already_have_no_original(tmp_path, axes):
    inputs = [_shard(tmp_path, "frames/1", name, EVERY) for name in METHODS]
    inputs += [_flow(tmp_path, name) for name in ("bicubic", "vdsr")]
    _draw(tmp_path, inputs, has_hr=False)
    assert _titles(axes) == ["low resolution", "Bicubic", "VDSR"]
    low, best = _pictures(axes, 0, 3), _pictures(axes, 2, 3)
    video, _ = moving(1, TOTAL, HEIGHT, WIDTH)
    assert np.array_equal(low[0], video[(TOTAL - 1) // 2])
    assert low[2] is None
    assert best[2] is not None


def test_methods_without_a_frame_in_common_are_refused(tmp_path):
    inputs = _inputs(tmp_path, bicubic=[1, 3], vdsr=[2, 4])
    with pytest.raises(ArtifactError, match="no frame and flow.*set frames: all"):
        _draw(tmp_path, inputs)
    assert not (tmp_path / "clip.png").exists()


def test_frames_without_their_flow_are_refused(tmp_path):
    inputs = _inputs(tmp_path, frames=[TOTAL - 1])
    with pytest.raises(ArtifactError, match="no frame and flow of the clip"):
        _draw(tmp_path, inputs)


def test_a_shard_without_clips_is_refused(tmp_path):
    inputs = [_shard(tmp_path, "frames/1", "hr", EVERY, names=[])]
    with pytest.raises(ArtifactError, match="frames-hr.h5: has no clip to draw"):
        _draw(tmp_path, inputs)


@pytest.mark.slow
def test_two_sheets_are_the_same_bytes(tmp_path):
    inputs = _inputs(tmp_path)
    one, other = (_draw(tmp_path, inputs, name=f"{name}.png") for name in "ab")
    assert one.read_bytes() == other.read_bytes()


def test_the_detail_is_where_most_changes():
    busy = np.zeros((30, 60))
    busy[12:16, 33:40] = 1
    y, x = _busiest(busy)
    assert y <= 12
    assert y + 10 >= 16
    assert x <= 33
    assert x + 20 >= 40
