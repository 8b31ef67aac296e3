"""Which frames and flows ST-ResNet reads, beside numbers worked out by hand."""

import math
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

from twinlens.recognisers import st_resnet
from twinlens.recognisers.st_resnet import Clips

TEST = {"frames": 25, "stack": 10}
TRAIN = {
    "stage1": {"frames": 5, "strides": (5, 15), "positions": 2},
    "stage2": {"frames": 11, "strides": (1, 15), "positions": 1},
    "stack": 10,
}


def read(total, part="test", sampling=None, clip="a/1", seed=3):
    given = sampling or (TEST if part == "test" else TRAIN)
    return st_resnet.read(given, total, part, clip, seed)


def test_a_test_clip_gives_25_frames_between_those_with_a_whole_stack():
    # Counted from 1, frames 6 to 95 of 100: 6 + 89 k / 24, rounded half up.
    from_one = [6, 10, 13, 17, 21, 25, 28, 32, 36, 39, 43, 47, 51]
    from_one += [54, 58, 62, 65, 69, 73, 76, 80, 84, 88, 91, 95]
    assert read(100).frames.tolist() == [each - 1 for each in from_one]


def test_a_stack_goes_from_five_flows_before_a_frame_to_four_after():
    reads = read(100)
    assert reads.flows[0].tolist() == list(range(10))
    assert reads.flows[-1].tolist() == list(range(89, 99))
    # The last flow of the last stack ends in the last frame.
    assert reads.flows.max() + 1 == 99


@pytest.mark.parametrize("total", [2, 3, 9, 11, 12, 30])
def test_short_clips_repeat_frames_and_flows_in_order(total):
    reads = read(total)
    assert reads.frames.shape == (25,)
    assert reads.flows.shape == (25, 10)
    assert (np.diff(reads.frames) >= 0).all()
    assert 0 <= reads.frames.min() <= reads.frames.max() < total
    assert 0 <= reads.flows.min() <= reads.flows.max() < total - 1


def test_snippets_keep_their_stride_and_lie_within_whole_stacks():
    for clip in map(str, range(50)):
        found = st_resnet.snippets(200, Clips(**TRAIN["stage2"]), 10, clip, 0)
        steps = np.unique(np.diff(found[0]))
        assert found.shape == (1, 11)
        assert len(steps) == 1
        assert 1 <= steps[0] <= 15
        assert found.min() >= 5
        assert found.max() <= 194


def test_a_snippet_that_is_too_long_is_spaced_over_the_clip():
    clips = Clips(frames=5, strides=(15, 15))
    found = st_resnet.snippets(30, clips, 10, "a", 0)
    assert found.tolist() == [[5, 10, 15, 19, 24]]  # 5 + 19 k / 4, halves up


def test_training_stores_what_its_snippets_read():
    reads = read(120, "train")
    for name in ("stage1", "stage2"):
        clips = Clips(**TRAIN[name])
        kept = st_resnet.snippets(120, clips, 10, "a/1", 3)
        assert np.isin(kept, reads.frames).all()
        assert np.isin(st_resnet.stacks(kept, 120, 10), reads.flows).all()


def test_stages_of_equal_settings_share_their_snippets():
    same = {**TRAIN, "stage1": TRAIN["stage2"]}
    assert len(read(150, "train", same).frames) == 11


def settings(**changes):
    recipe = {"steps": 1, "lr": 0.1}
    return st_resnet.Settings(
        kind="st_resnet",
        label="ST-ResNet",
        training=dict.fromkeys(st_resnet.STAGES, recipe),
        **changes,
    )


def test_networks_are_trained_in_the_published_order():
    found = st_resnet.networks(settings(), "st", "yard", 0)
    assert {name: each.starts for name, each in found.items()} == {
        "stage2": ("stage1",),
        "stage1": ("appearance", "motion"),
        "appearance": (),
        "motion": (),
    }
    assert found["stage1"].inputs == ("frames", "flow")
    assert found["motion"].inputs == ("flow",)


def test_published_weights_make_what_leads_to_them_needless():
    def names(init=None, **weights):
        entry = settings(init=init, weights={"yard": weights})
        return list(st_resnet.networks(entry, "st", "yard", 0))

    assert names(stage2="a.mat") == ["stage2"]
    assert names(stage1="a.mat", init="i.mat") == ["stage2", "stage1"]
    assert names(init="i.mat") == ["stage2", "stage1", "appearance", "motion", "images"]
    assert names(appearance="a.mat") == ["stage2", "stage1", "appearance", "motion"]


def test_test_sampling_is_no_setting_of_training_and_the_other_way_round():
    assert set(st_resnet.sampling(settings(), "test")) == {"frames", "stack"}
    assert "frames" not in st_resnet.sampling(settings(), "train")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"size": {"blocks": (1, 2, 2, 2)}}, "size.blocks"),
        ({"views": {"sides": (448, 224)}}, "views.sides: 448 is larger than 224"),
        ({"views": {"scales": (1.25, 0.75)}}, "views.scales: 1.25 is larger than 0.75"),
        ({"size": {"blocks": (2, 2, 30, 2)}}, "no more than 26"),
        ({"weights": {"yrad": None}}, "unknown key 'yrad'; did you mean 'yard'"),
        (
            {"sampling": {"stage1": {"frames": 5, "strides": (9, 2)}}},
            "sampling.stage1.strides: 9 is larger than 2",
        ),
    ],
)
def test_settings_that_cannot_be_meant_are_faults(changes, said):
    lines = list(st_resnet.faults(settings(**changes), {"yard": None}, {}))
    assert len(lines) == 1
    assert said in lines[0]


def yard(**changes):
    """A data set of the tables, as the plan gives it."""
    facts = {"low": "made", "generated": True, "split": 1, "split_file": None}
    facts["kind"] = "ucf101"
    return SimpleNamespace(**{**facts, **changes})


@pytest.mark.parametrize(
    ("weights", "split", "said"),
    [
        (
            {"stage2": "final.mat", "split": 1},
            2,
            "weights.yard.split: networks that were trained on split 1 saw clips that",
        ),
        (
            {"stage1": "one.mat", "stage2": "two.mat"},
            1,
            "weights.yard: stage2 makes stage1 needless; to start from there, set",
        ),
    ],
)
def test_weights_that_cannot_be_meant_are_faults(weights, split, said):
    chosen = {"yard": yard(split=split)}
    (line,) = st_resnet.faults(settings(weights={"yard": weights}), chosen, chosen)
    assert line.startswith(said)


@pytest.mark.parametrize("stack", [2, 10])
def test_frames_are_evenly_spaced_in_clips_of_any_length(stack):
    for total in range(2, 500):
        first, last = st_resnet._ends(total, stack)
        exact = [first + Fraction((last - first) * k, 24) for k in range(25)]
        expected = [math.floor(each + Fraction(1, 2)) for each in exact]
        assert st_resnet.test_frames(total, 25, stack).tolist() == expected
