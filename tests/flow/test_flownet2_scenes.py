"""Generated pairs: their flow is true, and they are always the same."""

import numpy as np
import pytest

from twinlens.flow.flownet2.scenes import Scenes
from twinlens.flow.warp import inside, warp

SIZE = (64, 96)


@pytest.fixture(scope="module")
def scenes():
    return Scenes(1, SIZE)


def test_shapes_types_and_ranges(scenes):
    pairs = scenes.draw(3, "a")
    assert pairs.first.shape == pairs.second.shape == (3, *SIZE, 3)
    assert pairs.first.dtype == pairs.second.dtype == np.uint8
    assert pairs.flow.shape == (3, 2, *SIZE)
    assert pairs.flow.dtype == np.float32


def test_the_second_picture_warped_backward_is_the_first(scenes):
    pairs = scenes.draw(20, "b")
    left, before = [], []
    for first, second, flow in zip(pairs.first, pairs.second, pairs.flow, strict=True):
        seen = inside(flow) & (np.hypot(*flow) > 2)
        if seen.sum() < 100:
            continue
        off = np.abs(warp(second, flow) - first)[seen]
        left.append(np.median(off))
        before.append(np.median(np.abs(second.astype(float) - first)[seen]))
    # Light, noise and what is hidden remain.
    assert len(left) > 10
    assert np.mean(left) < 5
    assert np.mean(left) < 0.5 * np.mean(before)


def test_motion_is_of_some_pixels_and_not_whole_ones(scenes):
    flow = scenes.draw(60, "c").flow
    speed = np.hypot(flow[:, 0], flow[:, 1])
    assert 2 < speed.mean() < 5
    assert speed.max() > 8
    assert (np.abs(flow - np.rint(flow)) > 0.1).mean() > 0.7


def test_a_small_motion_is_small():
    flow = Scenes(1, SIZE, 0.3).draw(30, "c").flow
    assert 0.5 < np.hypot(flow[:, 0], flow[:, 1]).mean() < 1.5


def test_what_is_in_front_moves_by_itself(scenes):
    flow = scenes.draw(20, "d").flow
    steps = np.abs(np.diff(flow, axis=3)).max(axis=(1, 2, 3))
    assert (steps > 1).mean() > 0.7


def test_pairs_depend_on_seed_and_names_alone(scenes):
    scenes.draw(2, "something else")
    one, again, other = (
        each.draw(2, "a").first for each in (scenes, Scenes(1, SIZE), Scenes(2, SIZE))
    )
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)
    assert not np.array_equal(one, scenes.draw(2, "b").first)
