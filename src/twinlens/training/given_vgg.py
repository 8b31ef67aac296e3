"""Take a published VGG-16 for the perceptual loss instead of training a narrow one."""

from pathlib import Path

from twinlens import checkpoints, provenance, weights
from twinlens.artifacts import reader
from twinlens.errors import ArtifactError
from twinlens.losses import vgg
from twinlens.progress import say
from twinlens.training import networks


def import_perceptual(file: Path, out: Path, inputs: str | None = None) -> None:
    """Turn a published VGG-16 into our artifact, up to conv3_3.

    Args:
        file: `VGG_ILSVRC_16_layers.caffemodel`, or torchvision's `vgg16-*.pth`.
        out: HDF5 "perceptual/1".
        inputs: "caffe" or "torchvision"; by default what the file's names tell.

    Raises:
        ArtifactError: the file can't be read, or holds another network.
    """
    found = weights.read(file)
    try:
        taken, state = vgg.convert(found, inputs)
        network = vgg.Vgg(inputs=taken)
        checkpoints.load_into(network, state, "VGG-16")
    except ValueError as error:
        raise ArtifactError(f"{file}: {error}") from error
    about = provenance.about(
        "import-vgg",
        ["twinlens.training.given_vgg", *weights.MODULES],
        reader.ids(file),
        pictures=taken,
        widths=list(vgg.WIDTHS),
        trained=True,
    )
    networks.save(out, vgg.PERCEPTUAL, about, network)
    say(f"{file}: VGG-16 to conv3_3, {networks.parameters(network):,} parameters")
