"""RRDB: its size, and the names that its published files use."""

import pytest
import torch

from twinlens import models, weights
from twinlens.models import rrdb

NARROW = {"width": 4, "blocks": 2, "growth": 2}
OLD = {"first": "model.0", "trunk": "model.1.sub.2", "up1": "model.3", "up2": "model.6"}
OLD |= {"high": "model.8", "last": "model.10"}
ESRGAN = {"first": "conv_first", "trunk": "trunk_conv", "up1": "upconv1"}
ESRGAN |= {"up2": "upconv2", "high": "HRconv", "last": "conv_last"}
BASICSR = {"first": "conv_first", "trunk": "conv_body", "up1": "conv_up1"}
BASICSR |= {"up2": "conv_up2", "high": "conv_hr", "last": "conv_last"}


def test_it_has_the_published_number_of_parameters():
    network = models.build("rrdb")
    assert sum(each.numel() for each in network.parameters()) == 16_697_987


@pytest.mark.parametrize(
    ("outer", "inner"),
    [
        (OLD, "model.1.sub.{}.RDB{}.conv{}.0"),
        (ESRGAN, "RRDB_trunk.{}.RDB{}.conv{}"),
        (BASICSR, "body.{}.rdb{}.conv{}"),
    ],
)
def test_files_of_three_generations_give_the_same_pictures(tmp_path, outer, inner):
    network, stored = models.build("rrdb", **NARROW), {}
    for key, value in network.state_dict().items():
        layer, _, part = key.rpartition(".")
        if layer not in outer:
            _, block, dense, _, conv = layer.split(".")
            name = inner.format(block, int(dense) + 1, int(conv) + 1)
        else:
            name = outer[layer]
        stored[f"{name}.{part}"] = value
    torch.save(stored, tmp_path / "5000_G.pth")
    made = models.build("rrdb", **NARROW)
    made.load_state_dict(rrdb.convert(weights.read(tmp_path / "5000_G.pth")))
    low = torch.rand(1, 1, 3, 5, 6)
    with torch.inference_mode():
        torch.testing.assert_close(made(low), network(low))


def test_it_can_begin_at_the_interpolation():
    from twinlens.resample.tensors import upscale

    network = models.build("rrdb", **NARROW, bicubic=True)
    torch.nn.init.zeros_(network.last.weight)
    low = torch.rand(1, 1, 3, 5, 6)
    with torch.inference_mode():
        torch.testing.assert_close(network(low), upscale(low[:, 0]))


def test_another_network_s_file_is_refused():
    with pytest.raises(ValueError, match=r"no RRDB in it, but input\.weight"):
        rrdb.convert({"input.weight": torch.zeros(1)})


def test_a_layer_that_it_has_not_is_kept_for_loading_to_tell():
    found = {"conv_first.weight": torch.ones(1), "attention.weight": torch.ones(1)}
    assert set(rrdb.convert(found)) == {"first.weight", "attention.weight"}
