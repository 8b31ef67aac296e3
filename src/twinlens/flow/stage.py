"""Compute the flow of a shard's clips that a recogniser reads."""

from pathlib import Path

import numpy as np

from twinlens import provenance
from twinlens.artifacts import reader
from twinlens.artifacts.reader import JoinedClip
from twinlens.artifacts.shard import Computed, map_clips
from twinlens.flow import estimators
from twinlens.flow.encoding import encode
from twinlens.flow.frames import pairs_of
from twinlens.flow.settings import FlowJob
from twinlens.settings import mapping

FLOW = "flow/1"


def flow(
    frames: list[Path],
    job: FlowJob,
    out: Path,
    network: Path | None = None,
    threads: int = 1,
) -> None:
    """Compute flow between consecutive frames.

    Args:
        frames: HDF5 "frames/1", original or super-resolved.
        job: which flows, how they are computed and stored.
        out: HDF5 "flow/1": by clip `flow` uint8 (n, 2, H, W), x right then y down,
            and `index` int32 (n,): flow i goes from frame i to i + 1 of the clip. Its
            attribute `constant_flow` is true if it has vectors and all are the same.
        network: HDF5 "network/1" of the estimator, if it is one.
        threads: pairs computed at once.

    Raises:
        ArtifactError: a frame that the recogniser reads is not stored.
    """
    estimate = estimators.load(job.estimator, network, threads)
    expected = {"method": job.method, "dataset": job.dataset, "part": job.sampler.part}
    with reader.open_shards(frames, "frames/1", **expected) as source:
        about = provenance.about(
            "flow",
            [
                "twinlens.flow.stage",
                *job.modules,
                *estimators.modules(job.estimator),
            ],
            reader.ids(*frames, *([network] if network else [])),
            **mapping(job),
            part=job.sampler.part,
        )

        def compute(name: str, clip: JoinedClip) -> Computed:
            index = job.flows(int(clip.facts["frames"]), name)
            found = estimate(*pairs_of(clip, index, size=job.form.size))
            coded = encode(found, job.form.bound)
            same = len(coded) > 0 and bool((coded == coded[:1, :, :1, :1]).all())
            facts = {"constant_flow": same}
            return {"flow": coded, "index": index.astype(np.int32)}, facts

        map_clips(
            source,
            out,
            FLOW,
            about,
            compute,
            f"flow {job.dataset} {job.sampler.part} {job.method}",
        )
