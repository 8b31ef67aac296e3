"""Published weights become artifacts, or are refused in words."""

import pandas as pd
import pytest
import torch

from tests.recognition.test_backbones import floats
from twinlens.artifacts.table import write_csv
from twinlens.errors import ArtifactError
from twinlens.flow.flownet2.cascade import FlowNet2
from twinlens.networks import artifact, importer
from twinlens.networks.job import Import
from twinlens.perceptual import vgg
from twinlens.recognition import backbones


def import_network(file, kind, out, settings=None, family="sr", classes=None, **facts):
    job = Import(
        family=family, kind=kind, network="mine", settings=settings or {}, **facts
    )
    importer.import_network(file, job, out, classes)


def import_perceptual(file, out, **settings):
    import_network(file, "vgg", out, settings, "perceptual")


def import_flownet2(file, out, **settings):
    import_network(file, "flownet2", out, settings, "flow")


def test_a_published_vdsr_becomes_a_network(realdata, tmp_path, capsys):
    file = realdata / "weights/vdsr/VDSR_Official.mat"
    import_network(file, "vdsr", tmp_path / "vdsr.h5")
    assert "vdsr, 665,921 parameters" in capsys.readouterr().err
    network = artifact.load(tmp_path / "vdsr.h5", "sr", kind="vdsr", settings={})
    assert network.convs[0].weight.shape == (64, 1, 3, 3)


def test_a_file_that_differs_from_the_published_one_of_its_name_is_said(
    realdata, tmp_path, capsys
):
    file, copy = realdata / "weights/vdsr/VDSR_Official.mat", tmp_path / "published"
    copy.mkdir()
    raw = bytearray(file.read_bytes())
    import_network(file, "vdsr", tmp_path / "vdsr.h5")
    assert "WARNING" not in capsys.readouterr().err
    raw[100] ^= 1  # in the words of its head
    (copy / file.name).write_bytes(raw)
    import_network(copy / file.name, "vdsr", tmp_path / "vdsr.h5")
    said = capsys.readouterr().err
    assert f"WARNING {copy / file.name}: its sha256 is " in said
    assert "that of the published file of its name f6131666" in said


def test_weights_of_another_size_are_refused(realdata, tmp_path):
    file = realdata / "weights/vdsr/VDSR_Adam.caffemodel"
    with pytest.raises(ArtifactError, match=r"VDSR_Adam.caffemodel: vdsr: 39 entries"):
        import_network(file, "vdsr", tmp_path / "v.h5", {"width": 32, "depth": 20})
    assert not (tmp_path / "v.h5").exists()


def test_a_damaged_file_is_refused(tmp_path):
    (tmp_path / "vdsr.mat").write_bytes(b"MATLAB 5.0 no more")
    with pytest.raises(ArtifactError, match=r"vdsr\.mat: not a \.mat file"):
        import_network(tmp_path / "vdsr.mat", "vdsr", tmp_path / "v.h5")


def test_a_file_that_is_not_there_is_named_once(tmp_path):
    for made in (
        lambda file: import_network(file, "vdsr", tmp_path / "v.h5"),
        lambda file: import_perceptual(file, tmp_path / "p.h5"),
        lambda file: import_flownet2(file, tmp_path / "f.h5"),
    ):
        with pytest.raises(ArtifactError) as caught:
            made(tmp_path / "none.pth")
        assert str(caught.value) == f"{tmp_path}/none.pth: No such file or directory"


def test_settings_that_its_network_refuses_are_reported(tmp_path):
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


def test_a_published_flownet2_becomes_an_artifact(tmp_path, capsys):
    torch.manual_seed(0)
    own = FlowNet2(1 / 16)
    state = {"epoch": 0, "state_dict": own.state_dict(), "best_EPE": 1e10}
    torch.save(state, tmp_path / "f.pth.tar")
    # At full width it is 650 MB; the way is the same.
    import_flownet2(tmp_path / "f.pth.tar", tmp_path / "f.h5", width=1 / 16)
    assert "flownet2, 722,446 parameters" in capsys.readouterr().err
    loaded = artifact.load(tmp_path / "f.h5", "flow").state_dict()
    assert all(torch.equal(loaded[key], each) for key, each in own.state_dict().items())


