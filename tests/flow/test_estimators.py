"""Estimators of motion by name, and the stages that run them."""

import subprocess
import sys
from dataclasses import replace
from typing import get_args, get_type_hints

import numpy as np
import pytest
import torch
from pydantic import TypeAdapter

from tests.patches.clips import moving
from tests.recognisers.samplers import sampler
from twinlens import provenance
from twinlens.artifacts import reader
from twinlens.artifacts.shard import Shard
from twinlens.errors import ArtifactError
from twinlens.flow import estimators, tvl1
from twinlens.flow.encoding import encode
from twinlens.flow.flownet2.cascade import build, estimate
from twinlens.flow.frames import grays, resized
from twinlens.flow.motion import motion
from twinlens.flow.settings import FlowJob, MotionJob
from twinlens.flow.stage import flow
from twinlens.networks import artifact
from twinlens.recognisers import FlowForm

TVL1 = {"kind": "tvl1", "preset": "fast"}
FLOWNET2 = {"kind": "flownet2", "width": 1 / 16}
DIS = {"kind": "dis"}
MOTION = MotionJob(
    dataset="made",
    flow="any",
    estimator=TVL1,
    pairs=3,
    gap=2,
    sampler=None,
    seed=0,
)
FLOW = FlowJob(
    dataset="made",
    method="hr",
    sampler=sampler(),
    form=FlowForm(flow="any"),
    estimator=TVL1,
)


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """An artifact of a narrow FlowNet2 with fixed random weights."""
    torch.manual_seed(2)
    path = tmp_path_factory.mktemp("flow") / "f.h5"
    settings = {"width": 1 / 16}
    about = provenance.about(
        "made",
        [],
        {},
        family="flow",
        network="f",
        kind="flownet2",
        settings=settings,
        trained=True,
    )
    artifact.save(path, about, build(**settings).state_dict())
    return path


def _shard(path, part="corpus", index=None):
    """One clip of frames that run to the right, or some of them."""
    video, _ = moving(0)
    index = np.arange(16) if index is None else index
    facts = {"method": "hr", "dataset": "made", "part": part}
    about = provenance.about("made", [], {}, **facts)
    with Shard(path, "frames/1", about, ["c/a"]) as shard:
        arrays = {"frames": video[index], "index": index}
        shard.write("c/a", arrays, frames=16, label=1)
    return path


@pytest.fixture
def corpus(tmp_path):
    return _shard(tmp_path / "hr.h5")


def _forward(path):
    with reader.open(path, "motion/1") as file:
        clip = file.clip("c/a")
        return clip["index"][:], clip["forward"][:], file.about


# --- the contract ---------------------------------------------------------------------


def test_estimators_are_found_by_their_files():
    assert {"dis", "flownet2", "tvl1"} <= set(estimators.names())


@pytest.mark.parametrize("kind", estimators.names())
def test_an_estimator_has_settings_of_its_kind_and_a_label(kind):
    found = estimators.module(kind)
    assert get_args(get_type_hints(found.Settings)["kind"]) == (kind,)
    settings = TypeAdapter(found.Settings).validate_python({"kind": kind})
    assert settings.label
    assert TypeAdapter(found.Settings).validate_python(
        {"kind": kind, "label": "Mine"}
    ) == replace(settings, label="Mine")
    with pytest.raises(ValueError, match="lable"):
        TypeAdapter(found.Settings).validate_python({"kind": kind, "lable": "Mine"})
    assert callable(found.load)


@pytest.mark.parametrize("kind", estimators.names())
def test_an_estimator_that_needs_a_network_takes_published_weights(kind):
    found = estimators.module(kind)
    needs = estimators.needs_network({"kind": kind})
    assert needs == hasattr(found, "NETWORK") == (kind == "flownet2")
    assert needs == ("weights" in get_type_hints(found.Settings))


@pytest.mark.parametrize("kind", estimators.names())
def test_importing_an_estimator_loads_neither_pytorch_nor_opencv(kind):
    name = estimators.module(kind).__name__
    code = f"import sys, {name}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert name in loaded
    assert not loaded & {"torch", "cv2", "numba"}


# --- the stages -----------------------------------------------------------------------


@pytest.mark.parametrize("size", [None, (32, 24)])
def test_grays_are_those_of_resized_frames(size):
    import cv2

    video, _ = moving(0)
    found = grays(resized(video[:3], size))
    for gray, frame in zip(found, video, strict=False):
        if size:
            frame = cv2.resize(frame, size, interpolation=cv2.INTER_LINEAR)
        np.testing.assert_array_equal(gray, cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY))
    assert grays(resized(video[:0], size)).shape[0] == 0


def test_tv_l1_sees_the_grey_of_frames(corpus, tmp_path):
    motion([corpus], MOTION, tmp_path / "m.h5")
    index, forward, _ = _forward(tmp_path / "m.h5")
    video, _ = moving(0)
    shades = grays(video)
    wanted = tvl1(shades[index], shades[index + 2], "fast")
    assert np.array_equal(forward, wanted.astype(np.float16))


@pytest.mark.slow
def test_flownet2_sees_their_colours(corpus, network, tmp_path):
    for name in ("a.h5", "b.h5"):
        job = replace(MOTION, estimator=FLOWNET2)
        motion([corpus], job, tmp_path / name, network)
    index, forward, about = _forward(tmp_path / "a.h5")
    assert np.array_equal(forward, _forward(tmp_path / "b.h5")[1])
    video, _ = moving(0)
    loaded = artifact.load(network, "flow")
    wanted = estimate(loaded, video[index], video[index + 2])
    assert np.array_equal(forward, wanted.astype(np.float16))
    assert reader.file_id(network) in about["inputs"].values()


