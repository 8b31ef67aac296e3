"""Take published weights instead of training: super-resolution, VGG-16, FlowNet2."""

from pathlib import Path
from typing import Any

import torch

from twinlens import checkpoints, formats, models, provenance, weights
from twinlens.flow import flownet2
from twinlens.losses import vgg
from twinlens.progress import say
from twinlens.training import networks

READERS = ["twinlens.weights.caffe", "twinlens.weights.matlab"]
READERS += ["twinlens.weights.torch_file", "twinlens.weights.hdf5"]


def import_network(
    file: Path, model: str, out: Path, settings: dict[str, Any] | None = None
) -> None:
    """Turn a published super-resolution file into our artifact.

    Args:
        file: .mat, .caffemodel, .pth, ...: a kind that the model's file knows.
        model: the network it holds, a file of `twinlens.models`.
        out: HDF5 "network/1".
        settings: arguments of the model's `build`; none for its published size.

    Raises:
        ArtifactError: the file can't be read, or holds another network.
    """
    module, settings = models.module(model), settings or {}
    if not hasattr(module, "convert"):
        raise formats.ArtifactError(f"no published weights of {model} are known")
    network = models.build(model, **settings)
    try:
        checkpoints.load_into(network, module.convert(weights.read(file)), model)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise formats.ArtifactError(f"{file}: {error}") from error
    about = provenance.about(
        "import-sr",
        ["twinlens.training.given", f"twinlens.models.{model}", *READERS],
        formats.ids(file),
        model=model,
        settings=settings,
        trained=True,
        recipe=None,
    )
    networks.save(out, networks.NETWORK, about, network)
    say(f"{file}: {model}, {networks.parameters(network):,} parameters")


def import_perceptual(file: Path, out: Path, inputs: str | None = None) -> None:
    """Turn a published VGG-16 into our artifact, up to conv3_3.

    Args:
        file: `VGG_ILSVRC_16_layers.caffemodel`, or torchvision's `vgg16-*.pth`.
        out: HDF5 "perceptual/1".
        inputs: "caffe" or "torchvision"; by default what the file's names tell.

    Raises:
        ArtifactError: the file can't be read, or holds another network.
    """
    try:
        taken, state = vgg.convert(weights.read(file), inputs)
        network = vgg.Vgg(inputs=taken)
        checkpoints.load_into(network, state, "VGG-16")
    except ValueError as error:
        raise formats.ArtifactError(f"{file}: {error}") from error
    about = provenance.about(
        "import-vgg",
        ["twinlens.training.given", *READERS],
        formats.ids(file),
        pictures=taken,
        widths=list(vgg.WIDTHS),
        trained=True,
    )
    networks.save(out, vgg.PERCEPTUAL, about, network)
    say(f"{file}: VGG-16 to conv3_3, {networks.parameters(network):,} parameters")


def import_flownet2(file: Path, out: Path) -> None:
    """Turn a published FlowNet2 into our artifact.

    Args:
        file: NVIDIA's `FlowNet2_checkpoint.pth.tar`, or LMB's
            `FlowNet2_weights.caffemodel.h5` or `.caffemodel`.
        out: HDF5 "flownet2/1".

    Raises:
        ArtifactError: the file can't be read, or holds another network.
    """
    try:
        state = flownet2.convert(weights.read(file))
        with torch.device("meta"):
            network = flownet2.build()
        network.to_empty(device="cpu")
        checkpoints.load_into(network, state, "FlowNet2")
    except ValueError as error:
        raise formats.ArtifactError(f"{file}: {error}") from error
    about = provenance.about(
        "import-flow",
        ["twinlens.training.given", *READERS],
        formats.ids(file),
        width=network.width,
        trained=True,
        recipe=None,
    )
    networks.save(out, flownet2.FLOWNET2, about, network)
    say(f"{file}: FlowNet2, {networks.parameters(network):,} parameters")
