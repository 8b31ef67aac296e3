"""FlowNet2 as an artifact.

HDF5 "flownet2/1": state/<key>, one array for each entry of the state dict; about:
width, trained, and how.
"""

from pathlib import Path

from twinlens import checkpoints
from twinlens.artifacts import reader
from twinlens.errors import ArtifactError
from twinlens.flow.flownet2.cascade import FlowNet2

FLOWNET2 = "flownet2/1"


def load(path: Path) -> FlowNet2:
    """A network ready to estimate, on the CPU.

    Raises:
        ArtifactError: the file is not whole, of another kind, or was never trained.
    """
    with reader.open(path, FLOWNET2) as file:
        about = file.about
        if not about.get("trained"):
            raise ArtifactError(f"{path}: this network was never trained")
        network = FlowNet2(about["width"])
        checkpoints.load_into(
            network, checkpoints.load_state(file["state"]), "FlowNet2"
        )
    return network.eval()