def test_flow_is_stored_as_the_recogniser_reads_it(tmp_path):
    frames = _shard(tmp_path / "hr.h5", "test")
    form = FlowForm(flow="any", bound=5.0, size=(48, 40))
    flow([frames], replace(FLOW, form=form), tmp_path / "flow.h5")
    video, _ = moving(0)
    index = np.unique(sampler().reads(16, "c/a").flows)
    shades = grays(resized(video, (48, 40)))
    wanted = encode(tvl1(shades[index], shades[index + 1], "fast"), 5.0)
    with reader.open(tmp_path / "flow.h5", "flow/1") as file:
        clip = file.clip("c/a")
        assert clip.index.tolist() == index.tolist()
        np.testing.assert_array_equal(clip["flow"][:], wanted)
        assert clip.facts == {"frames": 16, "label": 1, "constant_flow": False}


def test_flow_of_a_still_clip_is_marked(tmp_path, monkeypatch):
    still = np.repeat(moving(0)[0][:1], 16, axis=0)
    monkeypatch.setattr(f"{__name__}.moving", lambda _: (still, None))
    flow([_shard(tmp_path / "hr.h5", "test")], FLOW, tmp_path / "flow.h5")
    with reader.open(tmp_path / "flow.h5", "flow/1") as file:
        assert file.clip("c/a").facts["constant_flow"]


@pytest.mark.parametrize("entry", [TVL1, DIS], ids=["tvl1", "dis"])
def test_flow_of_two_shards_is_that_of_one(tmp_path, entry):
    job, every = replace(FLOW, estimator=entry), sampler().frames(16, "c/a")
    parts = [
        _shard(tmp_path / f"{start}.h5", "test", every[start::2]) for start in (0, 1)
    ]
    whole = _shard(tmp_path / "hr.h5", "test")
    one = _flow([whole], job, tmp_path / "one.h5")
    two = _flow(parts, job, tmp_path / "two.h5")
    np.testing.assert_array_equal(one, two)
    assert len(one)


@pytest.mark.parametrize("entry", [TVL1, DIS], ids=["tvl1", "dis"])
def test_what_another_recogniser_stores_is_not_computed_again(tmp_path, entry):
    frames = _shard(tmp_path / "hr.h5", "test")
    first = replace(FLOW, estimator=entry)
    own = sampler(snippets=5, stack=3)
    alone = replace(first, sampler=own)
    rest = replace(alone, excluded=(first.sampler,))
    for name, job in (("first", first), ("alone", alone), ("rest", rest)):
        flow([frames], job, tmp_path / f"{name}.h5")
    index = own.flows(16, "c/a")
    with reader.open_shards([tmp_path / "alone.h5"], "flow/1") as shards:
        wanted = shards.clip("c/a").at("flow", index)
    files = [tmp_path / "first.h5", tmp_path / "rest.h5"]
    with reader.open_shards(files, "flow/1") as shards:
        clip = shards.clip("c/a")
        np.testing.assert_array_equal(clip.at("flow", index), wanted)
        stored = [part.index.tolist() for part in clip.parts]
    assert not set(stored[0]) & set(stored[1])
    assert stored[1]


@pytest.mark.parametrize("kind", estimators.names())
def test_a_clip_whose_flow_is_all_stored_elsewhere_has_none(tmp_path, kind, request):
    entry = {"tvl1": TVL1, "dis": DIS, "flownet2": FLOWNET2}[kind]
    network = request.getfixturevalue("network") if kind == "flownet2" else None
    frames = _shard(tmp_path / "hr.h5", "test")
    job = replace(FLOW, estimator=entry, excluded=(FLOW.sampler,))
    flow([frames], job, tmp_path / "flow.h5", network)
    with reader.open(tmp_path / "flow.h5", "flow/1") as file:
        clip = file.clip("c/a")
        assert clip["flow"].shape[:2] == (0, 2)
        assert len(clip.index) == 0


def _flow(frames, job, out):
    flow(frames, job, out)
    with reader.open(out, "flow/1") as file:
        return file.clip("c/a")["flow"][:]


def test_a_frame_that_flow_needs_is_named(tmp_path):
    every = sampler(inputs=["flow"]).frames(16, "c/a")
    frames = _shard(tmp_path / "hr.h5", "test", every[:-1])
    with pytest.raises(ArtifactError, match=f"c/a is stored without {every[-1]} "):
        flow([frames], FLOW, tmp_path / "flow.h5")


def test_flownet2_without_a_network_is_refused(corpus, tmp_path):
    job = replace(MOTION, estimator=FLOWNET2)
    with pytest.raises(ArtifactError, match="flownet2 needs --network"):
        motion([corpus], job, tmp_path / "m.h5")


def test_an_unknown_estimator_lists_those_there_are():
    with pytest.raises(ArtifactError, match="there are: dis, flownet2, tvl1"):
        estimators.load({"kind": "farneback"})


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_flow_that_is_not_finite_is_refused(monkeypatch, value):
    def broken(settings, network, threads):
        return lambda first, second: np.full((len(first), 2, 4, 4), value, np.float32)

    monkeypatch.setattr("twinlens.flow.estimators.tvl1.load", broken)
    frames = np.zeros((1, 4, 4, 3), np.uint8)
    with pytest.raises(ArtifactError, match="tvl1 gives flow with values that are not"):
        estimators.load(TVL1)(frames, frames)
