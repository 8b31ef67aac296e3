"""Estimators of optical flow: one file each, the file's name is the `kind` of an entry.

A file imports neither PyTorch nor OpenCV at its top, since the workflow reads it to
plan its jobs. It has::

    Settings    pydantic dataclass of the config's entry under `flows`, `kind` and
                `label` among its fields
    load(settings, network, threads)    an `Estimator`
    NETWORK     optional: the kind of network (of the family "flow") that it needs; its
                `Settings` then have `weights`, a published file or None
    OF_TRAINING optional: the names of settings that only decide the training of that
                network
    takes_gpu(settings)    optional: whether its jobs ask for a GPU; networks do

Nothing is registered.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from twinlens.arrays import Frames
from twinlens.errors import ArtifactError
from twinlens.networks.families import FAMILIES

Estimator = Callable[[Frames, Frames], NDArray[np.float32]]
"""First and second frames to flow (N, 2, H, W), px, x to the right then y down."""

PACKAGE = FAMILIES["flow"]
names, module = PACKAGE.names, PACKAGE.module


def deciding(settings: Any) -> dict[str, Any]:
    """Select the settings that decide the flow: not the label, nor where weights lie.

    Nor what decides the network itself, which is an input of its own.
    """
    entry = asdict(settings)
    aside = {"label", "weights", *getattr(module(entry["kind"]), "OF_TRAINING", ())}
    return {key: value for key, value in entry.items() if key not in aside}


def needs_network(settings: Mapping[str, Any]) -> bool:
    """Whether an entry's estimator is a network."""
    return hasattr(module(settings["kind"]), "NETWORK")


def takes_gpu(settings: Any) -> bool:
    """Whether the jobs of an entry of `flows` ask for a GPU."""
    found = module(settings.kind)
    if hasattr(found, "takes_gpu"):
        return bool(found.takes_gpu(settings))
    return hasattr(found, "NETWORK")


def modules(settings: Mapping[str, Any]) -> list[str]:
    """Name the module of an entry's estimator, for the digest of code."""
    return [PACKAGE.dotted_name(settings["kind"])]


def load(
    settings: Mapping[str, Any], network: Path | None = None, threads: int = 1
) -> Estimator:
    """Load an estimator.

    Args:
        settings: its entry in the config's `flows`.
        network: HDF5 "network/1" of those that need one.
        threads: CPU threads.

    Raises:
        ArtifactError: no such estimator, or it lacks its network; when it is called:
            its flow is not finite.
    """
    kind = settings["kind"]
    try:
        found = module(kind)
    except ValueError as error:
        raise ArtifactError(str(error)) from error
    if hasattr(found, "NETWORK") and network is None:
        raise ArtifactError(f"the flow estimator {kind} needs --network")
    typed = TypeAdapter(found.Settings).validate_python(settings)
    return partial(_finite, kind, found.load(typed, network, threads))


def _finite(
    kind: str, estimate: Estimator, first: Frames, second: Frames
) -> NDArray[np.float32]:
    flow = estimate(first, second)
    if not np.isfinite(flow).all():
        raise ArtifactError(f"{kind} gives flow with values that are not finite")
    return flow
