"""The families of networks: packages of files, each with a `build`, found by name."""

from types import ModuleType
from typing import TYPE_CHECKING, Any

from twinlens.named import Package

if TYPE_CHECKING:
    from torch import nn

FAMILIES = {
    "sr": Package("models", "super-resolution network"),
    "recogniser": Package("recognition.backbones", "backbone"),
    "two_stream": Package("recognition.two_stream", "two-stream network"),
    "flow": Package("flow.estimators", "flow estimator"),
    "perceptual": Package("perceptual", "perceptual network"),
}


def dotted(family: str, kind: str) -> str:
    """The module of a network's file, for the digest of code."""
    return FAMILIES[family].dotted_name(kind)


def module(family: str, kind: str) -> ModuleType:
    """Import a network's file.

    Raises:
        ValueError: there is no such file, or it builds no network.
    """
    found = FAMILIES[family].module(kind)
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
