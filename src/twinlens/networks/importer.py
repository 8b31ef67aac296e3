"""Import published weights of any family instead of training."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from twinlens import weights
from twinlens.artifacts import reader
from twinlens.artifacts.table import read_csv
from twinlens.assets import published
from twinlens.errors import ArtifactError
from twinlens.networks import artifact, families, state
from twinlens.networks.job import Import
from twinlens.progress import say
from twinlens.weights import prefixes


def import_network(
    file: Path, job: Import, out: Path, classes: Path | None = None
) -> None:
    """Turn a published weight file into an artifact.

    Args:
        file: .mat, .caffemodel, .pth, .h5, ...: a kind that the network's file knows.
        job: which network it holds.
        out: HDF5 "network/1".
        classes: csv of the classes that a recogniser must tell apart; without it, those
            that the file has.

    Raises:
        ArtifactError: the file can't be read, or holds another network.
    """
    module = families.module(job.family, job.kind)
    if not hasattr(module, "convert"):
        raise ArtifactError(f"no published weights of {job.kind} are known")
    if difference := published.difference(file):
        say(f"WARNING {file}: {difference}")
    found = weights.read(file)
    settings = dict(job.settings)
    if classes is not None:
        settings["classes"] = len(read_csv(classes, "classes/1"))
    try:
        settings, network = _network(module, job.kind, found, settings)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise ArtifactError(f"{file}: {error}") from error
    about = artifact.about(
        "import-network",
        ["twinlens.networks.importer", *weights.MODULES],
        reader.ids(file),
        job,
        family=job.family,
        network=job.network,
        kind=job.kind,
        settings=settings,
        **_origin(job),
    )
    artifact.save(out, about, network.state_dict())
    say(f"{file}: {job.kind}, {artifact.parameters(network):,} parameters")


def _origin(job: Import) -> dict[str, str]:
    """What a recogniser was trained on and reads; nothing of other networks."""
    origin = {"dataset": job.dataset, "stream": job.stream}
    return {key: value for key, value in origin.items() if value}


def _network(
    module: Any, kind: str, found: Mapping[str, Any], settings: Mapping[str, Any]
) -> tuple[dict[str, Any], nn.Module]:
    """The network in a file, and all settings that it was built with.

    Raises:
        ValueError: no network, with or without prefixes; what the first try said.
    """
    first: Exception | None = None
    for named in prefixes.without(found):
        try:
            return _fitted(module, kind, named, settings)
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            first = first or error
    assert first is not None
    raise first


def _fitted(
    module: Any, kind: str, found: Mapping[str, Any], settings: Mapping[str, Any]
) -> tuple[dict[str, Any], nn.Module]:
    known = module.settings_of(found) if hasattr(module, "settings_of") else {}
    settings = {**known, **settings}
    network: nn.Module = module.build(**settings)
    state.fit(network, module.convert(found), kind)
    return settings, network
