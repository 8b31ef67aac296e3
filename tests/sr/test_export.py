"""Networks for other tools: the same weights, and the same outputs at any size."""

import errno
import json
import os
from pathlib import Path

import h5py
import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from tests.training import runs
from twinlens import cli, models
from twinlens.artifacts import reader
from twinlens.errors import ArtifactError
from twinlens.networks import artifact
from twinlens.networks.importer import import_network
from twinlens.networks.job import Import
from twinlens.sr.export import export

SIZES = [(24, 28), (17, 30), (8, 6), (60, 44)]


@pytest.fixture(params=[name for name in models.names() if models.learns(name)])
def kind(request):
    return request.param


@pytest.fixture
def stored(tmp_path, kind):
    """A network as an artifact, with statistics that a training would leave."""
    settings = runs.SETTINGS[kind]
    torch.manual_seed(3)
    network = models.build(kind, **settings).eval()
    with torch.no_grad():
        for key, value in network.state_dict().items():
            if "running" in key:
                value.uniform_(0.5, 1.5)
            elif key.endswith("bias"):
                value.uniform_(-0.02, 0.02)
            elif (
                kind == "spmc"
                and key.startswith("motion")
                and value.shape[0] in (8, 32)
            ):
                value.mul_(0.02)  # flows of some pixels, as a trained network's
    return save(tmp_path / "net.h5", network, kind, settings)


def save(path, network, kind, settings):
    about = artifact.about(
        "import-network",
        [],
        {"weights.pth": "0" * 32},
        Import(family="sr", kind=kind, network="mine", settings=settings),
        family="sr",
        network="mine",
        kind=kind,
        settings=settings,
    )
    artifact.save(path, about, network.state_dict())
    return path


def about(path):
    with reader.open(path) as file:
        return file.about


def pictures(count, size):
    """Smooth pictures, such as networks are made for: (1, count, 3, h, w), 0..1."""
    torch.manual_seed(sum(size))
    coarse = torch.rand(count, 3, 4, 4)
    return torch.nn.functional.interpolate(coarse, size, mode="bilinear")[None]


def test_weights_come_back_to_the_bit(tmp_path, kind, stored):
    network, out = artifact.load(stored, "sr"), tmp_path / "net.safetensors"
    export(stored, out)
    with safe_open(out, "pt") as file:
        assert file.metadata()["model"] == kind
        assert json.loads(file.metadata()["settings"]) == runs.SETTINGS[kind]
    if not models.has_importer(kind):
        again = load_file(out)
        own = network.state_dict()
        assert all(torch.equal(again[key], value) for key, value in own.items())
        return
    job = Import(family="sr", kind=kind, network="mine", settings=runs.SETTINGS[kind])
    import_network(out, job, tmp_path / "again.h5")
    again = artifact.load(tmp_path / "again.h5", "sr")
    low = pictures(models.frames(kind), (9, 11))
    with torch.inference_mode():
        assert torch.equal(again(low), network(low))


@pytest.mark.slow
def test_onnx_gives_the_same_at_any_size(tmp_path, kind, stored):
    network, out = artifact.load(stored, "sr"), tmp_path / "net.onnx"
    export(stored, out)
    onnx.checker.check_model(str(out), full_check=True)
    session = onnxruntime.InferenceSession(out)
    for size in SIZES:
        if network.frames == models.WHOLE_CLIP:
            compare_clips(session, network, pictures(4, size))
            continue
        low = pictures(network.frames, size)
        output = session.run(["high"], {"low": low.numpy()})[0]
        with torch.inference_mode():
            np.testing.assert_allclose(output, network(low), rtol=0, atol=1e-5)


def compare_clips(session, network, low):
    names = [each.name for each in session.get_inputs()]
    state = [each.numpy() for each in network.start(low[:, 0])]
    with torch.inference_mode():
        expected = list(network.clip(low))
    for index, target in enumerate(expected):
        given = [low[:, index].numpy(), *state]
        output, *state = session.run(None, dict(zip(names, given, strict=True)))
        np.testing.assert_allclose(output, target, rtol=0, atol=1e-5)


def test_a_whole_clip_network_without_steps_is_refused(tmp_path, monkeypatch):
    network = models.build("rrn", **runs.SETTINGS["rrn"])
    path = save(tmp_path / "net.h5", network, "rrn", runs.SETTINGS["rrn"])
    monkeypatch.delattr(type(network), "step")
    with pytest.raises(ArtifactError, match=r"mine: reads whole clips.*start and step"):
        export(path, tmp_path / "net.onnx")
    assert sorted(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["net.pth", "net"])
def test_other_formats_are_refused(tmp_path, name):
    with pytest.raises(ArtifactError, match=r"must end in \.safetensors or \.onnx"):
        export(tmp_path / "none.h5", tmp_path / name)


def test_biases_of_zero_are_left_out_as_the_origin_has_none(tmp_path):
    network = models.build("vdsr", **runs.SETTINGS["vdsr"])
    path = save(tmp_path / "net.h5", network, "vdsr", runs.SETTINGS["vdsr"])
    export(path, tmp_path / "net.safetensors")
    names = ["input.weight", "output.weight", "residual_layer.0.conv.weight"]
    assert sorted(load_file(tmp_path / "net.safetensors")) == names


def test_a_card_says_what_was_learnt_from_what(tmp_path, capsys):
    runs.train(tmp_path, name="sosr")
    cli.main(["export", str(tmp_path / "sosr.h5"), str(tmp_path / "sosr.safetensors")])
    assert "sosr.safetensors.md says what it is" in capsys.readouterr().err
    card = (tmp_path / "sosr.safetensors.md").read_text()
    trained = about(tmp_path / "sosr.h5")
    assert f"| `{trained['id']}`" in card
    assert f"{trained['psnr']:.2f} dB, " in card
    assert "patch set " in card
    assert "`mse`: criterion mse, pixels luma" in card


def test_a_card_is_not_silent_about_an_input_that_the_disk_refuses(
    tmp_path, monkeypatch
):
    runs.train(tmp_path, name="sosr")
    with reader.open(tmp_path / "sosr.h5") as file:
        (patches,) = file.about["inputs"]
    opened = h5py.File.__init__

    def refuse(self, path, *words, **named):
        if str(path) == patches:
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
        opened(self, path, *words, **named)

    monkeypatch.setattr(h5py.File, "__init__", refuse)
    with pytest.raises(ArtifactError, match=f"{patches}: can't be read: Stale file"):
        export(tmp_path / "sosr.h5", tmp_path / "sosr.safetensors")


def test_a_card_names_an_input_that_is_gone(tmp_path):
    runs.train(tmp_path, name="sosr")
    with reader.open(tmp_path / "sosr.h5") as file:
        (patches,) = file.about["inputs"]
    Path(patches).unlink()
    export(tmp_path / "sosr.h5", tmp_path / "sosr.safetensors")
    card = (tmp_path / "sosr.safetensors.md").read_text()
    assert f"- `{patches}`, digest `" in card
