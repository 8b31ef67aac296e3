"""Super-resolve every clip of a shard by one method."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from twinlens import provenance
from twinlens.artifacts import reader
from twinlens.artifacts.reader import JoinedClip
from twinlens.artifacts.shard import Computed, map_clips
from twinlens.errors import ArtifactError
from twinlens.networks.device import device, repeatable
from twinlens.settings import mapping
from twinlens.sr.enlarge import enlarge
from twinlens.sr.network import load
from twinlens.sr.settings import Enlargement


def super_resolve(
    low: list[Path],
    job: Enlargement,
    out: Path,
    weights: Path | None = None,
    threads: int = 1,
) -> None:
    """Enlarge the frames of a shard that recognisers read.

    Args:
        low: HDF5 "low/1", or "frames/1" where the clips are low-resolution already;
            with the neighbours that the network reads.
        job: method, model and frames.
        out: HDF5 "frames/1": by clip `frames` uint8 (n, H, W, 3), `index` and its
            facts.
        weights: HDF5 "network/1" of this method; none for a model without weights.
        threads: CPU threads of torch.

    Raises:
        ArtifactError: the weights are of another method, or not finite; or a frame that
            is needed is not stored.
    """
    repeatable(threads)
    network = load(weights, job.model, job.settings, job.method).to(device())
    with reader.open_shards(low, dataset=job.dataset) as source:
        for file in source.files:
            _expect_originals(file)
        about = provenance.about(
            "sr",
            [
                "twinlens.sr.stage",
                f"twinlens.models.{job.model}",
                *job.reading.modules,
            ],
            reader.ids(*low, *([weights] if weights else [])),
            **mapping(job),
            part=source.about["part"],
        )

        def enlarge_clip(name: str, clip: JoinedClip) -> Computed:
            wanted = _wanted(clip, name, job)
            try:
                high = _enlarged(network, clip, wanted)
            except ArtifactError as error:
                what = f"{job.method}: {name} of {clip.path}: {error}"
                raise ArtifactError(what) from error
            return {"frames": high, "index": wanted.astype(np.int32)}, {}

        map_clips(
            source,
            out,
            "frames/1",
            about,
            enlarge_clip,
            f"sr {job.dataset} {job.method}",
        )


def _expect_originals(file: reader.Artifact) -> None:
    """Refuse frames that were super-resolved, or another kind of artifact."""
    if file.kind == "frames/1":  # clips that are low-resolution already
        file.expect("frames/1", {"method": "hr"})
    else:
        file.expect("low/1", {})


def _wanted(clip: JoinedClip, name: str, job: Enlargement) -> NDArray[np.integer]:
    """List the frames to enlarge: those that are read, or all that are stored."""
    if not job.reading.samplers:
        return clip.index
    return job.reading.frames(int(clip.facts["frames"]), name)


def _enlarged(
    network: nn.Module, clip: JoinedClip, wanted: NDArray[np.integer]
) -> NDArray[np.uint8]:
    index, facts = clip.index, clip.facts
    frames, total = clip.at("frames", index), int(facts["frames"])
    with torch.inference_mode():
        high = enlarge(network, frames, index, wanted, total, device())
    # ASSUME: the paper is silent on sides that 4 does not divide: MATLAB's low
    # resolution is ceil(n / 4), and the output is cut to n.
    height = int(facts.get("height") or high.shape[1])
    width = int(facts.get("width") or high.shape[2])
    return high[:, :height, :width]
