"""Take published weights of super-resolution instead of training."""

from pathlib import Path
from typing import Any

from twinlens import checkpoints, models, provenance, weights
from twinlens.artifacts import reader
from twinlens.errors import ArtifactError
from twinlens.progress import say
from twinlens.training import networks


def import_network(
    file: Path,
    model: str,
    out: Path,
    settings: dict[str, Any] | None = None,
    name: str | None = None,
) -> None:
    """Turn a published super-resolution file into our artifact.

    Args:
        file: .mat, .caffemodel, .pth, ...: a kind that the model's file knows.
        model: the network it holds, a file of `twinlens.models`.
        out: HDF5 "network/1".
        settings: arguments of the model's `build`; none for its published size.
        name: the method or start that it is for; the model's name without.

    Raises:
        ArtifactError: the file can't be read, or holds another network.
    """
    module, settings = models.module(model), settings or {}
    if not hasattr(module, "convert"):
        raise ArtifactError(f"no published weights of {model} are known")
    found = weights.read(file)
    try:
        network = models.build(model, **settings)
        checkpoints.load_into(network, module.convert(found), model)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise ArtifactError(f"{file}: {error}") from error
    about = provenance.about(
        "import-sr",
        ["twinlens.training.given", f"twinlens.models.{model}", *weights.MODULES],
        reader.ids(file),
        network=name or model,
        model=model,
        settings=settings,
        trained=True,
        recipe=None,
    )
    networks.save(out, networks.NETWORK, about, network)
    say(f"{file}: {model}, {networks.parameters(network):,} parameters")
