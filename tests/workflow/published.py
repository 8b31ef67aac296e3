"""Writers of weight files in their published layouts, of any size of network."""

import numpy as np
import scipy.io
import torch

from tests.flow import test_flownet2_published as lmb
from tests.models import test_duf as duf
from tests.models import test_rrdb as rrdb
from tests.networks import test_matconvnet as matconvnet
from tests.recognition import test_backbones as inception
from tests.weights import test_caffe as caffe
from tests.weights.mat import save_v5, save_v73
from twinlens.perceptual import vgg

SIZES = {
    "vdsr": {"width": 5, "depth": 3},
    "duf": duf.NARROW,
    "rrdb": rrdb.NARROW,
}
"""Of small super-resolution networks, by model."""
MEAN = [120.0, 110, 100]
"""Of red, green and blue, in MatConvNet's files."""


def known(network, seed=3):
    """A network whose every entry differs from every other, variances above zero."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for key, value in network.state_dict().items():
            if value.is_floating_point() and "cut" not in key:
                value.uniform_(0.1, 1.0)
    return network.eval()


def caffemodel(path, layers):
    """One message a layer, a blob an array."""
    path.write_bytes(
        b"".join(
            caffe.layer(name, *(caffe.blob(np.asarray(each)) for each in blobs))
            for name, blobs in layers.items()
        )
    )


# --- files in the published layouts


def vdsr_matlab(network, path):
    state = network.state_dict()
    count = len(network.convs)
    cells = np.empty((2, count), object)
    for at in range(count):
        weight = state[f"convs.{at}.weight"].numpy().transpose(2, 3, 1, 0)
        cells[0, at] = weight if at == 0 else np.squeeze(weight)
        cells[1, at] = state[f"convs.{at}.bias"].numpy()[:, None]
    scipy.io.savemat(path, {"model": {"weight": cells[:1], "bias": cells[1:]}})


def vdsr_caffe(network, path):
    state = network.state_dict()
    layers = {
        f"conv{at + 1}": [
            state[f"convs.{at}.weight"].numpy().transpose(0, 1, 3, 2),
            state[f"convs.{at}.bias"].numpy(),
        ]
        for at in range(len(network.convs))
    }
    caffemodel(path, layers)


def vdsr_pytorch(network, path):
    """The project's network has no biases: they are zero in ours."""
    state = network.state_dict()
    for key in state:
        if key.endswith("bias"):
            state[key].zero_()
    names = {0: "input", 1: "residual_layer.0.conv", 2: "output"}
    stored = {f"{new}.weight": state[f"convs.{at}.weight"] for at, new in names.items()}
    torch.save(stored, path)


def duf_tensorflow(network, path):
    duf._write(path, duf._tensorflow(network))


def duf_basicsr(network, path):
    torch.save({"params": duf._basicsr(network)}, path)


def rrdb_basicsr(network, path):
    stored = {}
    for key, value in network.state_dict().items():
        layer, _, part = key.rpartition(".")
        if layer in rrdb.BASICSR:
            name = rrdb.BASICSR[layer]
        else:
            _, block, dense, _, conv = layer.split(".")
            name = f"body.{block}.rdb{int(dense) + 1}.conv{int(conv) + 1}"
        stored[f"{name}.{part}"] = value
    torch.save({"params_ema": stored}, path)


SR = {
    "vdsr.mat": vdsr_matlab,
    "vdsr.caffemodel": vdsr_caffe,
    "vdsr.pth": vdsr_pytorch,
    "duf.h5": duf_tensorflow,
    "duf.pth": duf_basicsr,
    "rrdb.pth": rrdb_basicsr,
}


def vgg_caffe(network, path):
    state = network.state_dict()
    layers = {
        name: [state[f"{name}.weight"].numpy(), state[f"{name}.bias"].numpy()]
        for name in vgg.LAYERS
    }
    caffemodel(path, {**layers, "fc6": [np.zeros((2, 3)), np.zeros(2)]})


def vgg_torchvision(network, path):
    stored = {
        f"features.{vgg.TORCHVISION[key.split('.')[0]]}.{key.split('.')[1]}": value
        for key, value in network.state_dict().items()
    }
    torch.save(stored, path)


VGG = {"vgg.caffemodel": vgg_caffe, "vgg.pth": vgg_torchvision}


def flownet2_hdf5(network, path):
    lmb._write_h5(lmb._lmb(network), path)


def flownet2_caffe(network, path):
    layers = {name: list(each.values()) for name, each in lmb._lmb(network).items()}
    caffemodel(path, layers)


def flownet2_nvidia(network, path):
    lmb._nvidia(network, path)


FLOWNET2 = {
    "flownet2.caffemodel.h5": flownet2_hdf5,
    "flownet2.caffemodel": flownet2_caffe,
    "flownet2.pth.tar": flownet2_nvidia,
}


def inception_caffe(network, path):
    caffemodel(path, inception.as_caffe(network))


def inception_mmaction(network, path):
    stored = {
        key.replace("fc.", "cls_head.fc_cls.")
        if key.startswith("fc.")
        else f"backbone.{key}": value
        for key, value in inception.floats(network).items()
    }
    torch.save({"state_dict": stored}, path)


def st_resnet_base(network, path):
    """A ResNet of MatConvNet, as MATLAB 5 to 7 saves it."""
    save_v5(path, matconvnet.published(network, MEAN))


def st_resnet_both(network, path):
    """Both streams with ends to their names, of MATLAB 7.3 if the name says so."""
    flow = [128.0] * network.temporal.conv1.in_channels
    whole = matconvnet.published(network.spatial, flow + MEAN, ending="_spatial")
    whole["params"] += matconvnet.parameters(network.temporal, "_temporal")
    (save_v73 if "73" in path.name else save_v5)(path, whole)


ST_RESNET = {
    "appearance.mat": st_resnet_base,
    "stage1.mat": st_resnet_both,
    "stage2_v73.mat": st_resnet_both,
}

TSN = {"tsn.caffemodel": inception_caffe, "tsn.pth": inception_mmaction}
