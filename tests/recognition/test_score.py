"""Scores of a shard, on a small network and small clips."""

import dataclasses
import sys
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from tests.recognition.clips import (
    SAMPLING,
    STREAMS,
    VIEWS,
    make_weights,
    sampler,
    scoring,
    shard,
)
from twinlens import recognisers
from twinlens.artifacts import reader
from twinlens.errors import ArtifactError
from twinlens.named import Package
from twinlens.networks import artifact
from twinlens.recognisers import tsn
from twinlens.recognition import stage
from twinlens.recognition.recode import recode_rgb
from twinlens.recognition.shards import recoded
from twinlens.recognition.tsn import score as scores
from twinlens.recognition.tsn.score import network_scores
from twinlens.recognition.tsn.views import (
    network_input,
)
from twinlens.recognition.tsn.views import (
    test_crops as crops_of,
)

SNIPPETS = SAMPLING["test"]["snippets"]
TEST = tsn.Sampling(**SAMPLING["test"])


def _score(folder, files, heads=STREAMS, name="scores.h5", weights=None, **changes):
    """Score a shard; its clips' arrays by head."""
    out = folder / name
    weights = weights or [make_weights(folder, head) for head in heads]
    frames, flow = ([files[each]] if files[each] else [] for each in ("frames", "flow"))
    stage.score(frames, flow, weights, scoring(heads, **changes), out)
    with reader.open(out, stage.SCORES) as file:
        return {
            clip: {key: item[:] for key, item in file.clip(clip).items()}
            for clip in file.clips
        }


def test_scores_are_kept_for_each_snippet_before_softmax(tmp_path):
    first = _score(tmp_path, shard(tmp_path, lengths=[40, 33]))["a/clip0"]
    assert first["spatial"].shape == (SNIPPETS, 3)
    assert first["temporal"].shape == (SNIPPETS, 3)
    assert np.abs(first["spatial"].sum(axis=1) - 1).max() > 1e-3


@pytest.mark.parametrize("constant", [False, True])
def test_scores_say_whether_flow_is_constant(tmp_path, constant):
    files = shard(tmp_path, lengths=[40, 33], constant_flow=constant)
    _score(tmp_path, files)
    with reader.open(tmp_path / "scores.h5", stage.SCORES) as file:
        facts = [file.clip(name).facts for name in file.clips]
    assert [bool(each["constant_flow"]) for each in facts] == [constant] * 2


def test_flow_is_constant_where_all_parts_that_hold_some_are(tmp_path):
    def part(index, constant):
        return SimpleNamespace(index=index, facts={"constant_flow": constant})

    for parts, expected in (
        ([part([0], True), part([], False)], True),
        ([part([0], True), part([1], False)], False),
        ([part([], False)], False),
    ):
        assert stage._is_constant(SimpleNamespace(parts=parts)) == expected
    assert not stage._is_constant(None)


def test_the_frames_that_are_read_give_the_scores_of_all_frames(tmp_path):
    lengths = [40, 33, 12, 3]
    few = shard(tmp_path / "few", lengths, keep="sampled")
    every = shard(tmp_path / "all", lengths, keep="all")
    some, whole = _score(tmp_path, few), _score(tmp_path, every)
    assert list(some) == list(whole)
    for clip in some:
        for stream in ("spatial", "temporal"):
            np.testing.assert_array_equal(some[clip][stream], whole[clip][stream])


def test_clips_pass_on_their_label(tmp_path):
    _score(tmp_path, shard(tmp_path, lengths=[40, 33]))
    with reader.open(tmp_path / "scores.h5") as file:
        facts = [file.clip(name).facts for name in file.clips]
        assert [each["label"] for each in facts] == [0, 1]
        assert [file.about[key] for key in ("dataset", "row")] == ["yard", "hr"]


def test_repeated_snippets_of_short_clips_score_alike(tmp_path):
    reads = sampler(snippets=25)
    files = shard(tmp_path, lengths=[8], reads=reads)
    found = _score(tmp_path, files, sampler=reads)["a/clip0"]
    assert found["temporal"].shape == (25, 3)
    assert (found["temporal"] == found["temporal"][0]).all()


def test_repeated_snippets_are_computed_once(tmp_path, monkeypatch):
    reads = sampler(snippets=25)
    files = shard(tmp_path, lengths=[8], reads=reads)
    seen = []
    monkeypatch.setattr(
        scores,
        "test_crops",
        lambda images, *more: (seen.append(len(images)), crops_of(images, *more))[1],
    )
    found = _score(tmp_path, files, ("temporal",), sampler=reads)["a/clip0"]
    assert seen == [1]
    assert len(found["temporal"]) == 25


