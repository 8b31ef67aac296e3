import numpy as np
import pytest

from twinlens.patches import crops
from twinlens.patches.settings import PatchSettings

HOW = PatchSettings(size=32, crops=3, stride=(8, 8), margin=4)


def _flow_at(y, x, height=80, width=96):
    flow = np.zeros((2, height, width), np.float16)
    flow[0, y : y + 10, x : x + 10] = 5
    return flow


def test_crops_lie_over_what_moves():
    for y, x in ((20, 20), (50, 10), (10, 70)):
        rng = np.random.default_rng(0)
        (top, left), *_ = crops.best(_flow_at(y, x), HOW, rng)
        assert top + 4 <= y
        assert y + 10 <= top + 28 + 8
        assert left - 8 <= x <= left + 32


def test_most_motion_comes_first():
    rng = np.random.default_rng(1)
    flow = rng.uniform(-3, 3, (2, 80, 96)).astype(np.float16)
    how = PatchSettings(size=32, crops=50, stride=(8, 8), margin=4)
    spots = crops.best(flow, how, np.random.default_rng(2))
    speed = np.hypot(*flow.astype(np.float32))
    sums = [speed[y + 4 : y + 28, x + 4 : x + 28].sum() for y, x in spots]
    assert sums == sorted(sums, reverse=True)
    assert len(set(spots)) == len(spots) > 30


def test_margins_do_not_count():
    flow = np.zeros((2, 32, 32), np.float16)
    flow[:, :3] = 9
    how = PatchSettings(size=24, crops=1, stride=(4, 4), margin=4)
    spots = {
        crops.best(flow, how, np.random.default_rng(seed))[0] for seed in range(20)
    }
    assert {(0, 0), (0, 4)} >= {spot for spot in spots if spot[0] == 0}


def test_corners_lie_on_multiples_of_4_where_frames_are_shrunk_whole():
    flow = np.random.default_rng(0).random((2, 90, 107)).astype(np.float16)
    for seed in range(10):
        spots = crops.best(flow, HOW, np.random.default_rng(seed))
        assert all(y % 4 == 0 and x % 4 == 0 for y, x in spots)
    cut = PatchSettings(size=32, crops=30, stride=(9, 7), margin=4, cut="patch")
    spots = crops.best(flow, cut, np.random.default_rng(3))
    assert any(y % 4 or x % 4 for y, x in spots)


def test_a_frame_of_a_patch_s_size_has_one_candidate():
    flow = np.zeros((2, 32, 32), np.float16)
    assert crops.best(flow, HOW, np.random.default_rng(0)) == [(0, 0)]


def test_the_released_ranking_may_take_a_crop_twice():
    flow = np.zeros((2, 32, 32), np.float16)
    how = PatchSettings(size=32, crops=3, margin=4, first_twice=True)
    assert crops.best(flow, how, np.random.default_rng(0)) == [(0, 0), (0, 0)]


def _noise(seed):
    return np.random.default_rng(seed).integers(0, 256, (32, 40, 3), dtype=np.uint8)


def test_a_flat_crop_is_dropped():
    flat = np.full((32, 40, 3), 90, np.uint8)
    still = np.zeros((2, 32, 40), np.float16)
    assert crops.fault(flat, flat, still, (0, 0), HOW) == crops.FLAT
    assert crops.fault(_noise(0), _noise(0), still, (0, 0), HOW) == ""


def test_warping_must_help_where_it_is_asked():
    how = PatchSettings(size=32, margin=4, warp_must_help=True)
    ramp = (5 * np.arange(40)[None, :, None] + _noise(0) // 50).astype(np.uint8)
    first, second = ramp, np.roll(ramp, 3, axis=1)
    right = np.zeros((2, 32, 40), np.float16)
    right[0] = 3
    assert crops.fault(first, second, right, (0, 4), how) == ""
    assert crops.fault(first, second, -right, (0, 4), how) == crops.WARP
    assert crops.fault(first, second, 0 * right, (0, 4), how) == crops.WARP
    assert crops.fault(first, second, -right, (0, 4), HOW) == ""


def test_unlike_frames_are_a_scene_cut():
    dark, light = np.zeros((8, 8, 3), np.uint8), np.full((8, 8, 3), 200, np.uint8)
    assert crops.scene_cut(dark, light, HOW)
    assert not crops.scene_cut(dark, dark, HOW)
    anything = PatchSettings(size=32, margin=4, least_pair_psnr=None)
    assert not crops.scene_cut(dark, light, anything)


def test_psnr_is_that_of_bytes():
    one = np.zeros((2, 2, 3), np.uint8)
    assert crops.psnr(one, one) == np.inf
    assert crops.psnr(one, one + 255) == 0
    assert crops.psnr(one, one + 1) == pytest.approx(48.13, abs=0.01)


@pytest.mark.parametrize("wrong", [{"size": 30}, {"size": 16}, {"window": 4}])
def test_settings_that_cannot_be_cut_are_refused(wrong):
    with pytest.raises(ValueError, match=r"(size|window)"):
        PatchSettings(**wrong)
