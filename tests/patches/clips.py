"""Made-up corpora with their motion, for the tests of this room and of training."""

import numpy as np

from twinlens import provenance
from twinlens.artifacts.shard import Shard
from twinlens.patches.settings import Cutting, PatchSettings
from twinlens.patches.stage import patches

NAME = "made"
SETTINGS = {"size": 32, "crops": 2, "stride": (8, 8), "margin": 4}


def moving(seed, total=16, height=48, width=64, shift=2):
    """Smooth frames (T, H, W, 3) that run to the right, and their true flow."""
    rng = np.random.default_rng(seed)
    wide = rng.integers(100, 160, (height // 4, width // 4 + total, 3)).astype(np.uint8)
    wide = np.kron(wide, np.ones((4, 4, 1), np.uint8))
    starts = shift * np.arange(total)[::-1]
    video = np.stack([wide[:, start : start + width] for start in starts])
    flow = np.zeros((2, height, width), np.float16)
    flow[0] = shift
    return video, flow


def corpus(folder, videos, flows, gap=1, index=(5, 7)):
    """ "frames/1" and "motion/1" of some clips."""
    names = [f"clip{place}" for place in range(len(videos))]
    files = folder / "frames.h5", folder / "motion.h5"
    same = {"dataset": "made", "part": "corpus"}
    about = provenance.about("made", [], {}, method="hr", count=len(videos), **same)
    same |= {"count": len(videos), "flow": "tvl1", "gap": gap}
    motion = provenance.about("motion", [], {}, **same)
    with (
        Shard(files[0], "frames/1", about, names) as frames,
        Shard(files[1], "motion/1", motion, names) as moves,
    ):
        for name, video, flow in zip(names, videos, flows, strict=True):
            arrays = {"frames": video, "index": np.arange(len(video))}
            frames.write(name, arrays, frames=len(video))
            forward = np.stack([flow] * len(index))
            moves.write(name, {"index": np.array(index), "forward": forward})
    return files


def cutting(gap=1, **settings):
    """The job of cutting a small patch set."""
    how = PatchSettings(**{**SETTINGS, **settings})
    return Cutting(
        patches=NAME, dataset="made", flow="tvl1", gap=gap, settings=how, seed=0
    )


def patch_set(folder, count=4, gap=1, **settings):
    """A patch set of made-up clips: the path of its shard and of its counts."""
    videos, flows = zip(*(moving(seed) for seed in range(count)), strict=True)
    frames, motion = corpus(folder, videos, flows, gap)
    out, counts = folder / "patches.h5", folder / "patches.csv"
    patches(frames, motion, cutting(gap, **settings), out, counts)
    return out, counts
