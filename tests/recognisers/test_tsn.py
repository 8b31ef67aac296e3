"""Sampling as TSN's eval_net does it."""

import numpy as np
import pytest

from twinlens.recognisers import Sampler
from twinlens.recognisers.tsn import (
    Sampling,
    flow_stacks,
    read,
    rgb_frames,
    ticks,
    train_stacks,
)

TSN = Sampling()


def sampler(part):
    return Sampler(kind="tsn", sampling={}, part=part)


def flows_of(total, part):
    """The flows that are read of a clip, each once."""
    return np.unique(sampler(part).reads(total, "a").flows)


def test_rgb_ticks_of_a_usual_clip():
    # 186 images: step (186 - 1) // 24 = 7
    assert ticks(186, 1, 25) == [1 + 7 * number for number in range(25)]


def test_flow_ticks_leave_room_for_the_stack():
    assert ticks(186, 5, 25)[-1] == 1 + 7 * 24
    assert ticks(125, 5, 25)[-1] == 1 + 5 * 24


def test_a_clip_without_a_whole_step_is_read_at_its_start_only():
    assert ticks(28, 5, 25) == [1] * 25
    assert ticks(24, 1, 25) == [1] * 25


def test_images_are_counted_without_the_first_frame():
    # The extraction writes no file for frame 0: image 1 is frame 1.
    assert rgb_frames(187, TSN)[0] == 1
    assert rgb_frames(187, TSN)[-1] == 1 + 7 * 24


def test_flow_stacks_are_consecutive_and_start_at_the_first_pair():
    stacks = flow_stacks(187, TSN)
    assert stacks.shape == (25, 5)
    assert stacks[0].tolist() == [0, 1, 2, 3, 4]


def test_stacks_past_the_end_repeat_the_last_flow():
    assert flow_stacks(4, TSN)[0].tolist() == [0, 1, 2, 2, 2]


def test_two_frames_are_enough():
    assert sampler("test").frames(2, "a").tolist() == [0, 1]


@pytest.mark.parametrize("frames", [2, 5, 29, 30, 33, 187, 900])
@pytest.mark.parametrize("part", ["train", "test"])
def test_everything_that_is_read_exists(frames, part):
    flows = flows_of(frames, part)
    found = sampler(part).frames(frames, "a")
    assert flows.min() >= 0
    assert flows.max() <= frames - 2
    assert found.min() >= 0
    assert found.max() <= frames - 1
    assert set(flows) | set(flows + 1) <= set(found)


def test_the_published_protocol_reads_at_most_150_and_25_frames():
    assert len(flows_of(187, "test")) == 125
    assert len(sampler("test").frames(187, "a")) <= 150 + 25


def test_reads_of_a_test_clip_are_its_snippets():
    reads = read({}, 187, "test", "a", 0)
    np.testing.assert_array_equal(reads.frames, rgb_frames(187, TSN))
    np.testing.assert_array_equal(reads.flows, flow_stacks(187, TSN))


def test_frames_of_a_training_clip_are_those_that_its_flows_touch():
    reads = read({}, 187, "train", "a", 3)
    flows = train_stacks(187, TSN, "a", 3)
    np.testing.assert_array_equal(reads.flows, flows)
    np.testing.assert_array_equal(reads.frames, np.union1d(flows, flows + 1))


def test_training_positions_lie_in_their_segments():
    stacks = train_stacks(187, Sampling(positions=50), "a", 0)
    length = (186 - 5 + 1) // 3
    for segment in range(3):
        starts = stacks[segment, :, 0]
        assert starts.min() >= segment * length
        assert starts.max() < (segment + 1) * length


def test_training_positions_depend_on_clip_and_seed_alone():
    sampling = Sampling(positions=4)
    first = train_stacks(187, sampling, "a", 0)
    np.testing.assert_array_equal(first, train_stacks(187, sampling, "a", 0))
    assert (first != train_stacks(187, sampling, "b", 0)).any()
    assert (first != train_stacks(187, sampling, "a", 1)).any()
