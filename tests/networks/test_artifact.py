"""Networks of every family as artifacts: what is loaded, and what is refused."""

import math
import subprocess
import sys
from dataclasses import dataclass

import pytest
import torch

from twinlens.artifacts import reader, writer
from twinlens.errors import ArtifactError
from twinlens.networks import artifact, families

SMALL = {
    "sr": ("vdsr", {"width": 4, "depth": 3}),
    "recogniser": ("compact", {"channels": 3, "classes": 2, "width": 4}),
    "two_stream": (
        "st_resnet",
        {"stack": 2, "classes": 2, "width": 4, "blocks": [2, 2, 2, 2]},
    ),
    "flow": ("flownet2", {"width": 1 / 16}),
    "perceptual": ("vgg", {"widths": [2, 3, 4], "inputs": "torchvision"}),
}
EVERY = pytest.mark.parametrize("family", SMALL)


@dataclass(frozen=True)
class Job:
    """Stands for the settings of a stage."""

    seed: int = 0


def stored(folder, family, trained=True):
    """A network's artifact, and the network."""
    torch.manual_seed(0)
    kind, settings = SMALL[family]
    network = families.build(family, kind, **settings)
    about = artifact.about(
        "made",
        [],
        {},
        Job(),
        family=family,
        network="mine",
        kind=kind,
        settings=settings,
    )
    artifact.save(folder / "n.h5", {**about, "trained": trained}, network.state_dict())
    return folder / "n.h5", network


def test_every_family_is_here():
    assert list(SMALL) == list(families.FAMILIES)


@EVERY
def test_a_network_comes_back_ready_to_use(tmp_path, family):
    path, network = stored(tmp_path, family)
    found = artifact.load(path, family, network="mine", kind=SMALL[family][0])
    assert type(found) is type(network)
    assert not found.training
    state = network.state_dict()
    assert all(torch.equal(each, state[k]) for k, each in found.state_dict().items())


@EVERY
def test_a_network_that_was_never_trained_is_refused(tmp_path, family):
    path, _ = stored(tmp_path, family, trained=False)
    with pytest.raises(ArtifactError, match=r"n\.h5: this network was never trained"):
        artifact.load(path, family)


@EVERY
def test_weights_that_are_not_finite_are_refused(tmp_path, family):
    path, network = stored(tmp_path, family)
    with reader.open(path) as file:
        about = file.about
    with writer.create(path, artifact.NETWORK, about) as file:
        group = file.create_group("state")
        for key, value in network.state_dict().items():
            wrong = torch.full_like(value, math.nan) if value.ndim > 1 else value
            writer.put(group, key, wrong.numpy())
            group[key].attrs["shape"] = value.shape
    with pytest.raises(ArtifactError, match=r"n\.h5: .* not finite numbers"):
        artifact.load(path, family)


@EVERY
def test_a_network_of_another_family_is_refused(tmp_path, family):
    path, _ = stored(tmp_path, family)
    other = next(each for each in SMALL if each != family)
    why = rf"n\.h5: was made for family '{family}', not '{other}'"
    with pytest.raises(ArtifactError, match=why):
        artifact.load(path, other)


@pytest.mark.parametrize(
    ("expected", "words"),
    [
        ({"network": "yours"}, "network 'mine', not 'yours'"),
        ({"kind": "duf"}, "kind 'vdsr', not 'duf'"),
        ({"settings": {"width": 8, "depth": 3}}, "settings"),
    ],
)
def test_another_network_is_refused(tmp_path, expected, words):
    path, _ = stored(tmp_path, "sr")
    with pytest.raises(ArtifactError, match=rf"n\.h5: was made for {words}"):
        artifact.load(path, "sr", **expected)


def test_weights_that_do_not_fit_are_refused(tmp_path):
    path, _ = stored(tmp_path, "sr")
    with reader.open(path) as file:
        about = file.about
    artifact.save(path, about, {"convs.0.weight": torch.ones(1)})
    with pytest.raises(ArtifactError, match=r"n\.h5: mine: 6 entries do not fit"):
        artifact.load(path, "sr")


def test_a_file_without_a_network_is_refused():
    with pytest.raises(ValueError, match=r"tvl1\.py: has no function build"):
        families.module("flow", "tvl1")


def test_an_unknown_network_lists_those_there_are():
    with pytest.raises(
        ValueError, match="no super-resolution network 'espcn'; there are: bicubic"
    ):
        families.module("sr", "espcn")


@pytest.mark.parametrize(
    "module",
    [
        "training.recipe",
        "recognisers.tsn",
        "flow.flownet2.recipe",
        "perceptual.recipe",
        "networks.job",
        "networks.families",
    ],
)
def test_settings_are_built_without_pytorch_and_opencv(module):
    code = f"import sys, twinlens.{module}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert not {"torch", "cv2", "numba"} & set(done.stdout.split())
