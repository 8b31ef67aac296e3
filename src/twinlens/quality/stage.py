"""Judge a method's frames of a shard against the originals."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from twinlens import formats
from twinlens.flow.pairs import MOTION
from twinlens.progress import track
from twinlens.protocol import Protocol, rgb_frames
from twinlens.quality import QUALITY, measures

COLUMNS = ["clip", "frames", "psnr", "ssim", "pairs", "warping_error"]


def judge(
    frames: Path,
    originals: Path,
    motion: Path,
    method: str,
    protocol: Protocol,
    out: Path,
    steadiness: bool = True,
) -> None:
    """Measure PSNR, SSIM and warping error of every clip.

    Args:
        frames: HDF5 "frames/1" of the method; the originals themselves for "hr".
        originals: HDF5 "frames/1".
        motion: HDF5 "motion/1" of the originals, both ways.
        method: whose frames these are.
        protocol: how the recogniser samples a clip: its RGB frames are compared.
        out: csv a clip a line: `psnr` dB of luma and `ssim`, means over `frames`; of
            `pairs` of frames the mean `warping_error` of colours in 0..1.
        steadiness: whether to measure the warping error, which needs the frames that
            the temporal stream reads.

    Raises:
        ArtifactError: the files are not of one data set and the same clips.
    """
    rows = []
    with (
        formats.reading(frames, "frames/1", method=method) as made,
        formats.reading(originals, "frames/1", method="hr") as true,
        formats.reading(motion, MOTION) as flows,
    ):
        dataset = formats.about(true)["dataset"]
        for path, file in ((frames, made), (motion, flows)):
            if formats.clips(file) != formats.clips(true):
                raise formats.ArtifactError(f"{path}: not of the clips of {originals}")
        for name in track(formats.clips(true), f"quality {dataset} {method}"):
            pair = formats.clip(made, name), formats.clip(true, name)
            line = {"clip": name, **_fidelity(*pair, protocol)}
            if steadiness:
                line |= _steadiness(pair[0], formats.clip(flows, name))
            rows.append(line)
    formats.write_csv(out, QUALITY, pd.DataFrame(rows, columns=COLUMNS))


def _fidelity(made: Any, true: Any, protocol: Protocol) -> dict[str, float]:
    total = int(formats.facts(true)["frames"])
    wanted = np.unique(rgb_frames(total, protocol))
    pairs = [(_frame(made, at), _frame(true, at)) for at in wanted]
    return {
        "frames": len(wanted),
        "psnr": float(np.mean([measures.psnr(*pair) for pair in pairs])),
        "ssim": float(np.mean([measures.ssim(*pair) for pair in pairs])),
    }


def _steadiness(made: Any, flows: Any) -> dict[str, float]:
    errors = []
    for place, start in enumerate(flows["index"][:]):
        forward = flows["forward"][place]
        trusted = measures.steady(forward, flows["backward"][place])
        frames = _frame(made, start), _frame(made, start + 1)
        errors.append(measures.warping_error(*frames, forward, trusted))
    known = [error for error in errors if error is not None]
    mean = float(np.mean(known)) if known else float("nan")
    return {"pairs": len(known), "warping_error": mean}


def _frame(clip: Any, place: int) -> measures.Frame:
    """A stored frame by its place in the clip."""
    row = int(np.searchsorted(clip["index"][:], place))
    frame: measures.Frame = clip["frames"][row]
    return frame
