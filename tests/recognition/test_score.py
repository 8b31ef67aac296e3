"""Scores of a shard, on a small network and made-up clips."""

import numpy as np
import pytest
import torch

from tests.recognition.clips import PROTOCOL, VIEWS, make_weights, shard
from twinlens.artifacts import reader
from twinlens.errors import ArtifactError
from twinlens.protocol import Protocol, flow_stacks, rgb_frames
from twinlens.recognition import networks
from twinlens.recognition.score import network_scores, score
from twinlens.recognition.shards import Snippets
from twinlens.recognition.views import (
    network_input,
    recode_rgb,
)
from twinlens.recognition.views import (
    test_crops as crops_of,
)


def _score(folder, files, protocol=PROTOCOL, name="scores.h5", streams=None):
    out = folder / name
    streams = streams or {
        "flow": files["flow"],
        "spatial": make_weights(folder, "spatial"),
        "temporal": make_weights(folder, "temporal"),
    }
    score(
        files["frames"],
        files["report"],
        "made",
        "hr",
        protocol,
        VIEWS,
        out,
        **streams,
    )
    with reader.open(out) as file:
        return {
            clip: {key: item[:] for key, item in file.clip(clip).items()}
            for clip in file.clips
        }


def test_scores_are_kept_for_each_snippet_before_softmax(tmp_path):
    made = _score(tmp_path, shard(tmp_path, lengths=[40, 33]))
    first = made["a/clip0"]
    assert first["spatial"].shape == (PROTOCOL.snippets, 3)
    assert first["temporal"].shape == (PROTOCOL.snippets, 3)
    assert np.abs(first["spatial"].sum(axis=1) - 1).max() > 1e-3


def test_the_frames_that_are_read_give_the_scores_of_all_frames(tmp_path):
    lengths = [40, 33, 12, 3]
    few = shard(tmp_path / "few", lengths, keep="protocol")
    every = shard(tmp_path / "all", lengths, keep="all")
    some, whole = _score(tmp_path, few), _score(tmp_path, every)
    assert list(some) == list(whole)
    for clip in some:
        for stream in ("spatial", "temporal"):
            np.testing.assert_array_equal(some[clip][stream], whole[clip][stream])


def test_repeated_snippets_of_short_clips_score_alike(tmp_path):
    protocol = Protocol(snippets=25)
    files = shard(tmp_path, lengths=[8], protocol=protocol)
    made = _score(tmp_path, files, protocol)["a/clip0"]
    assert made["temporal"].shape == (25, 3)
    assert (made["temporal"] == made["temporal"][0]).all()


def test_repeated_snippets_are_computed_once(tmp_path):
    protocol = Protocol(snippets=25)
    files = shard(tmp_path, lengths=[8], protocol=protocol)
    with Snippets(
        [files["flow"]], [files["report"]], "temporal", protocol, VIEWS
    ) as snippets:
        images, place = snippets.test("a/clip0", 8)
    assert len(images) == 1
    assert len(place) == 25


def test_scores_are_the_network_s_own_by_hand(tmp_path):
    files = shard(tmp_path, lengths=[40])
    made = _score(tmp_path, files)["a/clip0"]["spatial"]
    network = networks.load(make_weights(tmp_path, "spatial"), torch.device("cpu"))
    with reader.open(files["frames"]) as file:
        clip = file.clip("a/clip0")
        place = np.searchsorted(clip["index"][:], rgb_frames(40, PROTOCOL)[0])
        frame = recode_rgb(clip["frames"][place][None], VIEWS)
    views = network_input(crops_of(frame, VIEWS, False)[0], flow=False)
    with torch.inference_mode():
        by_hand = network(torch.from_numpy(views)).mean(dim=0)
    np.testing.assert_allclose(made[0], by_hand.numpy(), rtol=1e-4, atol=1e-5)


def test_stacks_hold_x_and_y_of_five_flows_in_turn(tmp_path):
    files = shard(tmp_path, lengths=[40])
    with (
        Snippets(
            [files["flow"]], [files["report"]], "temporal", PROTOCOL, VIEWS
        ) as snippets,
        reader.open(files["flow"]) as file,
    ):
        images, place = snippets.test("a/clip0", 40)
        clip = file.clip("a/clip0")
        rows = np.searchsorted(clip["index"][:], flow_stacks(40, PROTOCOL)[1])
        stored = clip["flow"][:][rows]
    np.testing.assert_array_equal(images[place[1]][2::2][0], stored[1, 0])
    np.testing.assert_array_equal(images[place[1]][1::2][3], stored[3, 1])


def test_a_network_that_was_never_trained_gives_no_numbers(tmp_path):
    weights = make_weights(tmp_path, "spatial", trained=False)
    with pytest.raises(ArtifactError, match="never trained"):
        networks.load(weights, torch.device("cpu"))


def test_scores_that_are_not_finite_are_never_stored(tmp_path):
    files = shard(tmp_path, lengths=[40])
    streams = {"spatial": make_weights(tmp_path, "spatial", times=1e30)}
    words = r"spatial-True\.h5: its scores of a/clip0 are not finite numbers"
    with pytest.raises(ArtifactError, match=words):
        _score(tmp_path, files, streams=streams)
    assert not (tmp_path / "scores.h5").exists()


def test_flow_of_other_frames_is_refused(tmp_path):
    files = shard(tmp_path / "one", lengths=[40])
    other = shard(tmp_path / "other", lengths=[41])
    with pytest.raises(ArtifactError, match="is not that of"):
        _score(tmp_path, {**files, "flow": other["flow"]})


def test_the_network_of_another_data_set_is_refused(tmp_path):
    weights = make_weights(tmp_path, "spatial")
    with pytest.raises(ArtifactError, match="made for dataset 'made'"):
        networks.load(weights, torch.device("cpu"), dataset="other")


def test_a_batch_s_size_changes_nothing(tmp_path):
    network = networks.load(make_weights(tmp_path, "temporal"), torch.device("cpu"))
    crops = np.random.default_rng(0).integers(
        0, 256, (3, 4, 10, 32, 32), dtype=np.uint8
    )
    large = network_scores(network, crops, True, torch.device("cpu"), batch=64)
    small = network_scores(network, crops, True, torch.device("cpu"), batch=5)
    np.testing.assert_allclose(large, small, rtol=1e-4, atol=1e-4)


def test_one_stream_alone_is_scored_alike(tmp_path):
    files = shard(tmp_path, lengths=[40])
    both = _score(tmp_path, files)["a/clip0"]
    streams = {"spatial": make_weights(tmp_path, "spatial")}
    alone = _score(tmp_path, files, name="alone.h5", streams=streams)["a/clip0"]
    assert list(alone) == ["spatial"]
    np.testing.assert_array_equal(alone["spatial"], both["spatial"])


def test_a_temporal_network_without_flow_is_refused(tmp_path):
    files = shard(tmp_path, lengths=[40])
    streams = {"temporal": make_weights(tmp_path, "temporal")}
    with pytest.raises(ArtifactError, match="--temporal and --flow"):
        _score(tmp_path, files, streams=streams)
