"""FlowNet2 of the frames' colours."""

from functools import partial
from pathlib import Path

from twinlens import checkpoints
from twinlens.errors import ArtifactError
from twinlens.flow import flownet2
from twinlens.flow.estimators import Estimator


def load(network: Path | None, preset: str, threads: int) -> Estimator:
    """FlowNet2 with an artifact's weights; there are no presets of it."""
    if network is None:
        raise ArtifactError(
            "the flow estimator flownet2 needs --network, a flownet2/1 artifact"
        )
    checkpoints.repeatable(threads)
    loaded = flownet2.load(network).to(checkpoints.device())
    return partial(flownet2.estimate, loaded)
