"""Score clips by ST-ResNet: whole frames and their mirror images, in one pass each."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from twinlens.artifacts.reader import JoinedClip
from twinlens.networks import artifact
from twinlens.networks.device import device, repeatable
from twinlens.recognisers import Reads
from twinlens.recognisers.st_resnet import Views
from twinlens.recognition.recode import Images, mirror
from twinlens.recognition.shards import SPATIAL, TEMPORAL, recoded
from twinlens.recognition.st_resnet.inputs import network_input, whole

Scores = dict[str, NDArray[np.float32]]


def scorer(
    scoring: Mapping[str, Any],
    networks: Mapping[str, Path],
    dataset: str,
    threads: int = 1,
) -> Callable[[JoinedClip | None, JoinedClip | None, Reads], Scores]:
    """Load the final network.

    Args:
        scoring: `views`, how frames become inputs.
        networks: HDF5 "network/1" of `stage2`.
        dataset: what it must be trained on.
        threads: CPU threads of torch.

    Returns:
        A function of a clip's frames, its flow and what is read of them that gives the
        scores of each stream: (2, classes) before softmax, of the clip as it is and of
        its mirror image, averaged over space and time.
    """
    repeatable(threads)
    views = Views(**scoring["views"])
    network = artifact.load(
        networks["stage2"], "two_stream", dataset=dataset, stream="stage2"
    )
    network = network.to(device())

    def score(
        frames: JoinedClip | None, flow: JoinedClip | None, reads: Reads
    ) -> Scores:
        assert frames is not None
        assert flow is not None
        images = whole(recoded(frames, SPATIAL, reads.frames[:, None], views), views)
        motion = whole(recoded(flow, TEMPORAL, reads.flows, views), views)
        # One view at a time: 25 whole frames of a published network take gigabytes.
        each = [
            _view(network, images, motion),
            _view(network, mirror(images, flow=False), mirror(motion, flow=True)),
        ]
        return {name: np.stack([view[name] for view in each]) for name in each[0]}

    return score


def _view(network: Any, frames: Images, flow: Images) -> Scores:
    """Score one view of a clip: (classes,) by stream, averaged over time."""
    where = device()
    images = {SPATIAL: frames, TEMPORAL: flow}
    inputs = [
        network_input(each, stream, network.mean)[None].to(where)
        for stream, each in images.items()
    ]
    with torch.inference_mode():
        scores = network(*inputs)
    return {name: each[0].mean(dim=0).cpu().numpy() for name, each in scores.items()}
