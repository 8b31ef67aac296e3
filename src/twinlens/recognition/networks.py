"""A recogniser's networks as artifacts: weights with what they are and where from.

HDF5 "weights/1": state/<key>, one array for each entry of the state dict;
about: backbone, settings, channels, classes, trained.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from twinlens import checkpoints
from twinlens.artifacts import reader
from twinlens.errors import ArtifactError
from twinlens.recognition import backbones

WEIGHTS = "weights/1"


def channels(stream: str, stack: int) -> int:
    """Input channels: 3 for RGB, x and y of each flow for a stack."""
    return 3 if stream == "spatial" else 2 * stack


def load(path: Path, device: torch.device, **expected: Any) -> nn.Module:
    """The trained network of an artifact, ready to score.

    Args:
        path: HDF5 "weights/1".
        device: where to put it.
        expected: what the artifact must say of itself: dataset, stream.

    Raises:
        ArtifactError: the file is not whole, or its network was never trained.
    """
    with reader.open(path, WEIGHTS, **expected) as file:
        about = file.about
        if not about.get("trained"):
            raise ArtifactError(
                f"{path}: this network was never trained; its scores would mean"
                " nothing. Train it, or give weights in the config"
            )
        network = backbones.build(about["backbone"], **build_settings(about))
        network.load_state_dict(checkpoints.load_state(file["state"]))
    return network.to(device).eval()


def build_settings(about: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of the backbone's `build`."""
    return {
        "channels": about["channels"],
        "classes": about["classes"],
        **about["settings"],
    }
