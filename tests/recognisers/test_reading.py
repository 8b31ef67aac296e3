"""Which frames of a clip an artifact stores."""

import numpy as np
import pytest

from tests.recognisers.samplers import EVERY, reading, sampler
from twinlens.recognisers import with_neighbours

LENGTHS = (2, 5, 30, 187)
FEW, MANY = sampler(snippets=3), sampler(snippets=25, stack=5)


def test_without_samplers_every_frame_is_stored():
    assert EVERY.frames(7, "a").tolist() == list(range(7))
    assert EVERY.modules == []


@pytest.mark.parametrize("total", LENGTHS)
def test_frames_of_several_samplers_are_their_union_ascending(total):
    both = reading(MANY, FEW).frames(total, "a")
    union = np.union1d(FEW.frames(total, "a"), MANY.frames(total, "a"))
    np.testing.assert_array_equal(both, union)


@pytest.mark.parametrize("total", LENGTHS)
@pytest.mark.parametrize("part", ["test", "train"])
def test_frames_beyond_an_earlier_recogniser_s_are_disjoint_and_complete(total, part):
    first, second = sampler(part), sampler(part, snippets=7, stack=4, positions=3)
    stored = reading(first).frames(total, "a")
    further = reading(second, excluded=[first]).frames(total, "a")
    assert not set(stored) & set(further)
    wanted = reading(first, second).frames(total, "a")
    np.testing.assert_array_equal(np.union1d(stored, further), wanted)
    assert (np.diff(further) > 0).all()


def test_frames_that_others_store_all_of_are_none():
    assert reading(FEW, excluded=[FEW]).frames(30, "a").tolist() == []


def test_of_three_recognisers_each_frame_is_stored_once():
    third = sampler(snippets=11)
    parts = [
        reading(FEW),
        reading(MANY, excluded=[FEW]),
        reading(third, excluded=[FEW, MANY]),
    ]
    stored = np.concatenate([each.frames(187, "a") for each in parts])
    assert len(stored) == len(set(stored))
    assert sorted(stored) == reading(FEW, MANY, third).frames(187, "a").tolist()


def test_inputs_choose_frames_or_the_frames_of_flow():
    reads = FEW.reads(30, "a")
    frames = sampler(inputs=["frames"]).frames(30, "a")
    flow = sampler(inputs=["flow"]).frames(30, "a")
    np.testing.assert_array_equal(frames, np.unique(reads.frames))
    np.testing.assert_array_equal(flow, np.union1d(reads.flows, reads.flows + 1))
    np.testing.assert_array_equal(FEW.frames(30, "a"), np.union1d(frames, flow))
    assert sampler(inputs=[]).frames(30, "a").tolist() == []


def test_the_modules_that_choose_are_each_named_once():
    assert reading(FEW, excluded=[MANY]).modules == ["twinlens.recognisers.tsn"]


def test_neighbours_stay_within_the_clip():
    wanted = np.array([0, 5, 9])
    assert with_neighbours(wanted, 0, 10).tolist() == [0, 5, 9]
    assert with_neighbours(wanted, 2, 10).tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert with_neighbours(wanted, 1, 10).tolist() == [0, 1, 4, 5, 6, 8, 9]
