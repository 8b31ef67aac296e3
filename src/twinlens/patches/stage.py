"""Cut a corpus shard's clips into training patches."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twinlens import provenance
from twinlens.artifacts import reader
from twinlens.artifacts.reader import Clip
from twinlens.artifacts.shard import Computed, map_clips
from twinlens.artifacts.table import write_csv
from twinlens.flow.pairs import MOTION
from twinlens.patches import crops
from twinlens.patches.settings import PATCHES, Cutting, PatchSettings
from twinlens.progress import say
from twinlens.resample.bicubic import downscale, upscale
from twinlens.settings import mapping

CLIP_COUNTS = "clip-counts/1"
COUNTS = ["clip", "pairs", "candidates", *crops.REASONS, "kept", "small"]
Array = NDArray[Any]


def patches(frames: Path, motion: Path, job: Cutting, out: Path, counts: Path) -> None:
    """Write the patches of a shard, clip by clip.

    Args:
        frames: HDF5 "frames/1" of corpus clips, every frame.
        motion: HDF5 "motion/1" of the same, forward flow of the pairs to use.
        job: of which set, and how they are cut.
        out: HDF5 "patches/1". By clip, N patches of P frames (2 of a pair, else
            1), S their side, a chunk a patch:
            `high` uint8 (N, P, S, S, 3) RGB 0..255, `low` uint8 (N, P, window, S / 4,
            S / 4, 3), `interpolated` uint8 as `high`, `frame` int32 (N,) the index of
            the first frame in the clip, and `flow` float16 (N, 2, S, S) in pixels from
            the first to the second frame, or without pairs `speed` float16 (N, S, S),
            its length.
        counts: csv of each clip's patches kept, and dropped by reason; `small` is 1
            for a clip that is left out, since its frames are smaller than a patch.
    """
    originals = {"method": "hr", "part": "corpus", "dataset": job.dataset}
    of = {"dataset": job.dataset, "flow": job.flow, "gap": job.gap}
    with (
        reader.open(frames, "frames/1", **originals) as source,
        reader.open(motion, MOTION, **of) as flows,
    ):
        about = provenance.about(
            "patches",
            ["twinlens.patches.stage"],
            reader.ids(frames, motion),
            **mapping(job),
        )

        def cut(name: str, clip: Clip) -> Computed:
            pieces, counted = _clip(name, clip, flows.clip(name), job)
            return _stacked(pieces, job.settings), counted

        map_clips(source, out, PATCHES, about, cut, f"patches {job.dataset}")
    write_csv(counts, CLIP_COUNTS, _counts(out))


def _counts(out: Path) -> pd.DataFrame:
    with reader.open(out, PATCHES) as file:
        rows = [{"clip": name, **file.clip(name).facts} for name in file.clips]
    return pd.DataFrame(rows, columns=COUNTS)


def _clip(
    name: str, clip: Clip, flows: Clip, job: Cutting
) -> tuple[list[dict[str, Array]], dict[str, int]]:
    """Cut a clip's patches; count those kept and dropped."""
    how, gap = job.settings, job.gap
    seed = provenance.seed(job.seed, "crops", name)
    counted = Counter(dict.fromkeys(COUNTS[1:], 0))
    pieces: list[dict[str, Array]] = []
    height, width = clip["frames"].shape[1:3]
    if min(height, width) < how.size:
        say(
            f"LEFT OUT {name}: its frames of {width}x{height} are smaller than patches"
            f" of {how.size} (patches.{job.patches}.size)"
        )
        return [], dict(counted | {"small": 1})
    for row, start in enumerate(flows.index):
        rng = np.random.default_rng((seed, int(start)))
        flow = flows["forward"][row]
        first, second = clip.at("frames", [start, start + gap])
        spots = crops.best(flow, how, rng)
        counted["pairs"] += 1
        counted["candidates"] += len(spots)
        if crops.scene_cut(first, second, how):
            counted[crops.SCENE_CUT] += len(spots)
            continue
        good = []
        for spot in spots:
            why = crops.fault(first, second, flow, spot, how)
            counted[why or "kept"] += 1
            good += [] if why else [spot]
        if good:
            pieces += _cut(clip, int(start), gap, flow, good, how)
    return pieces, dict(counted)


def _cut(
    clip: Clip,
    start: int,
    gap: int,
    flow: Array,
    spots: list[crops.Spot],
    how: PatchSettings,
) -> list[dict[str, Array]]:
    """Cut the patches of one pair at some spots."""
    indices = [start, start + gap] if how.pair else [start]
    sides = [_Frame(clip, index, how) for index in indices]
    pieces = []
    for spot in spots:
        lows, highs, interpolated = zip(*(side.at(spot) for side in sides), strict=True)
        inner = crops.cut(np.moveaxis(flow, 0, -1), spot, how.size)
        piece: dict[str, Array] = {
            "high": np.stack(highs),
            "low": np.stack(lows),
            "interpolated": np.stack(interpolated),
            "frame": np.array(start, np.int32),
        }
        if how.pair:
            piece["flow"] = np.moveaxis(inner, -1, 0)
        else:
            speed = np.linalg.norm(inner.astype(np.float32), axis=-1)
            piece["speed"] = speed.astype(np.float16)
        pieces.append(piece)
    return pieces


class _Frame:
    """A frame with the low-resolution frames around it, ready to be cut."""

    def __init__(self, clip: Clip, index: int, how: PatchSettings) -> None:
        around = np.arange(index - how.window // 2, index + how.window // 2 + 1)
        # Only clips too short for EDGE frames at their ends come to this: repeat them.
        around = np.clip(around, 0, int(clip.facts["frames"]) - 1)
        self.how = how
        self.high = clip.at("frames", around)
        if how.cut == "frame":
            self.low = downscale(self.high)
            self.interpolated = upscale(self.low[how.window // 2])

    def at(self, spot: crops.Spot) -> tuple[Array, Array, Array]:
        """Cut low (window, S / 4, S / 4, 3), high and interpolated (S, S, 3)."""
        size, middle = self.how.size, self.how.window // 2
        high = crops.cut(self.high, spot, size)
        if self.how.cut == "patch":
            low = downscale(high)
            return low, high[middle], upscale(low[middle])
        y, x = spot
        low = crops.cut(self.low, (y // 4, x // 4), size // 4)
        return low, high[middle], crops.cut(self.interpolated, spot, size)


def _stacked(pieces: list[dict[str, Array]], how: PatchSettings) -> dict[str, Array]:
    """Stack all patches of a clip, array by array; empty where none was kept."""
    if pieces:
        return {key: np.stack([each[key] for each in pieces]) for key in pieces[0]}
    count, size, low = 1 + how.pair, how.size, how.size // 4
    empty: dict[str, Array] = {
        "high": np.zeros((0, count, size, size, 3), np.uint8),
        "low": np.zeros((0, count, how.window, low, low, 3), np.uint8),
        "interpolated": np.zeros((0, count, size, size, 3), np.uint8),
        "frame": np.zeros(0, np.int32),
    }
    if how.pair:
        return empty | {"flow": np.zeros((0, 2, size, size), np.float16)}
    return empty | {"speed": np.zeros((0, size, size), np.float16)}
