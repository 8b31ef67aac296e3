"""Compute the flow of a shard's clips that the recogniser will read."""

from pathlib import Path

import numpy as np

from twinlens import provenance
from twinlens.artifacts import reader
from twinlens.artifacts.shard import Shard
from twinlens.artifacts.table import read_csv
from twinlens.errors import ArtifactError
from twinlens.flow.encoding import encode
from twinlens.flow.gray import gray_pairs
from twinlens.flow.tvl1 import tvl1
from twinlens.progress import track
from twinlens.protocol import Protocol, read_flows

FLOW = "flow/1"


def flow(
    frames: Path,
    report: Path,
    method: str,
    protocol: Protocol,
    out: Path,
    preset: str = "fast",
    bound: float = 20.0,
    size: list[int] | None = None,
    seed: int = 0,
    threads: int = 1,
    dataset: str | None = None,
) -> None:
    """Compute TV-L1 flow between consecutive frames.

    Args:
        frames: HDF5 "frames/1", original or super-resolved.
        report: csv of the shard's clips, for their lengths.
        method: whose frames these are, for the label.
        protocol: how the recogniser samples a clip.
        out: HDF5 "flow/1": of each clip `flow` uint8 (n, 2, H, W), x right then y down,
            and `index` int32 (n,): flow i goes from frame i to i + 1 of the clip.
        preset: of `twinlens.flow.tvl1`.
        bound: pixels that the ends of the 8-bit range stand for.
        size: width and height that frames are brought to first, as TSN's extraction
            does; none leaves them.
        seed: as given to `frames`.
        threads: pairs computed at once.
        dataset: that the frames must be of; any without.

    Raises:
        ArtifactError: a frame that the recogniser reads is not stored.
    """
    lengths = read_csv(report, "report/1").set_index("clip")["frames"]
    with reader.open(frames, "frames/1", method=method, dataset=dataset) as source:
        inherited = source.about
        about = provenance.about(
            "flow",
            ["twinlens.flow.stage"],
            reader.ids(frames),
            dataset=inherited["dataset"],
            part=inherited["part"],
            method=method,
            protocol=protocol.settings(),
            preset=preset,
            bound=bound,
            size=size,
            seed=seed,
        )
        label = f"flow {inherited['dataset']} {inherited['part']} {method}"
        names = source.clips
        with Shard(out, FLOW, about, names) as shard:
            for name in track(shard.missing(), label):
                clip = source.clip(name)
                if name not in lengths:
                    raise ArtifactError(f"{report}: lists no clip {name} of {frames}")
                total = int(lengths[name])
                pairs = read_flows(total, inherited["part"], protocol, name, seed)
                first, second = gray_pairs(clip, pairs, size=size)
                made = tvl1(first, second, preset=preset, threads=threads)
                index = pairs.astype(np.int32)
                shard.write(name, {"flow": encode(made, bound), "index": index})
