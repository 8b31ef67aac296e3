"""Motion in pixels between chosen frames of original clips.

For training (a corpus) forward from each pair's first frame; for judging (test clips)
backward as well, so that what is hidden can be told. Nothing is resized or rounded to
bytes: this flow is never what a recogniser reads.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinlens import formats, provenance
from twinlens.flow.gray import gray_pairs
from twinlens.flow.pairs import MOTION, judged_pairs, training_pairs
from twinlens.flow.tvl1 import tvl1
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
    seed: int = 0,
    threads: int = 1,
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
        estimator: "tvl1".
        preset: of `twinlens.flow.tvl1`.
        seed: draws a corpus's pairs.
        threads: pairs computed at once.
    """
    if estimator != "tvl1":
        raise formats.ArtifactError(f"no flow estimator {estimator!r}; there is: tvl1")
    with formats.reading(frames, "frames/1", method="hr") as source:
        inherited = formats.about(source)
        about = provenance.about(
            "motion",
            ["twinlens.flow.motion"],
            formats.ids(frames),
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
        names = formats.clips(source)
        with formats.Shard(out, MOTION, about, names) as shard:
            for name in track(shard.missing(), f"motion {inherited['dataset']}"):
                clip = formats.clip(source, name)
                total = int(formats.facts(clip)["frames"])
                index = (
                    judged_pairs(total, protocol, pairs)
                    if test
                    else training_pairs(total, pairs, gap, name, seed)
                )
                arrays = _flows(clip, index, gap, preset, threads, both=test)
                shard.write(name, arrays)


def _flows(
    clip: Any,
    index: NDArray[np.int64],
    gap: int,
    preset: str,
    threads: int,
    *,
    both: bool,
) -> dict[str, NDArray[Any]]:
    first, second = gray_pairs(clip, index, gap)
    made: dict[str, NDArray[Any]] = {"index": index.astype(np.int32)}
    made["forward"] = tvl1(first, second, preset, threads=threads).astype(np.float16)
    if both:
        back = tvl1(second, first, preset, threads=threads)
        made["backward"] = back.astype(np.float16)
    return made
