"""Published weights become artifacts, or are refused in words."""

import pytest
import torch

from twinlens import models
from twinlens.errors import ArtifactError
from twinlens.flow import flownet2
from twinlens.losses import vgg
from twinlens.training import networks
from twinlens.training.given import import_network
from twinlens.training.given_flownet2 import import_flownet2
from twinlens.training.given_vgg import import_perceptual


def test_a_published_vdsr_becomes_a_network(realdata, tmp_path, capsys):
    file = realdata / "weights/vdsr/VDSR_Official.mat"
    import_network(file, "vdsr", tmp_path / "vdsr.h5")
    assert "vdsr, 665,921 parameters" in capsys.readouterr().err
    network = networks.load(tmp_path / "vdsr.h5", "vdsr", {})
    assert network.convs[0].weight.shape == (64, 1, 3, 3)


def test_weights_of_another_size_are_refused(realdata, tmp_path):
    file = realdata / "weights/vdsr/VDSR_Adam.caffemodel"
    with pytest.raises(ArtifactError, match=r"VDSR_Adam.caffemodel: vdsr: 39 entries"):
        import_network(file, "vdsr", tmp_path / "v.h5", {"width": 32, "depth": 20})
    assert not (tmp_path / "v.h5").exists()


def test_a_damaged_file_is_refused(tmp_path):
    (tmp_path / "vdsr.mat").write_bytes(b"MATLAB 5.0 no more")
    with pytest.raises(ArtifactError, match=r"vdsr\.mat: not a \.mat file"):
        import_network(tmp_path / "vdsr.mat", "vdsr", tmp_path / "v.h5")


def test_a_file_that_is_not_there_is_told_once(tmp_path):
    for made in (
        lambda file: import_network(file, "vdsr", tmp_path / "v.h5"),
        lambda file: import_perceptual(file, tmp_path / "p.h5"),
        lambda file: import_flownet2(file, tmp_path / "f.h5"),
    ):
        with pytest.raises(ArtifactError) as told:
            made(tmp_path / "none.pth")
        assert str(told.value) == f"{tmp_path}/none.pth: No such file or directory"


def test_settings_that_its_network_refuses_are_told(tmp_path):
    torch.save({"a.weight": torch.zeros(2)}, tmp_path / "duf.pth")
    with pytest.raises(ArtifactError, match=r"duf\.pth: VSR-DUF of 15 layers"):
        import_network(tmp_path / "duf.pth", "duf", tmp_path / "d.h5", {"depth": 15})


def test_a_model_without_published_weights_says_so(tmp_path):
    with pytest.raises(ArtifactError, match="no published weights of bicubic"):
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
    with pytest.raises(ArtifactError, match=r"net\.pth: no VGG-16 in it"):
        import_perceptual(tmp_path / "net.pth", tmp_path / "p.h5")


def test_a_published_flownet2_becomes_an_artifact(tmp_path, monkeypatch, capsys):
    torch.manual_seed(0)
    own = flownet2.build(1 / 16)
    state = {"epoch": 0, "state_dict": own.state_dict(), "best_EPE": 1e10}
    torch.save(state, tmp_path / "f.pth.tar")
    # At full width it is 650 MB; the way is the same.
    monkeypatch.setattr(flownet2, "build", lambda: flownet2.FlowNet2(1 / 16))
    import_flownet2(tmp_path / "f.pth.tar", tmp_path / "f.h5")
    assert "FlowNet2, 722,446 parameters" in capsys.readouterr().err
    loaded = flownet2.load(tmp_path / "f.h5").state_dict()
    assert all(torch.equal(loaded[key], each) for key, each in own.state_dict().items())


def test_a_flownet2_of_another_width_is_refused(tmp_path):
    torch.save(flownet2.build(1 / 16).state_dict(), tmp_path / "f.pth.tar")
    with pytest.raises(ArtifactError, match=r"f\.pth\.tar: FlowNet2: \d+ ent"):
        import_flownet2(tmp_path / "f.pth.tar", tmp_path / "f.h5")
    assert not (tmp_path / "f.h5").exists()


def test_another_network_is_no_flownet2(tmp_path):
    torch.save({"fc.weight": torch.zeros(2, 2)}, tmp_path / "net.pth")
    with pytest.raises(ArtifactError, match=r"net\.pth: no FlowNet2 in it"):
        import_flownet2(tmp_path / "net.pth", tmp_path / "f.h5")


def test_a_network_with_weights_is_not_used_without_them():
    with pytest.raises(ArtifactError, match="vdsr has weights and none were"):
        networks.load(None, "vdsr", {})
    assert isinstance(networks.load(None, "bicubic", {}), type(models.build("bicubic")))
