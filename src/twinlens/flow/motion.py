"""Motion in pixels between chosen frames of original clips.

For training (a corpus) forward from each pair's first frame; for judging (test clips)
backward as well, so that what is hidden can be told. Nothing is resized or rounded to
bytes: this flow is never what a recogniser reads.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinlens import provenance
from twinlens.artifacts import reader
from twinlens.artifacts.reader import Clip
from twinlens.artifacts.shard import Shard
from twinlens.errors import ArtifactError
from twinlens.flow import estimators
from twinlens.flow.estimators import Estimator
from twinlens.flow.gray import colour_pairs
from twinlens.flow.pairs import MOTION, judged_pairs, training_pairs
from twinlens.progress import track
from twinlens.protocol import Protocol


def motion(
    frames: Path,
    out: Path,
    protocol: Protocol,
    pairs: int = 120,
    gap: int = 1,
    estimator: str = "tvl1",
    preset: str = "fast",
    network: Path | None = None,
    seed: int = 0,
    threads: int = 1,
    dataset: str | None = None,
) -> None:
    """Compute the flow of chosen pairs of a shard's clips.

    Args:
        frames: HDF5 "frames/1" of originals.
        out: HDF5 "motion/1": of each clip `index` int32 (n,), the first frame of each
            pair, and `forward` float16 (n, 2, H, W), pixels, x to the right then y
            down, to the frame `gap` later; of test clips `backward` too, from there.
        protocol: how the recogniser samples a test clip.
        pairs: of each clip, at most.
        gap: frames from a pair's first to its second.
        estimator: a file of `twinlens.flow.estimators`: "tvl1" or "flownet2".
        preset: of TV-L1, see `twinlens.flow.tvl1`.
        network: HDF5 "flownet2/1", for FlowNet2.
        seed: draws a corpus's pairs.
        threads: pairs computed at once.
        dataset: that the frames must be of; any without.
    """
    estimate = estimators.load(estimator, network, preset, threads)
    with reader.open(frames, "frames/1", method="hr", dataset=dataset) as source:
        inherited = source.about
        about = provenance.about(
            "motion",
            ["twinlens.flow.motion", f"twinlens.flow.estimators.{estimator}"],
            reader.ids(frames, *([network] if network else [])),
            dataset=inherited["dataset"],
            part=inherited["part"],
            protocol=protocol.settings(),
            pairs=pairs,
            gap=gap,
            estimator=estimator,
            preset=preset,
            seed=seed,
        )
        test = inherited["part"] == "test"
        names = source.clips
        with Shard(out, MOTION, about, names) as shard:
            for name in track(shard.missing(), f"motion {inherited['dataset']}"):
                clip = source.clip(name)
                total = int(clip.facts["frames"])
                index = (
                    judged_pairs(total, protocol, pairs)
                    if test
                    else training_pairs(total, pairs, gap, name, seed)
                )
                shard.write(name, _flows(clip, index, gap, estimate, both=test))


def _flows(
    clip: Clip,
    index: NDArray[np.int64],
    gap: int,
    estimate: Estimator,
    *,
    both: bool,
) -> dict[str, NDArray[Any]]:
    first, second = colour_pairs(clip, index, gap)
    made: dict[str, NDArray[Any]] = {"index": index.astype(np.int32)}
    made["forward"] = estimate(first, second).astype(np.float16)
    if both:
        made["backward"] = estimate(second, first).astype(np.float16)
    if not all(np.isfinite(flow).all() for flow in made.values()):
        raise ArtifactError(f"{clip.path}: its flow has values that are not finite")
    return made
