"""Weights in HDF5, and which are refused."""

import math

import pytest
import torch
from torch import nn

from twinlens.artifacts import reader, writer
from twinlens.errors import ArtifactError
from twinlens.networks import state as states

ABOUT = {"id": "0123456789abcdef", "inputs": {}}
SPOILT = {
    "NaN": ("0.weight", math.nan, "0.weight has values that are not finite numbers"),
    "infinity": ("0.bias", math.inf, "0.bias has values that are not finite numbers"),
    "variance": ("1.running_var", -0.5, "1.running_var has negative variances"),
}


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))


def spoilt(key, value):
    state = network().state_dict()
    state[key].view(-1)[1] = value
    return state


def store(path, state, check=True):
    with writer.create(path, "network/1", ABOUT) as file:
        group = file.create_group("state")
        if check:
            states.save(group, state)
            return
        for key, value in state.items():  # as a file of another origin would hold it
            writer.put(group, key, value.numpy())
            group[key].attrs["shape"] = value.shape


def test_a_state_comes_back_with_its_shapes(tmp_path):
    state = network().state_dict()
    store(tmp_path / "x.h5", state)
    with reader.open(tmp_path / "x.h5") as file:
        found = states.load(file["state"])
    assert found.keys() == state.keys()
    assert all(torch.equal(found[key], state[key]) for key in state)
    assert found["1.num_batches_tracked"].shape == ()


@pytest.mark.parametrize(("key", "value", "words"), SPOILT.values(), ids=SPOILT)
def test_unusable_weights_are_not_stored(tmp_path, key, value, words):
    with pytest.raises(ArtifactError, match=f"weights are not stored: {words}"):
        store(tmp_path / "x.h5", spoilt(key, value))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("key", "value", "words"), SPOILT.values(), ids=SPOILT)
def test_unusable_weights_are_not_loaded(tmp_path, key, value, words):
    store(tmp_path / "x.h5", spoilt(key, value), check=False)
    with (
        pytest.raises(ArtifactError, match=rf"x\.h5: {words}"),
        reader.open(tmp_path / "x.h5") as file,
    ):
        states.load(file["state"])


@pytest.mark.parametrize(("key", "value", "words"), SPOILT.values(), ids=SPOILT)
def test_unusable_weights_are_not_imported(key, value, words):
    with pytest.raises(ValueError, match=f"Net: {words}"):
        states.fit(network(), spoilt(key, value), "Net")


def test_what_does_not_fit_is_named_with_its_shapes():
    state = network().state_dict()
    state["0.weight"] = state["0.weight"][:2]
    state["2.weight"] = state.pop("0.bias")
    why = (
        r"Net: 3 entries do not fit: 0\.weight \(2, 3, 3, 3\) instead of"
        r" \(4, 3, 3, 3\), 2\.weight is unexpected, 0\.bias is missing"
    )
    with pytest.raises(ValueError, match=why):
        states.fit(network(), state, "Net")