def test_scores_are_the_network_s_own_by_hand(tmp_path):
    files = shard(tmp_path, lengths=[40])
    found = _score(tmp_path, files)["a/clip0"]["spatial"]
    network = artifact.load(make_weights(tmp_path, "spatial"), "recogniser")
    with reader.open(files["frames"]) as file:
        clip = file.clip("a/clip0")
        place = np.searchsorted(clip["index"][:], tsn.rgb_frames(40, TEST)[0])
        frame = recode_rgb(clip["frames"][place][None], VIEWS)
    views = network_input(crops_of(frame, VIEWS, False)[0], flow=False)
    with torch.inference_mode():
        by_hand = network(torch.from_numpy(views)).mean(dim=0)
    np.testing.assert_allclose(found[0], by_hand.numpy(), rtol=1e-4, atol=1e-5)


def test_stacks_hold_x_and_y_of_five_flows_in_turn(tmp_path):
    files = shard(tmp_path, lengths=[40])
    wanted = tsn.flow_stacks(40, TEST)
    with reader.open_shards([files["flow"]], "flow/1") as shards:
        clip = shards.clip("a/clip0")
        images = recoded(clip, "temporal", wanted, VIEWS)
        stored = clip.at("flow", wanted[1])
    assert images.shape == (SNIPPETS, 10, 40, 48)
    np.testing.assert_array_equal(images[1][2::2][0], stored[1, 0])
    np.testing.assert_array_equal(images[1][1::2][3], stored[3, 1])


def test_a_network_that_was_never_trained_gives_no_numbers(tmp_path):
    weights = make_weights(tmp_path, "spatial", trained=False)
    with pytest.raises(ArtifactError, match="never trained"):
        artifact.load(weights, "recogniser")


def test_scores_that_are_not_finite_are_never_stored(tmp_path):
    files = shard(tmp_path, lengths=[40])
    weights = [make_weights(tmp_path, "spatial", times=1e30)]
    words = r"spatial-True\.h5: the spatial scores of a/clip0 are not finite numbers"
    with pytest.raises(ArtifactError, match=words):
        _score(tmp_path, files, ("spatial",), weights=weights)
    assert not (tmp_path / "scores.h5").exists()


def test_flow_of_other_frames_is_refused(tmp_path):
    files = shard(tmp_path / "one", lengths=[40])
    other = shard(tmp_path / "other", lengths=[41])
    with pytest.raises(ArtifactError, match="is not that of"):
        _score(tmp_path, {**files, "flow": other["flow"]})


def test_flow_of_other_clips_is_refused(tmp_path):
    files = shard(tmp_path / "one", lengths=[40])
    with reader.open(files["frames"]) as file:
        own = file.about["id"]
    other = shard(tmp_path / "other", lengths=[40], first=1, frames_id=own)
    with pytest.raises(ArtifactError, match="is not of the clips of"):
        _score(tmp_path, {**files, "flow": other["flow"]})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"dataset": "park"}, "made for dataset 'yard', not 'park'"),
        ({"frames_of": "vdsr"}, "made for method 'hr', not 'vdsr'"),
        ({"flow_of": "vdsr"}, "made for method 'hr', not 'vdsr'"),
        ({"sampler": sampler("train")}, "made for part 'test', not 'train'"),
    ],
)
def test_clips_of_something_else_are_refused(tmp_path, change, words):
    files = shard(tmp_path, lengths=[40])
    weights = [
        make_weights(tmp_path, head, dataset=change.get("dataset", "yard"))
        for head in STREAMS
    ]
    with pytest.raises(ArtifactError, match=words):
        _score(tmp_path, files, weights=weights, **change)


def test_a_pair_has_frames_of_one_method_and_flow_of_another(tmp_path):
    one = shard(tmp_path / "one", lengths=[40], method="sosr")
    other = shard(tmp_path / "other", lengths=[40], method="tosr")
    files = {"frames": one["frames"], "flow": other["flow"]}
    of = {"row": "sosr+tosr", "frames_of": "sosr", "flow_of": "tosr"}
    assert list(_score(tmp_path, files, **of)["a/clip0"]) == list(STREAMS)
    with pytest.raises(ArtifactError, match="made for method 'tosr', not 'sosr'"):
        _score(tmp_path, files, **{**of, "flow_of": "sosr"})


def test_frames_that_are_read_but_not_stored_are_named(tmp_path):
    files = shard(tmp_path, lengths=[40])
    reads = sampler(snippets=7)
    with pytest.raises(ArtifactError, match="a/clip0 is stored without"):
        _score(tmp_path, files, sampler=reads)


def test_the_network_of_another_data_set_is_refused(tmp_path):
    weights = make_weights(tmp_path, "spatial")
    with pytest.raises(ArtifactError, match="made for dataset 'yard'"):
        artifact.load(weights, "recogniser", dataset="other")


def test_the_networks_of_the_streams_are_not_mixed_up(tmp_path):
    files = shard(tmp_path, lengths=[40])
    weights = [make_weights(tmp_path, head) for head in reversed(STREAMS)]
    with pytest.raises(ArtifactError, match="made for stream 'temporal'"):
        _score(tmp_path, files, weights=weights)


