"""FlowNet2's published files, written here in their layouts and read back."""

import h5py
import numpy as np
import pytest
import torch

from tests.weights import test_caffe as written
from twinlens import weights
from twinlens.flow.flownet2 import published
from twinlens.flow.flownet2.cascade import build, estimate
from twinlens.networks import state as states

NARROW = 1 / 16


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(5)
    return build(NARROW).eval()


def _same(found, network):
    """Whether a file's weights make a network that gives the same flow."""
    other = build(NARROW).eval()
    states.fit(other, published.convert(found), "FlowNet2")
    rng = np.random.default_rng(0)
    pair = rng.integers(0, 256, (2, 1, 64, 64, 3), dtype=np.uint8)
    output, wanted = (estimate(each, *pair) for each in (other, network))
    return np.array_equal(output, wanted)


def _nvidia(network, path):
    state = {"epoch": 0, "state_dict": network.state_dict(), "best_EPE": 1e10}
    torch.save(state, path)


def test_nvidia_s_checkpoint_is_read_key_by_key(network, tmp_path):
    _nvidia(network, tmp_path / "FlowNet2_checkpoint.pth.tar")
    assert _same(weights.read(tmp_path / "FlowNet2_checkpoint.pth.tar"), network)


# LMB's layers, as its deploy file and NVIDIA's conversion of it name them.
TAIL = "4 4_1 5 5_1 6 6_1".split()
UP = "6to5 5to4 4to3 3to2".split()


def _pyramid(prefix, up, encoder, heads, inter=()):
    names = [f"{prefix}conv{name}" for name in [*encoder, *TAIL]]
    names += [f"{prefix}deconv{level}" for level in (5, 4, 3, 2)]
    names += [f"{prefix}interconv{level}" for level in inter]
    return [*names, *heads, *(f"{up}upsample_flow{each}" for each in UP)]


NUMBERED = [f"Convolution{number}" for number in range(1, 6)]
HEADS = [f"predict_conv{level}" for level in (6, 5, 4, 3, 2)]
LMB = _pyramid("", "", ["1", "2", "3", "_redir", "3_1"], NUMBERED)
for own in ("net2_", "net3_"):
    heads = [own + each for each in HEADS]
    LMB += _pyramid(own, own + own, ["1", "2", "3", "3_1"], heads)
LMB += _pyramid(
    "netsd_",
    "netsd_",
    "0 1 1_1 2 2_1 3 3_1".split(),
    [f"netsd_{each}" for each in NUMBERED],
    (5, 4, 3, 2),
)
LMB += [f"fuse_conv{each}" for each in "0 1 1_1 2 2_1".split()]
LMB += [f"fuse_{each}" for each in "deconv1 deconv0 interconv1 interconv0".split()]
LMB += [f"fuse__Convolution{number}" for number in (5, 6, 7)]
LMB += ["fuse_upsample_flow2to1", "fuse_upsample_flow1to0"]


def test_lmb_s_names_are_all_used():
    assert sorted(
        {published._blob_of(name)[0] for name in published._names()}
    ) == sorted(LMB)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("flownetc.predict_flow6.weight", ("Convolution1", 0)),
        ("flownetc.predict_flow2.bias", ("Convolution5", 1)),
        ("flownetc.conv_redir.0.weight", ("conv_redir", 0)),
        ("flownetc.upsampled_flow6_to_5.weight", ("upsample_flow6to5", 0)),
        ("flownets_1.predict_flow6.weight", ("net2_predict_conv6", 0)),
        ("flownets_2.predict_flow3.weight", ("net3_predict_conv3", 0)),
        ("flownets_1.upsampled_flow6_to_5.weight", ("net2_net2_upsample_flow6to5", 0)),
        ("flownets_2.conv1.0.weight", ("net3_conv1", 0)),
        ("flownets_d.predict_flow6.weight", ("netsd_Convolution1", 0)),
        ("flownets_d.inter_conv5.0.weight", ("netsd_interconv5", 0)),
        ("flownets_d.deconv5.0.bias", ("netsd_deconv5", 1)),
        ("flownetfusion.predict_flow2.weight", ("fuse__Convolution5", 0)),
        ("flownetfusion.predict_flow0.weight", ("fuse__Convolution7", 0)),
        ("flownetfusion.deconv0.0.weight", ("fuse_deconv0", 0)),
    ],
)
def test_lmb_s_layers_by_name(ours, theirs):
    assert published._blob_of(ours) == theirs


def _lmb(network):
    """A network's weights under LMB's names, blobs in Caffe's order, colours BGR."""
    layers = {}
    for name, value in network.state_dict().items():
        value = value.clone()
        if name.endswith(("c.conv1.0.weight", "fusion.conv0.0.weight")):
            value[:, :3] = value[:, [2, 1, 0]]
        elif name.endswith("_d.conv0.0.weight"):
            value = value[:, [2, 1, 0, 5, 4, 3]]
        elif name in ("flownets_1.conv1.0.weight", "flownets_2.conv1.0.weight"):
            value = value[:, [2, 1, 0, 5, 4, 3, 8, 7, 6, 9, 10, 11]]
        layer, blob = published._blob_of(name)
        layers.setdefault(layer, {})[blob] = value.numpy()
    for prefix in ("net2_net2_", "net3_net3_"):
        for each in UP:  # Caffe's have a bias
            layers[f"{prefix}upsample_flow{each}"][1] = np.zeros(2, np.float32)
    layers["img0s_aug"] = {0: np.zeros(1, np.float32), 1: np.zeros((1, 3, 4, 4))}
    return layers


def _write_h5(layers, path):
    with h5py.File(path, "w") as file:
        for layer, blobs in layers.items():
            for number, value in blobs.items():
                file[f"data/{layer}/{number}"] = value
        file.create_group("data/Eltwise1")


def test_lmb_s_hdf5_is_read(network, tmp_path):
    path = tmp_path / "FlowNet2_weights.caffemodel.h5"
    _write_h5(_lmb(network), path)
    assert _same(weights.read(path), network)


def test_lmb_s_caffemodel_is_read(network, tmp_path):
    path = tmp_path / "FlowNet2_weights.caffemodel"
    layers = [
        written.layer(name, *(written.blob(value) for value in blobs.values()))
        for name, blobs in _lmb(network).items()
    ]
    path.write_bytes(b"".join(layers))
    assert _same(weights.read(path), network)


def test_what_lacks_and_what_is_too_many_is_reported(network, tmp_path):
    layers = _lmb(network)
    layers["net4_conv1"] = layers.pop("net2_conv1")
    _write_h5(layers, tmp_path / "f.caffemodel.h5")
    found = weights.read(tmp_path / "f.caffemodel.h5")
    why = r"1 layers missing \(net2_conv1\) and 1 layers unexpected \(net4_conv1\)"
    with pytest.raises(ValueError, match=why):
        published.convert(found)


def test_a_part_of_the_cascade_is_refused(network):
    state = {k: v for k, v in network.state_dict().items() if "flownets" not in k}
    with pytest.raises(ValueError, match=r"no whole FlowNet2: 144 layers missing"):
        published.convert(state)


def test_another_network_is_refused():
    with pytest.raises(ValueError, match="no FlowNet2 in it, but conv1_1"):
        published.convert({"conv1_1": np.zeros(1)})


def test_a_layer_without_its_bias_is_refused(network):
    layers = _lmb(network)
    del layers["conv3_1"][1]
    found = {f"data/{n}/{b}": v for n, each in layers.items() for b, v in each.items()}
    with pytest.raises(ValueError, match="layer conv3_1 lacks blob 1"):
        published.convert(found)
