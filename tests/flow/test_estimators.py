"""Estimators of motion by name, and the stage that runs them."""

import numpy as np
import pytest
import torch

from tests.patches.clips import moving
from twinlens import provenance
from twinlens.artifacts import reader
from twinlens.artifacts.shard import Shard
from twinlens.errors import ArtifactError
from twinlens.flow import estimators, flownet2, tvl1
from twinlens.flow.gray import gray
from twinlens.flow.motion import motion
from twinlens.protocol import Protocol
from twinlens.training import networks

PROTOCOL = Protocol(snippets=3, stack=2, segments=1, positions=1)


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """An artifact of a narrow FlowNet2 with fixed random weights."""
    torch.manual_seed(2)
    path = tmp_path_factory.mktemp("flow") / "f.h5"
    about = provenance.about("made", [], {}, width=1 / 16, trained=True)
    networks.save(path, flownet2.FLOWNET2, about, flownet2.build(1 / 16))
    return path


@pytest.fixture
def corpus(tmp_path):
    """One corpus clip of frames that run to the right."""
    video, _ = moving(0)
    facts = {"method": "hr", "dataset": "made", "part": "corpus"}
    about = provenance.about("made", [], {}, **facts)
    with Shard(tmp_path / "hr.h5", "frames/1", about, ["c/a"]) as shard:
        shard.write("c/a", {"frames": video, "index": np.arange(16)}, frames=16)
    return tmp_path / "hr.h5"


def _forward(path):
    with reader.open(path, "motion/1") as file:
        clip = file.clip("c/a")
        return clip["index"][:], clip["forward"][:], file.about


def test_tv_l1_sees_the_grey_of_frames(corpus, tmp_path):
    motion(corpus, tmp_path / "m.h5", PROTOCOL, pairs=3, gap=2)
    index, forward, _ = _forward(tmp_path / "m.h5")
    video, _ = moving(0)
    shades = np.stack([gray(frame) for frame in video])
    wanted = tvl1(shades[index], shades[index + 2], "fast")
    assert np.array_equal(forward, wanted.astype(np.float16))


@pytest.mark.slow
def test_flownet2_sees_their_colours(corpus, network, tmp_path):
    options = {"pairs": 3, "gap": 2, "estimator": "flownet2", "network": network}
    for name in ("a.h5", "b.h5"):
        motion(corpus, tmp_path / name, PROTOCOL, **options)
    index, forward, about = _forward(tmp_path / "a.h5")
    assert np.array_equal(forward, _forward(tmp_path / "b.h5")[1])
    video, _ = moving(0)
    loaded = flownet2.load(network)
    wanted = flownet2.estimate(loaded, video[index], video[index + 2])
    assert np.array_equal(forward, wanted.astype(np.float16))
    assert reader.file_id(network) in about["inputs"].values()


def test_flownet2_without_a_network_is_refused(corpus, tmp_path):
    with pytest.raises(ArtifactError, match="flownet2 needs --network"):
        motion(corpus, tmp_path / "m.h5", PROTOCOL, estimator="flownet2")


def test_an_unknown_estimator_lists_those_there_are():
    with pytest.raises(ArtifactError, match="there are: flownet2, tvl1"):
        estimators.load("farneback")


def test_a_network_that_was_never_trained_is_refused(tmp_path):
    about = provenance.about("made", [], {}, width=1 / 16, trained=False)
    networks.save(tmp_path / "f.h5", flownet2.FLOWNET2, about, flownet2.build(1 / 16))
    with pytest.raises(ArtifactError, match=r"f\.h5: this network was never"):
        flownet2.load(tmp_path / "f.h5")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_flow_that_is_not_finite_is_refused(monkeypatch, value):
    def broken(network, preset, threads):
        return lambda first, second: np.full((len(first), 2, 4, 4), value, np.float32)

    monkeypatch.setattr("twinlens.flow.estimators.tvl1.load", broken)
    frames = np.zeros((1, 4, 4, 3), np.uint8)
    with pytest.raises(ArtifactError, match="tvl1 gives flow with values that are not"):
        estimators.load("tvl1")(frames, frames)
