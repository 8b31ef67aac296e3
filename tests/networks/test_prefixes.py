"""Weights of people's own trainings: prefixes, wrappers, precisions."""

import pytest
import torch

from tests.networks.test_importer import import_flownet2, import_perceptual
from twinlens.errors import ArtifactError
from twinlens.flow.flownet2.cascade import FlowNet2
from twinlens.networks import artifact
from twinlens.perceptual import vgg
from twinlens.weights import prefixes
from twinlens.weights.torch_file import WRAPPERS

WIDTH = 1 / 16


@pytest.fixture(scope="module")
def own():
    torch.manual_seed(0)
    return FlowNet2(WIDTH).state_dict()


def imported(folder, saved):
    torch.save(saved, folder / "f.pth")
    import_flownet2(folder / "f.pth", folder / "f.h5", width=WIDTH)
    return artifact.load(folder / "f.h5", "flow").state_dict()


def assert_equal(found, expected):
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[key], each) for key, each in expected.items())


@pytest.mark.parametrize("prefix", [*prefixes.PREFIXES, "module._orig_mod.model."])
def test_a_prefix_of_all_names_is_taken_off(tmp_path, own, prefix):
    saved = {f"{prefix}{key}": value for key, value in own.items()}
    assert_equal(imported(tmp_path, saved), own)


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_a_wrapper_is_taken_off(tmp_path, own, wrapper):
    saved = {wrapper: own, "epoch": 3, "optimizer": {"lr": torch.tensor(0.1)}}
    assert_equal(imported(tmp_path, saved), own)


def test_a_moving_average_goes_before_the_weights_of_the_last_step(tmp_path, own):
    last = {key: torch.zeros_like(value) for key, value in own.items()}
    assert_equal(imported(tmp_path, {"params": last, "params_ema": own}), own)


def test_a_generator_is_taken_without_its_discriminator(tmp_path, own, capsys):
    saved = {f"generator.{key}": value for key, value in own.items()}
    saved["discriminator.fc.weight"] = torch.zeros(2, 2)
    assert_equal(imported(tmp_path, saved), own)
    said = capsys.readouterr().err
    assert "left out beside generator.*: discriminator.fc.weight" in said


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_become_single(tmp_path, own, kind):
    saved = {key: value.to(kind) for key, value in own.items()}
    expected = {key: value.float() for key, value in saved.items()}
    assert_equal(imported(tmp_path, saved), expected)


def test_weights_that_are_not_numbers_are_refused(tmp_path, own):
    key = next(iter(own))
    saved = {**own, key: torch.full_like(own[key], torch.nan)}
    with pytest.raises(ArtifactError, match=f"{key} has values that are not finite"):
        imported(tmp_path, saved)
    assert not (tmp_path / "f.h5").exists()


def test_what_was_said_of_the_names_as_they_are_is_what_is_reported(tmp_path):
    with pytest.raises(ArtifactError, match=r"no FlowNet2 in it.*module"):
        imported(tmp_path, {"module.fc.weight": torch.zeros(2, 2)})


def test_a_vgg_19_is_no_vgg_16(tmp_path):
    state = {}
    for key, each in vgg.Vgg().state_dict().items():
        layer, part = key.split(".")
        state[f"features.{vgg.TORCHVISION[layer]}.{part}"] = each
    state["features.16.weight"] = torch.zeros(256, 256, 3, 3)
    torch.save(state, tmp_path / "vgg19.pth")
    with pytest.raises(ArtifactError, match=r"vgg19\.pth: a VGG-19"):
        import_perceptual(tmp_path / "vgg19.pth", tmp_path / "p.h5")


@pytest.mark.parametrize(
    "beside", [{"ema": {"decay": 0.999}}, {"net": {"scale": 4}}, {"model": {}}]
)
def test_a_wrapper_without_weights_is_no_wrapper(tmp_path, own, beside):
    assert_equal(imported(tmp_path, {**beside, "params": own}), own)
