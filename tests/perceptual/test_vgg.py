"""The perceptual network: its size, its inputs, its published files."""

import numpy as np
import pytest
import torch

from twinlens import weights
from twinlens.perceptual import vgg
from twinlens.perceptual.vgg import Vgg, convert, settings_of

NARROW = (3, 4, 5)


def test_it_has_the_published_number_of_parameters():
    assert sum(each.numel() for each in Vgg().parameters()) == 1_735_488


def test_a_patch_of_128_gives_256_maps_of_32():
    assert Vgg()(torch.rand(1, 3, 128, 128)).shape == (1, 256, 32, 32)


def test_caffe_s_inputs_are_bgr_bytes_less_the_means():
    network = Vgg(NARROW)
    torch.nn.init.zeros_(network.conv1_1.weight)
    seen = []
    network.conv1_1.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    rgb = torch.tensor([1.0, 0.5, 0.0])[None, :, None, None].expand(1, 3, 8, 8)
    network(rgb)
    wanted = torch.tensor([0 - 103.939, 127.5 - 116.779, 255 - 123.68])
    torch.testing.assert_close(seen[0][0, :, 0, 0], wanted, atol=1e-3, rtol=0)


def test_torchvision_s_inputs_are_normalised_rgb():
    network = Vgg(NARROW, inputs="torchvision")
    seen = []
    network.conv1_1.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    network(torch.zeros(1, 3, 8, 8))
    wanted = -torch.tensor([0.485 / 0.229, 0.456 / 0.224, 0.406 / 0.225])
    torch.testing.assert_close(seen[0][0, :, 0, 0], wanted)


def test_before_its_relu_conv3_3_is_negative_too():
    torch.manual_seed(0)
    picture = torch.rand(1, 3, 16, 16)
    after, before = Vgg(NARROW), Vgg(NARROW, after_relu=False)
    before.load_state_dict(after.state_dict())
    assert after(picture).min() >= 0
    assert before(picture).min() < 0
    torch.testing.assert_close(before(picture).relu(), after(picture))


def test_unknown_inputs_are_reported():
    with pytest.raises(ValueError, match="no inputs 'tf'; there are: caffe, torchv"):
        Vgg(inputs="tf")


def test_torchvision_s_file_fills_every_layer(tmp_path):
    own = Vgg().state_dict()
    state = {}
    for key, each in own.items():
        layer, kind = key.split(".")
        state[f"features.{vgg.TORCHVISION[layer]}.{kind}"] = each
    torch.save({**state, "classifier.6.bias": torch.zeros(3)}, tmp_path / "vgg16.pth")
    read = weights.read(tmp_path / "vgg16.pth")
    found = convert(read)
    assert settings_of(read) == {"inputs": "torchvision"}
    assert all(torch.equal(found[key], own[key]) for key in own)


def test_caffe_s_layers_fill_every_layer():
    own = Vgg(NARROW).state_dict()
    layers = {
        name: [
            own[f"{name}.weight"].numpy(),
            own[f"{name}.bias"].numpy()[None, None, None],
        ]
        for name in vgg.LAYERS
    }
    found = convert({**layers, "fc8": [np.zeros((2, 2))]})
    assert settings_of(layers) == {"inputs": "caffe"}
    assert all(torch.equal(found[key], own[key]) for key in own)


def test_a_file_without_a_layer_is_refused():
    with pytest.raises(ValueError, match="conv1_2 lacks weights"):
        convert({"conv1_1": [np.zeros((3, 3, 3, 3)), np.zeros(3)]})


def test_another_network_is_refused():
    with pytest.raises(ValueError, match="no VGG-16 in it, but fc"):
        convert({"fc": []})
