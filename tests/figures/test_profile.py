"""A row of pixels over time."""

import numpy as np
import pytest

from tests.figures import clips
from tests.figures.clips import HEIGHT, TOTAL, WIDTH, draw, pictures, shard
from twinlens.errors import ArtifactError
from twinlens.figures import profile
from twinlens.tables.settings import ClipChoice


def stored(folder, index=clips.EVERY, **own):
    return [
        shard(folder, "frames", name, own.get(name, index)) for name in clips.METHODS
    ]


def by_label(axes):
    return {title.split(":")[0]: each for title, each in pictures(axes).items()}


def test_each_method_shows_its_row_of_every_frame(tmp_path, axes):
    draw("profile", tmp_path, stored(tmp_path), clip={"clip": "c/two", "row": 20})
    shown = by_label(axes)
    assert list(shown) == ["frame 6", "HR", "Bicubic", "VDSR"]
    frames, _ = clips.video("c/two")
    assert np.array_equal(shown["HR"], frames[:, 20])
    assert np.array_equal(shown["frame 6"], frames[6])
    (line,) = axes[0].lines
    assert set(line.get_ydata()) == {20}


def test_the_row_that_changes_most_is_chosen(tmp_path, axes):
    draw("profile", tmp_path, stored(tmp_path), clip={"clip": "c/two"})
    frames, _ = clips.video("c/two")
    steps = np.abs(np.diff(frames.astype(float), axis=0)).mean(axis=(0, 2, 3))
    assert f"row {steps.argmax()} of" in axes[0].figure.get_suptitle()


def test_flicker_is_the_change_that_originals_do_not_have(tmp_path, axes):
    draw("profile", tmp_path, stored(tmp_path), clip={"clip": "c/two", "row": 20})
    titles = [axis.get_title() for axis in axes]
    assert "HR" in titles  # it has none, by definition
    found = {t.split(": ")[0]: float(t.split("flicker ")[1]) for t in titles[2:]}
    assert found.keys() == {"Bicubic", "VDSR"}
    assert min(found.values()) > 0


def test_flicker_by_hand():
    still = np.full((3, 4, 2, 3), 100, np.uint8)
    flashing = still.copy()
    flashing[1] += 10
    moving = {"HR": still, "SR": flashing}
    index = np.array([5, 6, 7])
    assert profile.flickers(moving, index, 2, has_hr=True) == {"SR": 10.0}
    alone = profile.flickers(moving, index, 2, has_hr=False)
    assert alone == {"HR": 0.0, "SR": 10.0}
    apart = np.array([5, 7, 9])
    assert profile.flickers(moving, apart, 2, has_hr=True) == {}


def test_a_blurred_change_is_no_flicker():
    original = np.zeros((3, 4, 2, 3), np.uint8)
    original[1] = 100
    videos = {"HR": original, "half": original // 2, "more": original // 4 * 5}
    found = profile.flickers(videos, np.arange(3), 2, has_hr=True)
    assert found == {"half": 0.0, "more": 25.0}


def test_frames_that_are_not_stored_are_left_white(tmp_path, axes):
    index = [2, 3, 5, 6]
    draw("profile", tmp_path, stored(tmp_path, index), clip={"clip": "c/one", "row": 9})
    frames, _ = clips.video("c/one")
    shown = by_label(axes)["HR"]
    assert shown.shape == (5, WIDTH, 3)
    assert np.array_equal(shown[[0, 1, 3, 4]], frames[index, 9])
    assert (shown[2] == 255).all()


def test_frames_that_all_methods_have_are_shown(tmp_path, axes):
    own = {"bicubic": [1, 3, 4, 7, 9], "vdsr": [0, 3, 4, 6, 7, 9]}
    draw("profile", tmp_path, stored(tmp_path, **own))
    assert by_label(axes)["HR"].shape[0] == 7
    assert "frames 3 to 9 (4 are stored)" in axes[0].figure.get_suptitle()


def test_a_long_clip_is_cut_around_its_frame():
    index = np.arange(0, 400, 2)
    window = profile._window(index, None)
    assert len(window) == profile.LONGEST
    assert window[0] < 200 < window[-1]
    last = ClipChoice(clip="c/one", frame=399)
    assert profile._window(index, last)[-1] == 398


def test_a_method_s_frames_may_lie_in_two_files(tmp_path, axes):
    inputs = stored(tmp_path, range(6)) + stored(tmp_path / "two", range(6, TOTAL))
    draw("profile", tmp_path, inputs)
    assert by_label(axes)["HR"].shape == (TOTAL, WIDTH, 3)


def test_clips_that_are_low_already_have_no_original(tmp_path, axes):
    draw("profile", tmp_path, stored(tmp_path), has_hr=False)
    assert list(by_label(axes))[1:] == ["Bicubic", "VDSR"]
    assert all("flicker" in axis.get_title() for axis in axes[1:3])


def test_a_row_below_the_frame_is_its_last(tmp_path, axes):
    draw("profile", tmp_path, stored(tmp_path), clip={"clip": "c/one", "row": 999})
    assert f"row {HEIGHT - 1} of" in axes[0].figure.get_suptitle()


def test_methods_without_a_frame_in_common_are_refused(tmp_path):
    inputs = stored(tmp_path, bicubic=[1, 3], vdsr=[2, 4])
    with pytest.raises(ArtifactError, match=r"no frame of .* set frames: all"):
        draw("profile", tmp_path, inputs)
    assert not (tmp_path / "one.png").exists()
