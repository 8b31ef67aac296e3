"""Take a recogniser's published weights instead of training."""

from pathlib import Path
from typing import Any

from torch import Tensor

from twinlens import checkpoints, provenance, weights
from twinlens.artifacts import reader, writer
from twinlens.artifacts.table import read_csv
from twinlens.errors import ArtifactError
from twinlens.recognition import backbones, networks


def import_weights(
    file: Path,
    backbone: str,
    stream: str,
    dataset: str,
    out: Path,
    classes: Path | None = None,
    stack: int = 5,
) -> None:
    """Turn a published file into our artifact.

    Args:
        file: .caffemodel, or .pth of tsn-pytorch, mmaction or an image network.
        backbone: the network it holds.
        stream: "spatial" or "temporal".
        dataset: the data set it was trained on; "images" for an image network, whose
            classifier is left out.
        classes: csv of the data set's classes; none for an image network.
        out: HDF5 "weights/1".
        stack: flows in a stack of the temporal stream.

    Raises:
        ArtifactError: the file can't be read, or holds another network.
    """
    count = len(read_csv(classes, "classes/1")) if classes else 0
    channels = networks.channels(stream, stack)
    found = weights.read(file)
    try:
        state = _converted(backbone, found, count)
        if count:
            network = backbones.build(backbone, channels=channels, classes=count)
            backbones.load(network, state)
    except ValueError as error:
        raise ArtifactError(f"{file}: {error}") from error
    about = provenance.about(
        "import",
        [
            "twinlens.recognition.given",
            f"twinlens.recognition.backbones.{backbone}",
            *weights.MODULES,
        ],
        reader.ids(file),
        dataset=dataset,
        stream=stream,
        backbone=backbone,
        channels=channels,
        classes=count,
        settings={},
        trained=count > 0,
    )
    with writer.create(out, networks.WEIGHTS, about) as artifact:
        checkpoints.save_state(artifact.create_group("state"), state)


def _converted(backbone: str, found: dict[str, Any], classes: int) -> dict[str, Tensor]:
    """The file's content under the names of our network."""
    module = backbones.module(backbone)
    if not hasattr(module, "convert"):
        raise ValueError(f"no published weights of {backbone} are known")
    state: dict[str, Tensor] = module.convert(found, classes=classes or None)
    if classes and "fc.weight" not in state:
        raise ValueError(
            f"holds no classifier of {classes} classes: it is an image network"
            " (recogniser.init takes it) or one of another data set"
        )
    if why := checkpoints.fault(state):
        raise ValueError(why)
    if not classes:
        state = {key: each for key, each in state.items() if not key.startswith("fc.")}
    return state
