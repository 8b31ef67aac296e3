"""Networks as artifacts: weights with what they are and where they come from.

HDF5 "network/1": state/<key>, one array for each entry of the state dict; about:

    family      "sr", "recogniser", "two_stream", "flow" or "perceptual"
    network     its name in the config
    kind        the file of its family that builds it
    settings    the arguments of `build`
    trained     whether its weights were trained; random ones are never used
    job         how it was trained, or what was imported
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from twinlens import provenance
from twinlens.artifacts import reader, writer
from twinlens.errors import unusable
from twinlens.networks import families, state

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

NETWORK = "network/1"


def about(
    stage: str,
    modules: Sequence[str],
    inputs: Mapping[str, str],
    job: "DataclassInstance",
    *,
    family: str,
    network: str,
    kind: str,
    settings: Mapping[str, Any],
    **more: Any,
) -> dict[str, Any]:
    """What a network's artifact says of itself.

    Args:
        stage: the command that makes it.
        modules: whose code decides its content, beside the network's own file.
        inputs: see `provenance.about`.
        job: the settings of the stage.
        family: see above, as `network`, `kind` and `settings`.
        network: its name.
        kind: its file.
        settings: the arguments of `build`.
        more: everything else that decides its content.
    """
    return provenance.about(
        stage,
        [*modules, families.dotted(family, kind)],
        inputs,
        family=family,
        network=network,
        kind=kind,
        settings=dict(settings),
        trained=True,
        job=asdict(job),
        **more,
    )


def save(path: Path, about: Mapping[str, Any], weights: Mapping[str, Tensor]) -> None:
    """Publish a network.

    Raises:
        ArtifactError: its weights have values that no network can use.
    """
    with writer.create(path, NETWORK, about) as file:
        state.save(file.create_group("state"), weights)


def load(path: Path, family: str, **expected: Any) -> nn.Module:
    """Load a trained network, on the CPU, in evaluation mode.

    Args:
        path: HDF5 "network/1".
        family: of the network.
        expected: what else it must say of itself: `network`, `kind`, `settings`,
            `dataset`, ...; None takes any.

    Raises:
        ArtifactError: the file is not whole, of another network, or its weights were
            never trained or are not finite.
    """
    with reader.open(path) as file:
        file.expect(NETWORK, {"family": family, **expected})
        about = file.about
        if not about.get("trained"):
            raise unusable(
                path,
                "this network was never trained, what it computes would mean nothing:"
                " train it, or name published weights in the config",
            )
        weights = state.load(file["state"])
    try:
        network = families.build(family, about["kind"], **about["settings"])
        state.fit(network, weights, about["network"])
    except (ValueError, TypeError) as error:
        raise unusable(path, str(error)) from error
    return network.eval()


def settings(path: Path, *names: str) -> dict[str, Any]:
    """Those arguments of an artifact's `build` that it states, of some."""
    with reader.open(path, NETWORK) as file:
        stated = file.about["settings"]
    return {name: stated[name] for name in names if name in stated}


def module_of(path: Path) -> str:
    """The module of an artifact's network, for the digest of code."""
    with reader.open(path, NETWORK) as file:
        return families.dotted(file.about["family"], file.about["kind"])


def parameters(network: nn.Module) -> int:
    """How many numbers a network learns."""
    return sum(each.numel() for each in network.parameters())
