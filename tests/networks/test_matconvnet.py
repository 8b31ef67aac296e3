"""ST-ResNet's published files, written here in MatConvNet's layout and imported."""

import numpy as np
import pytest
import torch
from torch import nn

from tests.networks.test_importer import import_network
from tests.recognition.test_two_stream import randomise
from tests.weights.mat import save_v5, save_v73
from twinlens.artifacts.table import write_csv
from twinlens.errors import ArtifactError
from twinlens.networks import artifact
from twinlens.recognition.backbones import resnet
from twinlens.recognition.two_stream import st_resnet
from twinlens.recognition.two_stream.st_resnet import TimeConv

SMALL = {"classes": 5, "width": 4, "blocks": [2, 3, 2, 2]}


def parameters(network, ending="", classifier="fc5"):
    """A ResNet's parameters as MatConvNet names and lays them out."""
    found = []
    for name, part in network.named_modules():
        layer = name.replace(".", "_")
        if isinstance(part, nn.BatchNorm2d):
            block, _, branch = name.partition(".bn")
            layer = name if not branch else f"bn{block[3:]}_branch{branch}"
            sigma = torch.sqrt(part.running_var.double() + part.eps)
            moments = torch.stack([part.running_mean.double(), sigma], dim=1)
            values = {"mult": part.weight, "bias": part.bias, "moments": moments}
        elif isinstance(part, TimeConv):
            values = {"filter": part.weight.permute(3, 2, 1, 0)}
        elif isinstance(part, nn.Conv2d):
            values = {"filter": part.weight.permute(2, 3, 1, 0)}
        elif isinstance(part, nn.Linear):
            layer = classifier
            values = {"filter": part.weight.T[None, None], "bias": part.bias[None]}
        else:
            continue
        for kind, value in values.items():
            array = value.detach().numpy()
            entry = {"name": f"{layer}_{kind}{ending}", "value": array}
            found.append({**entry, "trainMethod": "gradient"})
    return found


def published(network, mean, **more):
    image = np.ones((2, 2, 1)) * np.array(mean)
    meta = {"normalization": {"averageImage": image}}
    return {"params": parameters(network, **more), "meta": meta}


@pytest.mark.parametrize("save", [save_v5, save_v73])
def test_a_base_network_scores_as_it_did(tmp_path, save):
    network = randomise(resnet.build(channels=3, **SMALL))
    save(tmp_path / "net.mat", published(network, [120.0, 110, 100]))
    out = tmp_path / "out.h5"
    import_network(
        tmp_path / "net.mat", "resnet", out, {"channels": 3}, "recogniser", dataset="y"
    )
    found = artifact.load(out, "recogniser", dataset="y")
    assert found.mean == (120, 110, 100)
    assert_same(found, network)
    image = torch.rand(2, 3, 64, 64)
    with torch.inference_mode():
        assert torch.equal(found(image), network(image))


@pytest.mark.parametrize("save", [save_v5, save_v73])
@pytest.mark.parametrize("pool", [False, True])
def test_both_stages_score_as_they_did(tmp_path, save, pool):
    network = randomise(st_resnet.build(stack=3, pool=pool, **SMALL))
    whole = published(network.spatial, [128.0] * 6 + [120, 110, 100], ending="_spatial")
    whole["params"] += parameters(network.temporal, "_temporal", "prediction")
    save(tmp_path / "net.mat", whole)
    classes = tmp_path / "classes.csv"
    write_csv(classes, "classes/1", table_of(5))
    out = tmp_path / "out.h5"
    import_network(
        tmp_path / "net.mat",
        "st_resnet",
        out,
        {"stack": 3, "pool": pool},
        "two_stream",
        classes,
        dataset="yard",
        stream="stage2",
    )
    found = artifact.load(out, "two_stream", dataset="yard", stream="stage2")
    assert (found.pool, found.mean) == (pool, (120, 110, 100))
    assert_same(found, network)
    inputs = torch.rand(1, 6, 3, 64, 64), torch.rand(1, 6, 6, 64, 64)
    with torch.inference_mode():
        for head, scores in network(*inputs).items():
            assert torch.equal(found(*inputs)[head], scores)


def assert_same(found, network):
    """Every weight is equal: the file's sigma is of double precision."""
    own = network.state_dict()
    for name, value in found.state_dict().items():
        if not name.endswith("num_batches_tracked"):
            assert torch.equal(value, own[name]), name


def table_of(count):
    import pandas as pd

    return pd.DataFrame({"label": range(count), "class": list("abcdefgh")[:count]})


def test_a_bias_of_the_first_convolution_is_kept(tmp_path):
    """The ResNet-50 that Caffe published has one."""
    network = randomise(resnet.build(channels=3, **SMALL))
    bias = torch.rand(4)
    whole = published(network, [1.0, 2, 3])
    whole["params"].append(
        {"name": "conv1_bias", "value": bias[None].numpy(), "trainMethod": "gradient"}
    )
    save_v5(tmp_path / "net.mat", whole)
    out = tmp_path / "out.h5"
    import_network(tmp_path / "net.mat", "resnet", out, {}, "recogniser")
    network.conv1.bias = nn.Parameter(bias)
    image = torch.rand(2, 3, 64, 64)
    with torch.inference_mode():
        same = artifact.load(out, "recogniser")(image)
        torch.testing.assert_close(same, network(image), rtol=1e-5, atol=1e-5)


def test_a_file_of_one_stream_is_no_st_resnet(tmp_path):
    network = randomise(resnet.build(channels=3, **SMALL))
    save_v5(tmp_path / "net.mat", published(network, [1.0, 2, 3]))
    with pytest.raises(ArtifactError, match=r"net\.mat: no ST-ResNet: conv1_filter is"):
        import_network(
            tmp_path / "net.mat", "st_resnet", tmp_path / "o.h5", {}, "two_stream"
        )


def test_a_network_of_other_layers_is_refused(tmp_path):
    entry = {"name": "fire2_squeeze_filter", "value": np.ones((1, 1, 2, 3))}
    first = {"name": "conv1_filter", "value": np.ones((7, 7, 3, 4))}
    save_v5(tmp_path / "net.mat", {"params": [first, entry]})
    with pytest.raises(ArtifactError, match=r"net\.mat: "):
        import_network(
            tmp_path / "net.mat", "resnet", tmp_path / "o.h5", {}, "recogniser"
        )


def test_a_layer_that_a_resnet_has_not_is_refused(tmp_path):
    whole = published(randomise(resnet.build(channels=3, **SMALL)), [1.0, 2, 3])
    extra = {"name": "res2a_fusion_filter", "value": np.ones((1, 1, 16, 5))}
    whole["params"].append({**extra, "trainMethod": "gradient"})
    save_v5(tmp_path / "net.mat", whole)
    with pytest.raises(ArtifactError, match="res2a_fusion beside a classifier"):
        import_network(
            tmp_path / "net.mat", "resnet", tmp_path / "o.h5", {}, "recogniser"
        )
