"""Train and score by any recogniser: the stages that all of them share."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import get_type_hints

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from twinlens import provenance, recognisers
from twinlens.artifacts import reader
from twinlens.artifacts.reader import JoinedClip, Shards
from twinlens.artifacts.shard import Computed, map_clips
from twinlens.errors import ArtifactError, unusable
from twinlens.networks import artifact
from twinlens.recognition import SCORES
from twinlens.recognition.settings import Scoring
from twinlens.settings import mapping


def train(
    kind: str,
    job: str,
    frames: list[Path],
    flow: list[Path],
    classes: Path,
    starts: list[Path],
    out: Path,
    log: Path,
    threads: int = 1,
) -> None:
    """Train a network of a recogniser.

    Args:
        kind: the recogniser, a file of `twinlens.recognisers`.
        job: JSON of which network and how, as its `TRAIN` takes it.
        frames: HDF5 "frames/1" of original training clips, if it is trained on them.
        flow: HDF5 "flow/1" of these, if it is trained on flow.
        classes: csv of the data set's classes.
        starts: HDF5 "network/1" of networks whose weights the training starts from.
        out: HDF5 "network/1".
        log: csv with a row a step.
        threads: CPU threads of torch; other numbers give other last digits.

    Raises:
        ArtifactError: the job is not one that the recogniser's training takes.
    """
    run = recognisers.function(kind, "TRAIN")
    try:
        typed = TypeAdapter(get_type_hints(run)["job"]).validate_json(job)
    except ValidationError as error:
        raise ArtifactError(str(error)) from error
    run(typed, frames, flow, classes, starts, out, log, threads)


def score(
    frames: list[Path],
    flow: list[Path],
    networks: list[Path],
    job: Scoring,
    out: Path,
    threads: int = 1,
) -> None:
    """Score every test clip of a shard by each head that is asked for.

    Args:
        frames: HDF5 "frames/1", original or super-resolved, where a head reads them.
        flow: HDF5 "flow/1", where a head reads it.
        networks: HDF5 "network/1" of each of the job's networks.
        job: row, recogniser, heads.
        out: HDF5 "scores/2": by clip and head float32 (n, classes), before
            softmax, whose mean over n is the clip's score; its label, and whether its
            flow is one value everywhere, as attributes.
        threads: CPU threads of torch.

    Raises:
        ArtifactError: an input is missing, or of another data set, method or clip; a
            frame that the recogniser reads is not stored; scores are not finite.
    """
    kind = job.sampler.kind
    _check_inputs(job, {"frames": frames, "flow": flow})
    files = dict(zip(job.networks, networks, strict=True))
    load = recognisers.function(kind, "SCORE")
    scorer = load(job.scoring, files, job.dataset, threads)
    about = provenance.about(
        "score",
        [
            "twinlens.recognition.stage",
            f"twinlens.recognisers.{kind}",
            load.__module__,
            *sorted(set(map(artifact.module_of, networks))),
        ],
        reader.ids(*frames, *flow, *networks),
        **mapping(job),
    )
    with ExitStack() as stack:
        images = _open(stack, frames, "frames/1", job.frames_of, job)
        flows = _open(stack, flow, "flow/1", job.flow_of, job)
        _check_same_frames(job, images, flows)
        source = images or flows
        assert source is not None

        def score_clip(name: str, clip: JoinedClip) -> Computed:
            reads = job.sampler.reads(int(clip.facts["frames"]), name)
            own = images.clip(name) if images else None
            moved = flows.clip(name) if flows else None
            found = scorer(own, moved, reads)
            scores = {head: found[head] for head in job.heads}
            _check_finite(name, scores, networks)
            return scores, {"constant_flow": _is_constant(moved)}

        map_clips(
            source, out, SCORES, about, score_clip, f"score {job.dataset} {job.row}"
        )


def _is_constant(flow: JoinedClip | None) -> bool:
    """Whether all flow of a clip is one value, as of an estimator that failed."""
    if flow is None:
        return False
    parts = [part for part in flow.parts if len(part.index)]
    return bool(parts) and all(bool(part.facts.get("constant_flow")) for part in parts)


def _open(
    stack: ExitStack, paths: Sequence[Path], kind: str, method: str, job: Scoring
) -> Shards | None:
    """Open the shards of a method's frames or flow, if there are any."""
    if not paths:
        return None
    of = {"dataset": job.dataset, "part": job.sampler.part, "method": method}
    return stack.enter_context(reader.open_shards(paths, kind, **of))


def _check_inputs(job: Scoring, paths: Mapping[str, Sequence[Path]]) -> None:
    """Refuse a job that lacks what one of its heads reads."""
    heads = recognisers.module(job.sampler.kind).HEADS
    for head in job.heads:
        for each in heads[head].inputs:
            if not paths[each]:
                raise ArtifactError(
                    f"{job.dataset} {job.row}: the {head} head needs --{each}"
                )


def _check_same_frames(
    job: Scoring, images: Shards | None, flows: Shards | None
) -> None:
    """Refuse flow of other clips, or that was not computed from these frames."""
    if images is None or flows is None:
        return
    frames, flow = images.files[0].path, flows.files[0].path
    if flows.clips != images.clips:
        raise unusable(flow, f"is not of the clips of {frames}")
    if job.frames_of != job.flow_of:
        return
    now = {str(each.path): each.about["id"] for each in images.files}
    for file in flows.files:
        then = file.about["inputs"]
        # The flow of a recogniser is of its frames and of those before it.
        known = [each in then.values() for each in now.values()]
        changed = any(now[path] != then[path] for path in now.keys() & then.keys())
        if changed or not known[0] or known != sorted(known, reverse=True):
            raise unusable(file.path, f"its flow is not that of {frames}")


def _check_finite(
    clip: str, scores: dict[str, NDArray[np.float32]], networks: Sequence[Path]
) -> None:
    for head, values in scores.items():
        if not np.isfinite(values).all():
            raise ArtifactError(
                f"{', '.join(map(str, networks))}: the {head} scores of {clip} are not"
                " finite numbers: train again with a lower lr, or name other weights"
            )
