"""Choose the pairs of frames whose motion is kept: to train on, and to compare.

All indices count from 0 in the decoded clip; a pair is named by its first frame.
"""

import numpy as np

from twinlens import provenance
from twinlens.recognisers import Indices

MOTION = "motion/1"
EDGE = 5


def training_pairs(frames: int, count: int, gap: int, clip: str, seed: int) -> Indices:
    """Draw pairs of a corpus's clip at random, each once, ascending.

    Paper section 4.2: "we randomly select 120 frames from each video". The first and
    last five frames are left out, as in the authors' released lists: networks that read
    several frames have neighbours there.

    Args:
        frames: of the clip.
        count: pairs to draw; a clip that is too short gives what it has.
        gap: frames from a pair's first to its second.
        clip: its name.
        seed: of the drawing.
    """
    last = frames - EDGE - gap
    edge = EDGE if last > EDGE else 0
    there = np.arange(edge, max(edge, frames - edge - gap))
    rng = np.random.default_rng(provenance.seed(seed, "training pairs", clip))
    return np.sort(rng.permutation(there)[:count])


def compared_pairs(flows: Indices, count: int) -> Indices:
    """Spread pairs over those of a test clip that a recogniser reads, ascending.

    Args:
        flows: (..., stack), the flows of each snippet.
        count: pairs, at most.
    """
    starts = np.unique(flows[..., 0])
    chosen = np.linspace(0, len(starts) - 1, min(count, len(starts)))
    return starts[np.unique(chosen.round().astype(int))]
