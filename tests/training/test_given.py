"""Published weights become artifacts, or are refused in words."""

import pytest
import torch

from twinlens import formats, models
from twinlens.losses import vgg
from twinlens.training import networks
from twinlens.training.given import import_network, import_perceptual


def test_a_published_vdsr_becomes_a_network(realdata, tmp_path, capsys):
    file = realdata / "weights/vdsr/VDSR_Official.mat"
    import_network(file, "vdsr", tmp_path / "vdsr.h5")
    assert "vdsr, 665,921 parameters" in capsys.readouterr().err
    network = networks.load(tmp_path / "vdsr.h5", "vdsr", {})
    assert network.convs[0].weight.shape == (64, 1, 3, 3)


def test_weights_of_another_size_are_refused(realdata, tmp_path):
    file = realdata / "weights/vdsr/VDSR_Adam.caffemodel"
    with pytest.raises(
        formats.ArtifactError, match=r"VDSR_Adam.caffemodel: vdsr: 39 entries"
    ):
        import_network(file, "vdsr", tmp_path / "v.h5", {"width": 32, "depth": 20})
    assert not (tmp_path / "v.h5").exists()


def test_a_damaged_file_is_refused(tmp_path):
    (tmp_path / "vdsr.mat").write_bytes(b"MATLAB 5.0 no more")
    with pytest.raises(formats.ArtifactError, match=r"vdsr\.mat: not a \.mat file"):
        import_network(tmp_path / "vdsr.mat", "vdsr", tmp_path / "v.h5")


def test_a_model_without_published_weights_says_so(tmp_path):
    with pytest.raises(formats.ArtifactError, match="no published weights of bicubic"):
        import_network(tmp_path / "x.mat", "bicubic", tmp_path / "b.h5")


def test_torchvision_s_vgg_becomes_the_perceptual_network(tmp_path):
    torch.manual_seed(0)
    own = vgg.Vgg(inputs="torchvision")
    state = {}
    for key, each in own.state_dict().items():
        layer, kind = key.split(".")
        state[f"features.{vgg.TORCHVISION[layer]}.{kind}"] = each
    torch.save(state, tmp_path / "vgg16.pth")
    import_perceptual(tmp_path / "vgg16.pth", tmp_path / "p.h5")
    network = vgg.load(tmp_path / "p.h5")
    picture = torch.rand(1, 3, 16, 16)
    torch.testing.assert_close(network(picture), own(picture))
    assert not any(each.requires_grad for each in network.parameters())


def test_another_network_is_no_vgg(tmp_path):
    torch.save({"fc.weight": torch.zeros(2, 2)}, tmp_path / "net.pth")
    with pytest.raises(formats.ArtifactError, match=r"net\.pth: no VGG-16 in it"):
        import_perceptual(tmp_path / "net.pth", tmp_path / "p.h5")


def test_a_network_with_weights_is_not_used_without_them():
    with pytest.raises(formats.ArtifactError, match="vdsr has weights and none were"):
        networks.load(None, "vdsr", {})
    assert isinstance(networks.load(None, "bicubic", {}), type(models.build("bicubic")))
