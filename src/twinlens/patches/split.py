"""Choose the patches held out for validation, a pure function of names and seed."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from twinlens import provenance
from twinlens.errors import ArtifactError
from twinlens.patches.settings import Split


def held_out(patches: Mapping[str, int], split: Split, seed: int) -> set[str]:
    """Choose the clips that are held out as a whole; none where pairs are.

    Of the clips that have patches, at least one is, and at least one is left. Sets of
    one corpus hold out the same clips, as far as these have patches in both.

    Args:
        patches: how many each clip of the corpus has, 0 too.
        split: what is held out.
        seed: decides which.

    Raises:
        ArtifactError: there is a single clip with patches.
    """
    every = sorted(patches)
    names = [clip for clip in every if patches[clip]]
    if split.by == "pair" or not names:
        return set()
    if len(names) < 2:
        raise ArtifactError(
            f"the corpus has one clip with patches, {names[0]}: one must be held out"
            " and one trained on; add videos, or set training.split.by: pair"
        )
    count = min(max(1, round(split.share * len(names))), len(names) - 1)
    rng = np.random.default_rng(provenance.seed(seed, "held out clips"))
    # Of all clips, so that sets that lack patches of different clips hold out the same.
    drawn = [every[index] for index in rng.permutation(len(every))]
    return set([clip for clip in drawn if patches[clip]][:count])


def is_held_out(
    clip: str, frames: NDArray[np.int32], held: set[str], split: Split, seed: int
) -> NDArray[np.bool_]:
    """Whether each patch of a clip is held out: (N,), from the pairs' first frames."""
    if split.by == "clip":
        return np.full(len(frames), clip in held)
    draws = [
        provenance.seed(seed, "held out pairs", clip, int(frame)) for frame in frames
    ]
    return np.array(draws, dtype=np.float64) < split.share * 2**32
