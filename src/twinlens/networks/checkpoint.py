"""What an interrupted training resumes from: HDF5 "checkpoint/1", never a pickle.

state       the network's state dict
optimizer   the optimiser's tensors, a group for each parameter that has some
log         float64 (steps, columns), the rows so far
attributes  step (how many are done), columns and facts (JSON)
"""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from twinlens.artifacts import reader, writer
from twinlens.artifacts.reader import Group
from twinlens.networks import state
from twinlens.settings import IN_JOB

CHECKPOINT = "checkpoint/1"
SECONDS_BETWEEN = float(os.environ.get("TWINLENS_CHECKPOINT_SECONDS", "60"))


def path_beside(out: Path, identity: str) -> Path:
    """Where the checkpoints of the job that writes `out` lie: hidden, named by its id.

    Snakemake removes the declared outputs of failed jobs, so it is none of them; a job
    of other settings, inputs or code never finds it.
    """
    return out.with_name(f".{out.name}.{identity[:12]}.checkpoint")


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkpoint:
    """All that the rest of a training, or its end, depends on."""

    step: int
    """How many steps are done."""
    columns: Sequence[str]
    """Of the log."""
    log: NDArray[np.float64]
    """(steps, columns)."""
    facts: dict[str, Any]
    """What the training found out; must be JSON."""
    network: dict[str, Tensor]
    """The network's state dict."""


def save(
    path: Path,
    about: dict[str, Any],
    checkpoint: Checkpoint,
    optimizer: torch.optim.Optimizer,
) -> None:
    """Publish a checkpoint of the job that `about` describes."""
    with writer.create(path, CHECKPOINT, about) as file:
        file.attrs["step"] = checkpoint.step
        file.attrs["columns"] = np.bytes_(json.dumps(list(checkpoint.columns)))
        file.attrs["facts"] = np.bytes_(json.dumps(checkpoint.facts))
        state.save(file.create_group("state"), checkpoint.network)
        _save_optimizer(file.create_group("optimizer"), optimizer)
        writer.put(file, "log", checkpoint.log)


def load(
    path: Path, identity: str, optimizer: torch.optim.Optimizer | None = None
) -> Checkpoint:
    """Read the checkpoint of the job with this id, and bring its optimiser back.

    Raises:
        ArtifactError: it is damaged, or of another job.
    """
    with reader.open(path, CHECKPOINT, id=identity) as file:
        if optimizer is not None:
            _load_optimizer(file["optimizer"], optimizer)
        return Checkpoint(
            step=int(file.attrs["step"]),
            columns=json.loads(file.attrs["columns"]),
            log=file["log"][:],
            facts=json.loads(file.attrs["facts"]),
            network=state.load(file["state"]),
        )


def finish(path: Path) -> None:
    """Remove the checkpoint of a training whose artifact was published.

    A job leaves it until the run of the workflow has ended well, see `endings`: where
    the run is killed before it has heard of a finished job, it takes away what the job
    published, and from the checkpoint that comes back in a moment.
    """
    if not IN_JOB:
        path.unlink(missing_ok=True)


def _save_optimizer(group: h5py.Group, optimizer: torch.optim.Optimizer) -> None:
    for key, entry in optimizer.state_dict()["state"].items():
        state.save(group.create_group(str(key)), entry)


def _load_optimizer(group: Group, optimizer: torch.optim.Optimizer) -> None:
    """Load the tensors; parameter groups and rates stay as they are."""
    found = optimizer.state_dict()
    found["state"] = {int(key): state.load(entry) for key, entry in group.items()}
    optimizer.load_state_dict(found)
