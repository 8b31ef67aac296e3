"""Count a set's patches: kept and dropped by reason, beside the published numbers."""

from pathlib import Path

import numpy as np
import pandas as pd

from twinlens.artifacts import reader
from twinlens.artifacts.table import read_csv, write_csv
from twinlens.errors import ArtifactError
from twinlens.patches.crops import REASONS
from twinlens.patches.settings import PATCHES, Counting, Split
from twinlens.patches.split import held_out, is_held_out
from twinlens.patches.stage import CLIP_COUNTS, COUNTS
from twinlens.progress import say

# Paper section 4.2, of its corpus CDVL-134: training and validation, by whether
# patches are pairs.
PUBLISHED = {False: (136_950, 9_830), True: (143_250, 10_386)}
PARTS = ("training", "validation")


def count_patches(
    shards: list[Path], counts: list[Path], job: Counting, out: Path
) -> None:
    """Join the shards' counts.

    Args:
        shards: HDF5 "patches/1".
        counts: csv of each.
        job: which set, and what is held out; the published numbers stand beside ours
            for CDVL-134 alone.
        out: csv of clips, pairs, candidates, patches kept, patches dropped by reason,
            and clips left out as too small, for training and validation.

    Raises:
        ArtifactError: the corpus has no clip.
    """
    split, corpus = job.split, job.corpus
    rows = pd.concat([read_csv(path, CLIP_COUNTS) for path in counts])
    if rows.empty:
        raise ArtifactError(
            f"{corpus}: none of its clips can be used, as its reports say: name another"
            " corpus, or other videos for it"
        )
    kept, pair = _held_out(shards, job.patches, split, job.seed)
    rows = rows.merge(kept, on="clip")
    sums = rows.groupby("held")[COUNTS[1:]].sum()
    table = sums.reindex([False, True], fill_value=0).reset_index(drop=True)
    table.insert(0, "part", PARTS)
    table.insert(1, "split", split.by)
    table.insert(2, "clips", [int((~rows["held"]).sum()), int(rows["held"].sum())])
    if split.by == "pair":  # clips and what was dropped stand on the training side
        validation = int(rows["validation"].sum())
        table["kept"] = [int(rows["kept"].sum()) - validation, validation]
    published = PUBLISHED[pair] if job.paper == "CDVL-134" else ("", "")
    write_csv(out, "counts/1", table.assign(published=published))
    if small := int(rows["small"].sum()):
        say(f"WARNING {corpus}: {small} clips smaller than a patch are left out")
    for line in table.to_dict("records"):
        dropped = ", ".join(f"{line[why]} {why}" for why in REASONS)
        say(
            f"{corpus} {line['part']}: {line['kept']} patches of {line['clips']} clips"
            f" kept of {line['candidates']} (dropped: {dropped})"
        )
    if split.by == "pair":
        say(f"WARNING {corpus}: clips stand on both sides of the split (by: pair)")


def _held_out(
    shards: list[Path], name: str, split: Split, seed: int
) -> tuple[pd.DataFrame, bool]:
    """Count held-out patches by clip; say whether patches are pairs."""
    frames: dict[str, np.ndarray] = {}
    pair = False
    for path in shards:
        with reader.open(path, PATCHES, patches=name) as file:
            pair = bool(file.about["settings"]["pair"])
            for clip in file.clips:
                frames[clip] = file.clip(clip)["frame"][:]
    held = held_out({clip: len(each) for clip, each in frames.items()}, split, seed)
    rows = [
        {
            "clip": clip,
            "held": clip in held,
            "validation": int(is_held_out(clip, each, held, split, seed).sum()),
        }
        for clip, each in frames.items()
    ]
    return pd.DataFrame(rows), pair