def test_a_flownet2_of_another_width_is_refused(tmp_path):
    torch.save(FlowNet2(1 / 16).state_dict(), tmp_path / "f.pth.tar")
    with pytest.raises(ArtifactError, match=r"f\.pth\.tar: flownet2: \d+ ent"):
        import_flownet2(tmp_path / "f.pth.tar", tmp_path / "f.h5")
    assert not (tmp_path / "f.h5").exists()


def test_another_network_is_no_flownet2(tmp_path):
    torch.save({"fc.weight": torch.zeros(2, 2)}, tmp_path / "net.pth")
    with pytest.raises(ArtifactError, match=r"net\.pth: no FlowNet2 in it"):
        import_flownet2(tmp_path / "net.pth", tmp_path / "f.h5")


def test_what_the_config_says_goes_before_what_a_file_s_names_tell(tmp_path):
    own = vgg.Vgg()
    state = {}
    for key, each in own.state_dict().items():
        layer, part = key.split(".")
        state[f"features.{vgg.TORCHVISION[layer]}.{part}"] = each
    torch.save(state, tmp_path / "vgg16.pth")
    import_perceptual(tmp_path / "vgg16.pth", tmp_path / "stated.h5")
    import_perceptual(tmp_path / "vgg16.pth", tmp_path / "set.h5", inputs="caffe")
    assert not vgg.load(tmp_path / "stated.h5").flipped
    assert vgg.load(tmp_path / "set.h5").flipped


# --- Recognisers


@pytest.fixture
def inception(tmp_path):
    """A file of BN-Inception with 2 classes, and the network."""
    torch.manual_seed(0)
    network = backbones.build("bn_inception", channels=3, classes=2)
    torch.save({"state_dict": floats(network)}, tmp_path / "tsn.pth")
    return tmp_path / "tsn.pth", network


def _classes(folder, count):
    rows = pd.DataFrame({"label": range(count), "class": list("abc")[:count]})
    write_csv(folder / "classes.csv", "classes/1", rows)
    return folder / "classes.csv"


def test_a_recogniser_is_that_of_its_data_set_and_stream(inception, tmp_path):
    (file, network), out = inception, tmp_path / "r.h5"
    facts = {"dataset": "yard", "stream": "spatial", "settings": {"channels": 3}}
    facts["classes"] = _classes(tmp_path, 2)
    import_network(file, "bn_inception", out, family="recogniser", **facts)
    found = artifact.load(out, "recogniser", dataset="yard", stream="spatial")
    assert torch.equal(found.fc.weight, network.fc.weight)
    with pytest.raises(ArtifactError, match="made for dataset 'yard', not 'woods'"):
        artifact.load(out, "recogniser", dataset="woods")


def test_a_classifier_of_other_classes_is_refused(inception, tmp_path):
    (file, _), out = inception, tmp_path / "r.h5"
    why = r"fc\.weight \(2, 1024\) instead of \(3, 1024\)"
    with pytest.raises(ArtifactError, match=why):
        import_network(
            file,
            "bn_inception",
            out,
            family="recogniser",
            classes=_classes(tmp_path, 3),
        )


@pytest.mark.parametrize("whole", [True, False])
def test_an_image_network_keeps_the_classifier_that_it_has(inception, tmp_path, whole):
    file, network = inception
    state = floats(network)
    if not whole:
        state = backbones.without_classifier(state)
    torch.save(state, file)
    import_network(file, "bn_inception", tmp_path / "i.h5", family="recogniser")
    found = artifact.load(tmp_path / "i.h5", "recogniser").state_dict()
    assert ("fc.weight" in found) == whole
    assert all(torch.equal(found[key], each) for key, each in state.items())
