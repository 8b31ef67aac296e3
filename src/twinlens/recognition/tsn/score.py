"""Score clips by TSN's networks, snippet by snippet (its eval_net protocol)."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from twinlens.artifacts.reader import JoinedClip
from twinlens.networks import artifact
from twinlens.networks.device import device, repeatable
from twinlens.recognisers import Reads
from twinlens.recognisers.tsn import Views
from twinlens.recognition.recode import Images
from twinlens.recognition.shards import SPATIAL, TEMPORAL, recoded
from twinlens.recognition.tsn.views import network_input, test_crops

BATCH = 64
"""Views that the networks see at once."""
Scores = dict[str, NDArray[np.float32]]


def scorer(
    scoring: Mapping[str, Any],
    networks: Mapping[str, Path],
    dataset: str,
    threads: int = 1,
) -> Callable[[JoinedClip | None, JoinedClip | None, Reads], Scores]:
    """Load the networks of the streams to score.

    Args:
        scoring: `views`, how frames become inputs.
        networks: HDF5 "network/1" by stream.
        dataset: what they must be trained on.
        threads: CPU threads of torch.

    Returns:
        A function of a clip's frames, its flow and what is read of them that gives the
        scores of each stream: (snippets, classes), averaged over crops.
    """
    repeatable(threads)
    views = Views(**scoring["views"])
    loaded = {
        stream: artifact.load(path, "recogniser", dataset=dataset, stream=stream)
        for stream, path in networks.items()
    }
    on_device = {stream: each.to(device()) for stream, each in loaded.items()}

    def score(
        frames: JoinedClip | None, flow: JoinedClip | None, reads: Reads
    ) -> Scores:
        inputs = {
            SPATIAL: (frames, reads.frames[:, None]),
            TEMPORAL: (flow, reads.flows),
        }
        return {
            stream: _stream(network, stream, *inputs[stream], views)
            for stream, network in on_device.items()
        }

    return score


def _stream(
    network: nn.Module,
    stream: str,
    clip: JoinedClip | None,
    wanted: NDArray[np.int64],
    views: Views,
) -> NDArray[np.float32]:
    """Score a clip's snippets: (snippets, classes), repeats computed once."""
    assert clip is not None
    distinct, snippet = np.unique(wanted, axis=0, return_inverse=True)
    images = recoded(clip, stream, distinct, views)
    flow = stream == TEMPORAL
    scores = network_scores(network, test_crops(images, views, flow), flow, BATCH)
    return scores.mean(axis=1)[snippet.reshape(-1)]


def network_scores(
    network: nn.Module, crops_nvchw: Images, flow: bool, batch: int = BATCH
) -> NDArray[np.float32]:
    """Score every view: (N, views, C, h, w) to (N, views, classes)."""
    flat = crops_nvchw.reshape(-1, *crops_nvchw.shape[2:])
    where = device()
    scores: list[NDArray[np.float32]] = []
    with torch.inference_mode():
        for start in range(0, len(flat), batch):
            inputs = network_input(flat[start : start + batch], flow)
            output = network(torch.from_numpy(inputs).to(where))
            scores.append(output.cpu().numpy())
    return np.concatenate(scores).reshape(*crops_nvchw.shape[:2], -1)
