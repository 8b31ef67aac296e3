"""Weights in .safetensors files."""

import pytest
import torch
from safetensors.torch import save_file

from twinlens import weights
from twinlens.errors import ArtifactError


def test_tensors_come_back_and_half_precision_widens(tmp_path):
    state = {
        "a.weight": torch.rand(2, 3),
        "b": torch.rand(4).bfloat16(),
        "c": torch.rand(4).half(),
        "count": torch.tensor(7),
    }
    save_file(state, tmp_path / "net.safetensors")
    found = weights.read(tmp_path / "net.safetensors")
    assert set(found) == set(state)
    for key, value in state.items():
        expected = value.float() if value.is_floating_point() else value
        assert found[key].dtype == expected.dtype
        assert torch.equal(found[key], expected)


@pytest.mark.parametrize("cut", [0, 4, 20, 150])
def test_a_file_that_is_cut_is_refused(tmp_path, cut):
    path = tmp_path / "net.safetensors"
    save_file({"a": torch.rand(64)}, path)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(ArtifactError, match=r"net\.safetensors: not readable as safe"):
        weights.read(path)


def test_a_file_without_tensors_is_refused(tmp_path):
    save_file({}, tmp_path / "net.safetensors")
    with pytest.raises(ArtifactError, match="holds no tensors"):
        weights.read(tmp_path / "net.safetensors")
