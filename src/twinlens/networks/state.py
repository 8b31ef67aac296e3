"""State dicts in HDF5: one data set for each tensor, never a pickle."""

from collections.abc import Mapping

import h5py
import numpy as np
import torch
from torch import Tensor, nn

from twinlens.artifacts import writer
from twinlens.artifacts.reader import Group
from twinlens.errors import ArtifactError, message, unusable


def fault(state: Mapping[str, Tensor]) -> str:
    """Why weights can't be used, "" if they can.

    A network with NaN gives scores whose largest is always class 0, and black frames.
    """
    for key, value in state.items():
        if value.is_floating_point() and not value.isfinite().all():
            return message(f"{key} has values that are not finite numbers")
        if key.endswith("running_var") and bool((value < 0).any()):
            return message(f"{key} has negative variances")
    return ""


def save(group: h5py.Group, state: Mapping[str, Tensor]) -> None:
    """Store a state dict, one data set an entry.

    Raises:
        ArtifactError: it has values that no network can use.
    """
    if why := fault(state):
        raise ArtifactError(
            f"weights are not stored: {why}; after a training: lower lr in its recipe"
        )
    for key, value in state.items():
        writer.put(group, key, value.detach().cpu().numpy())
        group[key].attrs["shape"] = np.array(value.shape, dtype=np.int64)


def load(group: Group) -> dict[str, Tensor]:
    """Read what `save` stored.

    Raises:
        ArtifactError: it is damaged, or has values that no network can use.
    """
    state = {}
    for key, item in group.items():
        shape = tuple(item.attrs["shape"])
        state[key] = torch.from_numpy(item[:].reshape(shape))
    if why := fault(state):
        raise unusable(group.path, why)
    return state


def fit(network: nn.Module, state: Mapping[str, Tensor], name: str) -> None:
    """Put weights into a network.

    Raises:
        ValueError: entries are missing, unexpected, of another shape or not finite.
    """
    if why := fault(state):
        raise ValueError(f"{name}: {why}")
    own = network.state_dict()
    wrong = [
        f"{key} {tuple(value.shape)} instead of {tuple(own[key].shape)}"
        for key, value in state.items()
        if key in own and value.shape != own[key].shape
    ]
    wrong += [f"{key} is unexpected" for key in state if key not in own]
    wrong += [f"{key} is missing" for key in own if key not in state]
    if wrong:
        some = ", ".join(wrong[:6])
        raise ValueError(f"{name}: {len(wrong)} entries do not fit: {some}")
    network.load_state_dict(dict(state))
