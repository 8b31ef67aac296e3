"""VSR-DUF: its sizes, its layers against plain ones, its published files."""

import h5py
import numpy as np
import pytest
import torch
from torch.nn import functional

from twinlens import models, weights
from twinlens.models import duf

NARROW = {"depth": 12, "width": 6, "growth": 3, "head": 8}


def _network(seed=0, **settings):
    """A network whose statistics are not those that it begins with."""
    torch.manual_seed(seed)
    network = models.build("duf", **{**NARROW, **settings})
    for name, buffer in network.named_buffers():
        if "running" in name:
            buffer.copy_(torch.rand_like(buffer) + 0.5)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
    return network.eval()


@pytest.mark.parametrize(
    ("depth", "learnt", "statistics"),
    [(16, 1_900_640, 3_968), (28, 2_118_432, 7_808), (52, 5_821_952, 24_704)],
)
def test_it_has_the_published_numbers_of_parameters(depth, learnt, statistics):
    network = models.build("duf", depth=depth)
    assert sum(each.numel() for each in network.parameters()) == learnt
    kept = [buffer for key, buffer in network.named_buffers() if "running" in key]
    assert sum(each.numel() for each in kept) == statistics


@pytest.mark.parametrize("depth", [8, 17])
def test_other_depths_are_refused(depth):
    with pytest.raises(ValueError, match="even, and 10 or more"):
        models.build("duf", depth=depth)


@pytest.mark.parametrize("shrinks", [False, True])
def test_its_convolution_is_that_of_three_dimensions(shrinks):
    torch.manual_seed(0)
    conv = duf.Conv(5, 4, shrinks=shrinks)
    torch.nn.init.normal_(conv.weight)
    torch.nn.init.normal_(conv.bias)
    frames = torch.rand(2, 5, 7, 6, 8)
    padding = (0 if shrinks else 1, 1, 1)
    true = functional.conv3d(frames, conv.weight, conv.bias, padding=padding)
    made = conv(frames.transpose(1, 2).flatten(0, 1), 7)
    made = made.unflatten(0, (2, -1)).transpose(1, 2)
    torch.testing.assert_close(made, true, atol=1e-4, rtol=1e-4)


def test_filters_are_those_of_a_plain_loop():
    torch.manual_seed(0)
    frame, filters = torch.rand(1, 3, 4, 5), torch.randn(1, 25 * 16, 4, 5)
    made = duf.filtered(frame, filters)
    padded = functional.pad(frame, (2, 2, 2, 2))
    shares = filters.reshape(25, 16, 4, 5).softmax(0)
    for colour, place, y, x in ((0, 0, 0, 0), (2, 7, 3, 4), (1, 15, 2, 1)):
        near = padded[0, colour, y : y + 5, x : x + 5].flatten()
        true = (near * shares[:, place, y, x]).sum()
        assert float(made[0, colour * 16 + place, y, x]) == pytest.approx(float(true))


def test_the_first_step_s_statistics_count_fully_and_later_ones_by_their_share():
    norm = duf.Norm(1, share=0.25).train()
    seen = [torch.full((2, 1, 1, 2), value) for value in (4.0, 8.0, 1.0)]
    for each in seen:
        norm(each)
    weights_of = [0.25 * 0.75**2, 0.25 * 0.75, 0.25]
    true = sum(w * v for w, v in zip(weights_of, (4.0, 8.0, 1.0), strict=True))
    assert float(norm.running_mean) == pytest.approx(true / sum(weights_of))


def test_only_the_middle_frame_is_filtered():
    network = _network()
    with torch.no_grad():
        for layer in (network.residual2, network.filter2):
            layer.weight.zero_()
            layer.bias.zero_()
    low = torch.rand(1, 7, 3, 5, 6)
    other = low.clone()
    other[:, [0, 1, 2, 4, 5, 6]] = 0
    with torch.inference_mode():
        torch.testing.assert_close(network(low), network(other))


def test_it_can_begin_at_bilinear_interpolation():
    network = models.build("duf", **NARROW, bilinear=True).eval()
    low = torch.rand(1, 7, 3, 6, 7)
    true = functional.interpolate(low[:, 3], scale_factor=4, mode="bilinear")
    with torch.inference_mode():
        error = (network(low) - true)[..., 8:-8, 8:-8]
    assert error.abs().max() < 0.1


def test_a_file_s_residual_comes_to_its_colour_and_place():
    """TensorFlow's depth_to_space: channel (row * 4 + column) * 3 + colour."""
    network = models.build("duf", **NARROW).eval()
    stored = _tensorflow(network)
    for name, value in stored.items():
        if "conv" in name:
            stored[name] = np.zeros_like(value)
    stored["G_rconv2_b:0"] = np.arange(48, dtype=np.float32)
    network.load_state_dict(
        duf.convert({f"params/{name}": value for name, value in stored.items()})
    )
    with torch.inference_mode():
        made = network(torch.zeros(1, 7, 3, 2, 2))[0]
    for colour in range(3):
        for row in range(8):
            for column in range(8):
                channel = (row % 4 * 4 + column % 4) * 3 + colour
                assert float(made[colour, row, column]) == channel


