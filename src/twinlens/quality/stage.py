"""Judge a method's frames of a shard against the originals."""

from pathlib import Path

import numpy as np
import pandas as pd

from twinlens.artifacts import reader
from twinlens.artifacts.reader import Clip
from twinlens.artifacts.table import write_csv
from twinlens.errors import ArtifactError
from twinlens.flow.pairs import MOTION
from twinlens.progress import track
from twinlens.protocol import Protocol, rgb_frames
from twinlens.quality import QUALITY, measures

COLUMNS = "dataset method clip frames psnr ssim pairs warping_error".split()


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
        motion: HDF5 "motion/1" of the originals, by TV-L1, both ways.
        method: whose frames these are.
        protocol: how the recogniser samples a clip: its RGB frames are compared.
        out: csv a clip a line: `psnr` dB of luma and `ssim`, means over `frames`; of
            `pairs` of frames the mean `warping_error` of colours in 0..1.
        steadiness: whether to measure the warping error, which needs the frames that
            the temporal stream reads.

    Raises:
        ArtifactError: the files are not of one data set and the same clips, or a frame
            to compare is not stored.
    """
    rows = []
    with (
        reader.open(frames, "frames/1", method=method) as made,
        reader.open(originals, "frames/1", method="hr") as true,
        reader.open(motion, MOTION, estimator="tvl1", gap=1) as flows,
    ):
        dataset = true.about["dataset"]
        for path, file in ((frames, made), (motion, flows)):
            file.expect(None, {"dataset": dataset})
            if file.clips != true.clips:
                raise ArtifactError(f"{path}: not of the clips of {originals}")
        for name in track(true.clips, f"quality {dataset} {method}"):
            pair = made.clip(name), true.clip(name)
            line = {"dataset": dataset, "method": method, "clip": name}
            line |= _fidelity(*pair, protocol)
            if steadiness:
                line |= _steadiness(pair[0], flows.clip(name))
            rows.append(line)
    write_csv(out, QUALITY, pd.DataFrame(rows, columns=COLUMNS))


def _fidelity(made: Clip, true: Clip, protocol: Protocol) -> dict[str, float]:
    total = int(true.facts["frames"])
    wanted = np.unique(rgb_frames(total, protocol))
    pairs = [(made.at("frames", at), true.at("frames", at)) for at in wanted]
    return {
        "frames": len(wanted),
        "psnr": float(np.mean([measures.psnr(*pair) for pair in pairs])),
        "ssim": float(np.mean([measures.ssim(*pair) for pair in pairs])),
    }


def _steadiness(made: Clip, flows: Clip) -> dict[str, float]:
    errors = []
    for place, start in enumerate(flows["index"][:]):
        forward = flows["forward"][place]
        trusted = measures.steady(forward, flows["backward"][place])
        frames = made.at("frames", start), made.at("frames", start + 1)
        errors.append(measures.warping_error(*frames, forward, trusted))
    known = [error for error in errors if error is not None]
    mean = float(np.mean(known)) if known else float("nan")
    return {"pairs": len(known), "warping_error": mean}
