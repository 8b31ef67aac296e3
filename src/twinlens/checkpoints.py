"""Networks and optimisers in HDF5: one data set for each tensor, never a pickle."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch
from torch import Tensor, nn

from twinlens.artifacts import writer
from twinlens.artifacts.reader import Group
from twinlens.errors import ArtifactError, unusable

CHECKPOINT = "checkpoint/1"
SECONDS_BETWEEN = float(os.environ.get("TWINLENS_CHECKPOINT_SECONDS", "60"))


def path_beside(out: Path, identity: str) -> Path:
    """Where the checkpoints of the job that makes `out` lie: hidden, named by its id.

    Snakemake removes the declared outputs of failed jobs, so it is none of them; a job
    of other settings, inputs or code never finds it.
    """
    return out.with_name(f".{out.name}.{identity[:12]}.checkpoint")


def save(
    path: Path,
    about: dict[str, Any],
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    log: np.ndarray[Any, Any],
    **facts: Any,
) -> None:
    """Publish a checkpoint: all that the rest of a training depends on.

    Args:
        path: of `path_beside`.
        about: of the job.
        network: its state dict goes to `state`.
        optimizer: its tensors go to `optimizer`.
        log: (steps, columns), the rows so far.
        facts: attributes, such as the steps that are done.
    """
    with writer.create(path, CHECKPOINT, about) as file:
        file.attrs.update(facts)
        save_state(file.create_group("state"), network.state_dict())
        save_optimizer(file.create_group("optimizer"), optimizer)
        writer.put(file, "log", log)


def fault(state: Mapping[str, Tensor]) -> str:
    """Why weights can't be used, "" if they can.

    A network with NaN gives scores whose largest is always class 0, and black frames.
    """
    for key, value in state.items():
        if value.is_floating_point() and not value.isfinite().all():
            return f"{key} has values that are not finite numbers"
        if key.endswith("running_var") and bool((value < 0).any()):
            return f"{key} has negative variances"
    return ""


def save_state(group: h5py.Group, state: Mapping[str, Tensor]) -> None:
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


def load_state(group: Group) -> dict[str, Tensor]:
    """Read what `save_state` stored.

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


def save_optimizer(group: h5py.Group, optimizer: torch.optim.Optimizer) -> None:
    """Store an optimiser's tensors: a group for each parameter that has some."""
    for key, entry in optimizer.state_dict()["state"].items():
        save_state(group.create_group(str(key)), entry)


def load_optimizer(group: Group, optimizer: torch.optim.Optimizer) -> None:
    """Read what `save_optimizer` stored; groups and rates stay as they are."""
    state = optimizer.state_dict()
    state["state"] = {int(key): load_state(entry) for key, entry in group.items()}
    optimizer.load_state_dict(state)


def device() -> torch.device:
    """The GPU when there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def repeatable(threads: int) -> None:
    """Ask torch for the same numbers twice, in full single precision.

    Other numbers of threads, and other machines, give other last digits. On GPUs a few
    gradients have no repeatable form: torch then warns and goes on.
    """
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(mode=True, warn_only=True)
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False


def load_into(network: nn.Module, state: Mapping[str, Tensor], what: str) -> None:
    """Put weights into a network.

    Raises:
        ValueError: entries are missing, unexpected, of another shape or not finite.
    """
    if why := fault(state):
        raise ValueError(f"{what}: {why}")
    own = network.state_dict()
    wrong = [k for k, v in state.items() if k not in own or v.shape != own[k].shape]
    wrong += [k for k in own if k not in state]
    if wrong:
        some = ", ".join(wrong[:6])
        raise ValueError(f"{what}: {len(wrong)} entries do not fit: {some}")
    network.load_state_dict(dict(state))