# --- published files

VARIABLES = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean"}
VARIABLES |= {"running_var": "moving_variance"}
OUTER = {"conv1": "conv1", "norm": "fbn1", "conv2": "conv2", "residual1": "rconv1"}
OUTER |= {"residual2": "rconv2", "filter1": "fconv1", "filter2": "fconv2"}


def _tensorflow(network):
    """The network's weights as the published file has them."""
    stored = {}
    for key, value in network.state_dict().items():
        layer, _, variable = key.rpartition(".")
        if variable == "num_batches_tracked":
            continue
        theirs = OUTER.get(layer)
        if theirs is None:
            _, place, kind = layer.split(".")
            name, which = kind.split("_")
            short = "bn" if name == "norm" else "conv"
            theirs = f"R{short}{int(place) + 1}{which}"
        if "bn" in theirs:
            variable = VARIABLES[variable]
        else:
            variable = {"weight": "W", "bias": "b"}[variable]
        if layer == "residual2":  # colours run fastest there
            value = value.unflatten(0, (3, 16)).transpose(0, 1).flatten(0, 1)
        if value.ndim == 4:
            value = value[:, :, None]
        if value.ndim == 5:
            value = value.permute(2, 3, 4, 1, 0)
        name = f"G/{theirs}/{variable}:0".replace("_", "__").replace("/", "_")
        stored[name] = value.numpy()
    return stored


def _write(path, stored):
    with h5py.File(path, "w") as file:
        for name, value in stored.items():
            file.create_dataset(f"params/{name}", data=value)


def _assert_equal(network, state):
    made = models.build("duf", **NARROW)
    made.load_state_dict(state)
    low = torch.rand(1, 7, 3, 5, 6)
    with torch.inference_mode():
        torch.testing.assert_close(made.eval()(low), network(low))


def test_a_published_file_s_network_gives_the_same_pictures(tmp_path):
    network, path = _network(), tmp_path / "params_12L_x4.h5"
    stored = _tensorflow(network)
    cut = np.eye(25, dtype=np.float32).reshape(5, 5, 1, 25)
    stored["G_filter__localexpand_1:0"] = cut
    stored["G_Rbn1a_moving__mean_biased:0"] = np.zeros(6, np.float32)
    _write(path, stored)
    assert "G_Rbn1a_moving__mean:0" in stored
    assert stored["G_Rconv2b_W:0"].shape == (3, 3, 3, 9, 3)
    _assert_equal(network, duf.convert(weights.read(path)))


def test_a_cut_of_neighbours_that_was_trained_is_refused():
    stored = {f"params/{key}": each for key, each in _tensorflow(_network()).items()}
    cut = np.eye(25, dtype=np.float32).reshape(5, 5, 1, 25) + 0.01
    with pytest.raises(ValueError, match=r"localexpand:0 is not the identity"):
        duf.convert({**stored, "params/G_filter__localexpand:0": cut})


def test_its_variables_at_published_size_have_the_published_shapes():
    stored = _tensorflow(models.build("duf"))
    assert stored["G_conv1_W:0"].shape == (1, 3, 3, 3, 64)
    assert stored["G_Rconv6a_W:0"].shape == (1, 1, 1, 224, 224)
    assert stored["G_Rconv6b_W:0"].shape == (3, 3, 3, 224, 32)
    assert stored["G_fbn1_moving__variance:0"].shape == (256,)
    assert stored["G_rconv2_W:0"].shape == (1, 1, 1, 256, 48)
    assert stored["G_fconv2_W:0"].shape == (1, 1, 1, 512, 400)
    assert len(stored) == 88


def _basicsr(network):
    """The same in BasicSR's names; its first blocks are full, its last three shrink."""
    outer = {"conv1": "conv3d1", "norm": "bn3d2", "conv2": "conv3d2"}
    outer |= {"residual1": "conv3d_r1", "residual2": "conv3d_r2"}
    outer |= {"filter1": "conv3d_f1", "filter2": "conv3d_f2"}
    inner = {"norm_a": "0", "conv_a": "2", "norm_b": "3", "conv_b": "5"}
    full, stored = len(network.blocks) - 3, {}
    for key, value in network.state_dict().items():
        layer, _, variable = key.rpartition(".")
        if layer in outer:
            theirs = outer[layer]
        else:
            _, place, kind = layer.split(".")
            block = f"dense_block1.dense_blocks.{place}"
            if int(place) >= full:
                block = f"dense_block2.temporal_reduce{int(place) - full + 1}"
            theirs = f"{block}.{inner[kind]}"
        stored[f"{theirs}.{variable}"] = value[:, :, None] if value.ndim == 4 else value
    return stored


def test_basicsr_s_names_give_the_same_pictures(tmp_path):
    network, path = _network(), tmp_path / "DUF_x4_12L_official.pth"
    torch.save(_basicsr(network), path)
    _assert_equal(network, duf.convert(weights.read(path)))


def test_another_network_s_file_is_refused():
    with pytest.raises(ValueError, match=r"no VSR-DUF in it, but convs\.0\.weight"):
        duf.convert({"convs.0.weight": np.zeros(1)})
