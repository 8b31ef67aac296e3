"""Sampling as TSN's eval_net does it."""

import numpy as np
import pytest

from twinlens.protocol import (
    Protocol,
    flow_stacks,
    read_flows,
    read_frames,
    rgb_frames,
    ticks,
    train_stacks,
)

TSN = Protocol()


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
    assert read_frames(2, "test", TSN, "a", 0).tolist() == [0, 1]


@pytest.mark.parametrize("frames", [2, 5, 29, 30, 33, 187, 900])
@pytest.mark.parametrize("part", ["train", "test"])
def test_everything_that_is_read_exists(frames, part):
    flows = read_flows(frames, part, TSN, "a", 0)
    found = read_frames(frames, part, TSN, "a", 0)
    assert flows.min() >= 0
    assert flows.max() <= frames - 2
    assert found.min() >= 0
    assert found.max() <= frames - 1
    assert set(flows) | set(flows + 1) <= set(found)


def test_the_published_protocol_reads_at_most_150_and_25_frames():
    assert len(read_flows(187, "test", TSN, "a", 0)) == 125
    assert len(read_frames(187, "test", TSN, "a", 0)) <= 150 + 25


def test_training_positions_lie_in_their_segments():
    stacks = train_stacks(187, Protocol(positions=50), "a", 0)
    length = (186 - 5 + 1) // 3
    for segment in range(3):
        starts = stacks[segment, :, 0]
        assert starts.min() >= segment * length
        assert starts.max() < (segment + 1) * length


def test_training_positions_depend_on_clip_and_seed_alone():
    protocol = Protocol(positions=4)
    first = train_stacks(187, protocol, "a", 0)
    np.testing.assert_array_equal(first, train_stacks(187, protocol, "a", 0))
    assert (first != train_stacks(187, protocol, "b", 0)).any()
    assert (first != train_stacks(187, protocol, "a", 1)).any()
