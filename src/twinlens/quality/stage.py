"""Measure how far a method's frames of a shard are from the originals."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from twinlens.artifacts import reader
from twinlens.artifacts.reader import Clip, JoinedClip
from twinlens.artifacts.table import write_csv
from twinlens.errors import unusable
from twinlens.flow.pairs import MOTION
from twinlens.progress import track
from twinlens.quality import QUALITY, measures
from twinlens.quality.settings import Measurement

COLUMNS = "dataset method clip frames psnr ssim pairs warping_error".split()


def measure(
    frames: list[Path],
    originals: list[Path],
    motion: Path,
    job: Measurement,
    out: Path,
) -> None:
    """Measure PSNR, SSIM and warping error of every clip.

    Args:
        frames: HDF5 "frames/1" of the method; the originals themselves for "hr".
        originals: HDF5 "frames/1".
        motion: HDF5 "motion/1" of the originals, both ways.
        job: whose frames, and which are compared.
        out: csv a clip a line: `psnr` dB of luma and `ssim`, means over `frames`;
            `warping_error` of colours in 0..1, the mean over `pairs` of frames.

    Raises:
        ArtifactError: the files are not of one data set and the same clips, or a frame
            to compare is not stored.
    """
    of = {"dataset": job.dataset}
    rows = []
    with (
        reader.open_shards(frames, "frames/1", method=job.method, **of) as outputs,
        reader.open_shards(originals, "frames/1", method="hr", **of) as targets,
        reader.open(motion, MOTION, flow=job.flow, gap=1, **of) as flows,
    ):
        for path, clips in ((frames[0], outputs.clips), (motion, flows.clips)):
            if clips != targets.clips:
                raise unusable(path, f"is not of the clips of {originals[0]}")
        for name in track(targets.clips, f"quality {job.dataset} {job.method}"):
            output = outputs.clip(name)
            line: dict[str, Any] = {
                "dataset": job.dataset,
                "method": job.method,
                "clip": name,
            }
            line |= _fidelity(name, output, targets.clip(name), job)
            if job.consistency:
                line |= _consistency(output, flows.clip(name))
            rows.append(line)
    write_csv(out, QUALITY, pd.DataFrame(rows, columns=COLUMNS))


def _fidelity(
    name: str, output: JoinedClip, target: JoinedClip, job: Measurement
) -> dict[str, float]:
    total = int(target.facts["frames"])
    wanted = np.unique(job.sampler.reads(total, name).frames)
    pairs = [(output.at("frames", at), target.at("frames", at)) for at in wanted]
    return {
        "frames": len(wanted),
        "psnr": float(np.mean([measures.psnr(*pair) for pair in pairs])),
        "ssim": float(np.mean([measures.ssim(*pair) for pair in pairs])),
    }


def _consistency(output: JoinedClip, flows: Clip) -> dict[str, float]:
    """Average the warping error over a clip's pairs; count them."""
    errors = []
    for row, start in enumerate(flows.index):
        forward = flows["forward"][row]
        reliable = measures.reliable_flow(forward, flows["backward"][row])
        frames = output.at("frames", start), output.at("frames", start + 1)
        errors.append(measures.warping_error(*frames, forward, reliable))
    known = [error for error in errors if error is not None]
    mean = float(np.mean(known)) if known else float("nan")
    return {"pairs": len(known), "warping_error": mean}
