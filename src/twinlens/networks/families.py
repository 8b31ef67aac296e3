"""The families of networks: packages of files, each with a `build`, found by name."""

from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from twinlens import named

if TYPE_CHECKING:
    from torch import nn

SOURCE = Path(__file__).resolve().parents[1]
FAMILIES = {
    "sr": "models",
    "recogniser": "recognition.backbones",
    "flow": "flow.estimators",
    "perceptual": "perceptual",
}
"""The package of each, below `twinlens`."""


def dotted(family: str, kind: str) -> str:
    """The module of a network's file, for the digest of code."""
    return f"twinlens.{FAMILIES[family]}.{kind}"


def module(family: str, kind: str) -> ModuleType:
    """Import a network's file.

    Raises:
        ValueError: there is no such file, or it builds no network.
    """
    package = FAMILIES[family]
    folder = SOURCE.joinpath(*package.split("."))
    found = named.module(folder, f"twinlens.{package}", kind, f"{family} network")
    if not hasattr(found, "build"):
        raise ValueError(f"{found.__file__}: has no function build")
    return found


def build(family: str, kind: str, **settings: Any) -> "nn.Module":
    """Build a network with random weights.

    Raises:
        ValueError: there is no such network, or it refuses its settings.
    """
    network: nn.Module = module(family, kind).build(**settings)
    return network
