"""Take a published FlowNet2 instead of training a narrow one."""

from pathlib import Path

import torch

from twinlens import checkpoints, provenance, weights
from twinlens.artifacts import reader
from twinlens.errors import ArtifactError
from twinlens.flow import flownet2
from twinlens.progress import say
from twinlens.training import networks


def import_flownet2(file: Path, out: Path) -> None:
    """Turn a published FlowNet2 into our artifact.

    Args:
        file: NVIDIA's `FlowNet2_checkpoint.pth.tar`, or LMB's
            `FlowNet2_weights.caffemodel.h5` or `.caffemodel`.
        out: HDF5 "flownet2/1".

    Raises:
        ArtifactError: the file can't be read, or holds another network.
    """
    found = weights.read(file)
    try:
        state = flownet2.convert(found)
        with torch.device("meta"):
            network = flownet2.build()
        network.to_empty(device="cpu")
        checkpoints.load_into(network, state, "FlowNet2")
    except ValueError as error:
        raise ArtifactError(f"{file}: {error}") from error
    about = provenance.about(
        "import-flow",
        ["twinlens.training.given_flownet2", *weights.MODULES],
        reader.ids(file),
        width=network.width,
        trained=True,
        recipe=None,
    )
    networks.save(out, flownet2.FLOWNET2, about, network)
    say(f"{file}: FlowNet2, {networks.parameters(network):,} parameters")