def test_a_batch_s_size_changes_nothing(tmp_path):
    network = artifact.load(make_weights(tmp_path, "temporal"), "recogniser")
    crops = np.random.default_rng(0).integers(
        0, 256, (3, 4, 10, 32, 32), dtype=np.uint8
    )
    large = network_scores(network, crops, True, batch=64)
    small = network_scores(network, crops, True, batch=5)
    np.testing.assert_allclose(large, small, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("head", "other"), [("spatial", "flow"), ("temporal", "frames")]
)
def test_one_stream_alone_is_scored_alike(tmp_path, head, other):
    files = shard(tmp_path, lengths=[40])
    both = _score(tmp_path, files)["a/clip0"]
    bare = {**files, other: None}
    alone = _score(tmp_path, bare, (head,), name="alone.h5")["a/clip0"]
    assert list(alone) == [head]
    np.testing.assert_array_equal(alone[head], both[head])


@pytest.mark.parametrize(
    ("head", "lacking"), [("spatial", "frames"), ("temporal", "flow")]
)
def test_a_head_without_what_it_reads_is_refused(tmp_path, head, lacking):
    files = {**shard(tmp_path, lengths=[40]), lacking: None}
    with pytest.raises(ArtifactError, match=f"the {head} head needs --{lacking}"):
        _score(tmp_path, files, (head,))
    with pytest.raises(ArtifactError, match=f"the {head} head needs --{lacking}"):
        _score(tmp_path, files)


JOINT = """
import numpy as np

from twinlens.recognisers import Head, Reads

HEADS = {"joint": Head(("frames", "flow"), ("both",)), "mean": Head(("frames",), ())}
SCORE = "recognisers.twin:scorer"


def read(sampling, total, part, clip, seed):
    first = np.arange(sampling["count"])
    return Reads(first, first[:, None])


def scorer(scoring, networks, dataset, threads):
    assert list(networks) == ["both"]

    def score(frames, flow, reads):
        seen = frames.at("frames", reads.frames).mean(axis=(1, 2))
        moved = flow.at("flow", reads.flows).mean(axis=(1, 3, 4))
        joint = np.concatenate([seen, moved], axis=1)
        return {"joint": scoring["times"] * joint, "mean": seen}

    return score
"""


@pytest.fixture
def twin(tmp_path, monkeypatch):
    """A recogniser that reads frames and flow together."""
    folder = tmp_path / "recognisers"
    folder.mkdir()
    (folder / "twin.py").write_text(JOINT)
    own = Package.file

    def file(self, name):
        return folder / "twin.py" if name == "twin" else own(self, name)

    monkeypatch.setattr(Package, "file", file)
    monkeypatch.setattr(recognisers, "__path__", [*recognisers.__path__, str(folder)])
    monkeypatch.setattr(stage.provenance, "code_digest", lambda *modules: modules)
    yield "twin"
    sys.modules.pop("twinlens.recognisers.twin", None)
    with suppress(AttributeError):
        del recognisers.twin


def test_a_head_may_read_frames_and_flow_together(tmp_path, twin):
    files = shard(tmp_path, lengths=[40, 33], keep="all")
    reads = dataclasses.replace(sampler(), kind=twin, sampling={"count": 4})
    changes = {"sampler": reads, "scoring": {"times": 2}, "networks": ("both",)}
    weights = [make_weights(tmp_path, "spatial")]
    found = _score(tmp_path, files, ("joint",), weights=weights, **changes)
    assert {clip: list(heads) for clip, heads in found.items()} == {
        "a/clip0": ["joint"],
        "a/clip1": ["joint"],
    }
    with reader.open(files["flow"]) as file:
        moved = file.clip("a/clip1")["flow"][:4].mean(axis=(2, 3))
    np.testing.assert_allclose(found["a/clip1"]["joint"][:, 3:], 2 * moved, rtol=1e-6)
    assert recognisers.reads_jointly(twin)


def opened(**inputs):
    """Shards as far as the check of flow looks at them: ids by path, or inputs."""
    files = [
        SimpleNamespace(path=path, about=about)
        for path, about in ((Path(f"{name}.h5"), each) for name, each in inputs.items())
    ]
    return SimpleNamespace(files=files, clips=["a/clip0"], about=files[0].about)


@pytest.mark.parametrize(
    ("of_second", "fits"),
    [
        ({"a.h5": "1", "b.h5": "2"}, True),
        ({"a.h5": "1", "b.h5": "old"}, False),
        ({"a.h5": "old", "b.h5": "2"}, False),
        ({"b.h5": "2"}, False),
    ],
)
def test_flow_of_two_shards_is_that_of_the_present_frames(of_second, fits):
    images = opened(a={"id": "1"}, b={"id": "2"})
    flows = opened(first={"inputs": {"a.h5": "1"}}, second={"inputs": of_second})
    job = SimpleNamespace(frames_of="vdsr", flow_of="vdsr")
    if fits:
        stage._check_same_frames(job, images, flows)
        return
    with pytest.raises(ArtifactError, match=r"second\.h5: its flow is not that of a"):
        stage._check_same_frames(job, images, flows)
