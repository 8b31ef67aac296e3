"""Super-resolution networks as artifacts: weights with what they are and where from.

HDF5 "network/1": state/<key>, one array for each entry of the state dict; about:
network (its name in the config), model, settings, trained, and how.
"""

from pathlib import Path
from typing import Any

from torch import nn

from twinlens import checkpoints, models
from twinlens.artifacts import reader, writer
from twinlens.errors import ArtifactError

NETWORK = "network/1"


def load(
    path: Path | None, model: str, settings: dict[str, Any], name: str | None = None
) -> nn.Module:
    """A network ready to enlarge.

    Args:
        path: HDF5 "network/1"; None for a model without weights, such as bicubic.
        model: its file in `twinlens.models`.
        settings: arguments of its `build`.
        name: the method or start that it must have been trained or imported for; None
            takes any.

    Raises:
        ArtifactError: the file is not whole, of another network, or has no trained
            weights, whose pictures would mean nothing.
    """
    network = models.build(model, **settings)
    if path is not None:
        of = {"model": model, "settings": settings, "network": name}
        with reader.open(path, NETWORK, **of) as file:
            if not file.about.get("trained"):
                raise ArtifactError(f"{path}: this network was never trained")
            network.load_state_dict(checkpoints.load_state(file["state"]))
    elif any(True for _ in network.parameters()):
        raise ArtifactError(
            f"{model} has weights and none were given; train it, or give some"
        )
    return network.eval()


def save(path: Path, kind: str, about: dict[str, Any], network: nn.Module) -> None:
    """Publish a network's weights."""
    with writer.create(path, kind, about) as file:
        checkpoints.save_state(file.create_group("state"), network.state_dict())


def start(
    network: nn.Module,
    path: Path,
    model: str,
    settings: dict[str, Any],
    name: str | None = None,
) -> None:
    """Give a network the weights of another training, as `load` takes them."""
    network.load_state_dict(load(path, model, settings, name).state_dict())


def parameters(network: nn.Module) -> int:
    """How many numbers a network has learnt or will."""
    return sum(each.numel() for each in network.parameters())
