"""Estimate motion in pixels between chosen frames of original clips.

For training (a corpus) forward from each pair's first frame; for comparing (test clips)
backward as well, so that occlusions are found. Nothing is resized or rounded to bytes:
this flow is never what a recogniser reads.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinlens import provenance
from twinlens.artifacts import reader
from twinlens.artifacts.reader import JoinedClip
from twinlens.artifacts.shard import Computed, map_clips
from twinlens.errors import unusable
from twinlens.flow import estimators
from twinlens.flow.estimators import Estimator
from twinlens.flow.frames import pairs_of
from twinlens.flow.pairs import MOTION, compared_pairs, training_pairs
from twinlens.flow.settings import MotionJob
from twinlens.settings import mapping


def motion(
    frames: list[Path],
    job: MotionJob,
    out: Path,
    network: Path | None = None,
    threads: int = 1,
) -> None:
    """Compute the flow of chosen pairs of a shard's clips.

    Args:
        frames: HDF5 "frames/1" of originals.
        job: which pairs and which estimator.
        out: HDF5 "motion/1": by clip `index` int32 (n,), the first frame of each
            pair, and `forward` float16 (n, 2, H, W), pixels, x to the right then y
            down, to the frame `gap` later; of test clips `backward` too, from there.
        network: HDF5 "network/1" of the estimator, if it is one.
        threads: pairs computed at once.
    """
    estimate = estimators.load(job.estimator, network, threads)
    expected = {"method": "hr", "dataset": job.dataset}
    with reader.open_shards(frames, "frames/1", **expected) as source:
        about = provenance.about(
            "motion",
            [
                "twinlens.flow.motion",
                *([job.sampler.module] if job.sampler else []),
                *estimators.modules(job.estimator),
            ],
            reader.ids(*frames, *([network] if network else [])),
            **mapping(job),
            part=source.about["part"],
        )

        def compute(name: str, clip: JoinedClip) -> Computed:
            index = _pairs(name, clip, job)
            return _flows(clip, index, job, estimate), {}

        map_clips(source, out, MOTION, about, compute, f"motion {job.dataset}")


def _pairs(name: str, clip: JoinedClip, job: MotionJob) -> NDArray[np.int64]:
    total = int(clip.facts["frames"])
    if job.sampler is None:
        return training_pairs(total, job.pairs, job.gap, name, job.seed)
    return compared_pairs(job.sampler.reads(total, name).flows, job.pairs)


def _flows(
    clip: JoinedClip, index: NDArray[np.int64], job: MotionJob, estimate: Estimator
) -> dict[str, NDArray[Any]]:
    first, second = pairs_of(clip, index, job.gap)
    flows = {"forward": estimate(first, second).astype(np.float16)}
    if job.sampler is not None:
        flows["backward"] = estimate(second, first).astype(np.float16)
    if not all(np.isfinite(flow).all() for flow in flows.values()):
        raise unusable(clip.path, "its flow has values that are not finite")
    return {"index": index.astype(np.int32), **flows}
