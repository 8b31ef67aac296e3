"""Backbones of the recognisers, one file each: the file's name is the backbone's name.

A file provides `build(*, channels, classes, dropout, ...)`, which gives a module that
maps (B, channels, H, W) to (B, classes) scores before softmax and whose last layer is
called `fc`, and `FIRST_CONV`, the name of the convolution that sees the input.
`dropout` is the recipe's, a share of the last features; what else there is has
defaults, and is set by the recipe's `settings`. One whose weights are published also
provides `convert` and `settings_of`, see `twinlens.networks`. There is nothing to
register.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from twinlens.networks import artifact
from twinlens.networks.families import FAMILIES

CLASSIFIER = "fc"
PACKAGE = FAMILIES["recogniser"]
names, module = PACKAGE.names, PACKAGE.module


def build(name: str, **settings: Any) -> nn.Module:
    """Build a backbone with random weights.

    Args:
        name: one of `names()`.
        settings: what the backbone's own `build` takes: channels, classes, dropout, ...

    Raises:
        ValueError: there is no such backbone.
    """
    return module(name).build(**settings)


def load(network: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Put weights into a network; only its classifier may be left as it is.

    Raises:
        ValueError: entries are missing, unexpected or of another shape.
    """
    own = network.state_dict()
    wrong = [k for k, v in state.items() if k not in own or v.shape != own[k].shape]
    wrong += [k for k in own if k not in state and not _may_be_missing(k)]
    if wrong:
        raise ValueError(f"{len(wrong)} entries do not fit: {', '.join(wrong[:6])}")
    network.load_state_dict(dict(state), strict=False)


def _may_be_missing(key: str) -> bool:
    return key.startswith(f"{CLASSIFIER}.") or key.endswith("num_batches_tracked")


def without_classifier(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Drop the classifier's entries from a state dict."""
    return {k: v for k, v in state.items() if not k.startswith(f"{CLASSIFIER}.")}


def from_images(
    path: Path, network: nn.Module, kind: str, dataset: str
) -> dict[str, Tensor]:
    """Read the weights of an image network for another input, but for its classifier.

    Args:
        path: HDF5 "network/1".
        network: that is to start from it.
        kind: of both, one of `names()`.
        dataset: what the image network must be of.
    """
    state = artifact.load(path, "recogniser", kind=kind, dataset=dataset).state_dict()
    first, own = f"{module(kind).FIRST_CONV}.weight", network.state_dict()
    if state[first].shape != own[first].shape:
        state = cross_modality(state, own[first].shape[1])
    return without_classifier(state)


def cross_modality(state: Mapping[str, Tensor], channels: int) -> dict[str, Tensor]:
    """Start a network of other channels from one of colours (Wang et al., ECCV 2016).

    The first convolution's weights are averaged over its input channels, and the mean
    is repeated for each new one; everything else stays.

    Args:
        state: state dict of any backbone here.
        channels: of the new input, say 10 for five flow fields.

    Raises:
        ValueError: the state has the first convolution of none of the backbones.
    """
    known = {f"{module(name).FIRST_CONV}.weight" for name in names()}
    found = known & set(state)
    if len(found) != 1:
        raise ValueError(f"expected one of {sorted(known)} among the weights")
    key = found.pop()
    mean = state[key].mean(dim=1, keepdim=True)
    return {**state, key: mean.repeat(1, channels, 1, 1)}


class FrozenBatchNorm2d(nn.BatchNorm2d):
    """Batch normalisation that keeps its statistics, whatever mode it is put in."""

    def train(self, mode: bool = True) -> "FrozenBatchNorm2d":
        """Stay in evaluation mode."""
        return super().train(False)


def freeze_batch_norm(network: nn.Module, but_first: bool = True) -> None:
    """Stop batch normalisations from learning: TSN's partial batch normalisation.

    Their statistics, scales and shifts stay as they are, also after a later
    `network.train()`. Names in the state dict do not change.

    Args:
        network: changed in place.
        but_first: leave the first one free, which meets inputs of a new kind.
    """
    norms = [part for part in network.modules() if isinstance(part, nn.BatchNorm2d)]
    for norm in norms[1:] if but_first else norms:
        norm.__class__ = FrozenBatchNorm2d
        norm.train()
        norm.requires_grad_(False)
