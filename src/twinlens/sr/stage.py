"""Super-resolve every clip of a shard by one method."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from twinlens import checkpoints, provenance
from twinlens.artifacts import reader
from twinlens.artifacts.shard import Shard
from twinlens.errors import ArtifactError
from twinlens.progress import track
from twinlens.protocol import STREAMS, Protocol, read_frames
from twinlens.sr.enlarge import enlarge
from twinlens.training import networks


def super_resolve(
    low: Path,
    method: str,
    model: str,
    out: Path,
    protocol: Protocol,
    settings: dict[str, Any] | None = None,
    weights: Path | None = None,
    streams: list[str] | None = None,
    keep: str = "protocol",
    seed: int = 0,
    threads: int = 1,
    dataset: str | None = None,
) -> None:
    """Enlarge the frames of a shard that the recogniser reads.

    Args:
        low: HDF5 "low/1", or "frames/1" where the clips are low-resolution already;
            with the neighbours that the network reads.
        method: the method's name in the config.
        model: the file in `twinlens.models` that does it.
        out: HDF5 "frames/1": of each clip `frames` uint8 (n, H, W, 3) and `index`.
        protocol: how the recogniser samples a clip.
        settings: arguments of the model's `build`.
        weights: HDF5 "network/1" of this method; none for a model without weights.
        streams: the streams that will read the result; both by default.
        keep: "protocol" for the frames that are read, "all" for every frame there is.
        seed: as given to `frames`.
        threads: CPU threads of torch.
        dataset: that the frames must be of; any without.

    Raises:
        ArtifactError: the weights are of another method, or not finite; or a frame that
            is needed is not stored.
    """
    checkpoints.repeatable(threads)
    device, settings = checkpoints.device(), settings or {}
    network = networks.load(weights, model, settings, method).to(device)
    chosen = streams or list(STREAMS)
    with reader.open(low, dataset=dataset) as source:
        inherited = source.about
        if source.kind == "frames/1":  # clips that are low-resolution already
            source.expect("frames/1", {"method": "hr"})
        else:
            source.expect("low/1", {})
        about = provenance.about(
            "sr",
            ["twinlens.sr.stage", f"twinlens.models.{model}"],
            reader.ids(low, *([weights] if weights else [])),
            dataset=inherited["dataset"],
            part=inherited["part"],
            method=method,
            settings=settings,
            protocol=protocol.settings(),
            streams=sorted(chosen),
            keep=keep,
            seed=seed,
        )
        names, part = source.clips, inherited["part"]
        with (
            Shard(out, "frames/1", about, names) as shard,
            torch.inference_mode(),
        ):
            for name in track(shard.missing(), f"sr {inherited['dataset']} {method}"):
                clip = source.clip(name)
                index, facts = clip["index"][:], clip.facts
                total = int(facts["frames"])
                wanted = index
                if keep != "all":
                    wanted = read_frames(total, part, protocol, name, seed, chosen)
                frames = clip["frames"][:]
                try:
                    high = enlarge(network, frames, index, wanted, total, device)
                except ArtifactError as error:
                    what = f"{method}: {name} of {low}: {error}"
                    raise ArtifactError(what) from error
                # ASSUME: the paper is silent on sides that 4 does not divide: MATLAB's
                # low resolution is ceil(n / 4), and the result is cut to n.
                height = int(facts.get("height") or high.shape[1])
                width = int(facts.get("width") or high.shape[2])
                arrays = {
                    "frames": high[:, :height, :width],
                    "index": wanted.astype(np.int32),
                }
                shard.write(name, arrays)
