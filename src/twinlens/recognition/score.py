"""Score the test clips of a shard with trained networks (TSN's eval_net protocol)."""

from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from twinlens import checkpoints, provenance
from twinlens.artifacts import reader
from twinlens.artifacts.shard import Shard
from twinlens.errors import ArtifactError, unusable
from twinlens.progress import track
from twinlens.protocol import Protocol
from twinlens.recognition import networks
from twinlens.recognition.shards import TEMPORAL, Snippets
from twinlens.recognition.views import Images, Views, network_input, test_crops

SCORES = "scores/1"


def score(
    frames: Path,
    report: Path,
    dataset: str,
    method: str,
    protocol: Protocol,
    views: Views,
    out: Path,
    flow: Path | None = None,
    spatial: Path | None = None,
    temporal: Path | None = None,
    threads: int = 1,
    batch: int = 64,
) -> None:
    """Score every test clip, snippet by snippet, in each stream that has a network.

    Args:
        frames: HDF5 "frames/1" of the shard, original or super-resolved.
        report: csv of the shard's clips.
        dataset: its name.
        method: whose frames these are.
        protocol: how clips are sampled.
        views: how frames become inputs.
        out: HDF5 "scores/1": of each clip `spatial` and `temporal`, float32 (snippets,
            classes), before softmax, averaged over crops; its label as an attribute.
        flow: HDF5 "flow/1" computed from these frames, for the temporal stream.
        spatial: "weights/1" of the RGB network.
        temporal: "weights/1" of the flow network.
        threads: CPU threads of torch.
        batch: views that the networks see at once.
    """
    torch.set_num_threads(threads)
    given = [each for each in (spatial, temporal) if each]
    if bool(flow) != bool(temporal) or not given:
        raise ArtifactError(
            f"{dataset} {method}: the spatial stream needs --spatial, the temporal one"
            " --temporal and --flow"
        )
    about = provenance.about(
        "score",
        ["twinlens.recognition.score", *_backbones(*given)],
        reader.ids(frames, *([flow] if flow else []), report, *given),
        dataset=dataset,
        method=method,
        protocol=protocol.settings(),
        views=asdict(views),
    )
    if flow:
        _check_same_frames(frames, flow)
    streams = {"spatial": (frames, spatial), "temporal": (flow, temporal)}
    made = {
        stream: _Scorer(
            stream, images, weights, report, protocol, views, batch, dataset, method
        )
        for stream, (images, weights) in streams.items()
        if images and weights
    }
    with ExitStack() as stack:
        sources = [stack.enter_context(each.snippets) for each in made.values()]
        rows = sources[0].rows
        with Shard(out, SCORES, about, list(rows["clip"])) as shard:
            todo = rows[rows["clip"].isin(shard.missing())].to_dict("records")
            for row in track(todo, f"score {dataset} {method}"):
                clip, length = str(row["clip"]), int(row["frames"])
                arrays = {key: each(clip, length) for key, each in made.items()}
                shard.write(clip, arrays, label=int(row["label"]))


def _check_same_frames(frames: Path, flow: Path) -> None:
    """Refuse flow that was computed from other frames."""
    with reader.open(flow, "flow/1") as file:
        sources = file.about["inputs"].values()
    if reader.file_id(frames) not in sources:
        raise unusable(flow, f"its flow is not that of {frames}")


def _backbones(*weights: Path) -> list[str]:
    """The modules of the networks' backbones."""
    names = set()
    for path in weights:
        with reader.open(path, networks.WEIGHTS) as file:
            names.add(file.about["backbone"])
    return [f"twinlens.recognition.backbones.{name}" for name in sorted(names)]


class _Scorer:
    """One stream's network with the snippets that it scores."""

    def __init__(
        self,
        stream: str,
        images: Path,
        weights: Path,
        report: Path,
        protocol: Protocol,
        views: Views,
        batch: int,
        dataset: str,
        method: str,
    ) -> None:
        self.weights, self.device = weights, checkpoints.device()
        self.network = networks.load(
            weights, self.device, dataset=dataset, stream=stream
        )
        expected = {"dataset": dataset, "method": method}
        self.snippets = Snippets(
            [images], [report], stream, protocol, views, expected=expected
        )
        self.flow, self.batch = stream == TEMPORAL, batch

    def __call__(self, clip: str, frames: int) -> NDArray[np.float32]:
        """Scores of a clip's snippets (snippets, classes), repeats computed once."""
        images, place = self.snippets.test(clip, frames)
        crops = test_crops(images, self.snippets.views, self.flow)
        made = network_scores(self.network, crops, self.flow, self.device, self.batch)
        if not np.isfinite(made).all():
            raise ArtifactError(
                f"{self.weights}: its scores of {clip} are not finite numbers: train it"
                " again with a lower lr, or give other weights"
            )
        return made.mean(axis=1)[place]


def network_scores(
    network: nn.Module,
    crops_nvchw: Images,
    flow: bool,
    device: torch.device,
    batch: int = 64,
) -> NDArray[np.float32]:
    """Scores of every view: (N, views, C, h, w) to (N, views, classes)."""
    flat = crops_nvchw.reshape(-1, *crops_nvchw.shape[2:])
    made: list[NDArray[np.float32]] = []
    with (
        torch.inference_mode(),
        torch.autocast(device.type, enabled=device.type == "cuda"),
    ):
        for start in range(0, len(flat), batch):
            inputs = network_input(flat[start : start + batch], flow)
            scores = network(torch.from_numpy(inputs).to(device))
            made.append(scores.float().cpu().numpy())
    return np.concatenate(made).reshape(*crops_nvchw.shape[:2], -1)
