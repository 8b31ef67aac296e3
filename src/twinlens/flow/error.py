"""Measure flow estimators on generated pairs that none was trained on."""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twinlens import provenance
from twinlens.artifacts.table import write_csv
from twinlens.flow import estimators
from twinlens.flow.estimators import Estimator
from twinlens.flow.flownet2.scenes import SMALL, Pairs, Scenes
from twinlens.flow.settings import FlowErrorJob
from twinlens.progress import say

FLOW_ERROR = "flow-error/1"
SIZE = (96, 128)
"""Height and width of the pairs; no multiples of 64, as most videos."""
MOTIONS = {"large": 1.0, "small": SMALL}
ZERO = "zero flow"
CLEARLY = 0.9
"""Of zero flow's error; a trained network's must be less to be any use."""
Floats = NDArray[np.float64]
Errors = dict[str, dict[str, Floats]]


def flow_error(
    networks: list[Path], job: FlowErrorJob, out: Path, threads: int = 1
) -> None:
    """Measure end-point errors on held-out pairs of known flow.

    Args:
        networks: HDF5 "network/1" of the estimators that are networks, in their order.
        job: which estimators.
        out: csv: mean end-point error in px by estimator and motion, its fraction of
            zero flow's, and 95 % intervals of both by redrawing pairs.
        threads: of the CPU.
    """
    held_out = provenance.seed(job.seed, "held out")
    pairs = {
        motion: Scenes(held_out, SIZE, times).draw(job.pairs, motion)
        for motion, times in MOTIONS.items()
    }
    errors: Errors = {
        label: {motion: _errors(estimate, each) for motion, each in pairs.items()}
        for label, estimate in _estimators(networks, job, threads).items()
    }
    rows = pd.DataFrame(
        [
            {"estimator": label, "motion": motion}
            | _row(errors, label, motion, job.seed)
            for label in errors
            for motion in ("all", *MOTIONS)
        ]
    )
    write_csv(out, FLOW_ERROR, rows)
    _report_errors(rows, _labels_of_networks(job))


def _estimators(
    networks: list[Path], job: FlowErrorJob, threads: int
) -> dict[str, Estimator]:
    """The estimators by their labels, zero flow among them."""
    files = dict(zip(_labels_of_networks(job), networks, strict=True))
    found = {
        label: estimators.load(entry, files.get(label), threads)
        for label, entry in job.estimators.items()
    }
    return found | {ZERO: lambda first, _: np.zeros((len(first), 2, *SIZE), np.float32)}


def _labels_of_networks(job: FlowErrorJob) -> list[str]:
    entries = job.estimators.items()
    return [label for label, entry in entries if estimators.needs_network(entry)]


def _errors(estimate: Estimator, pairs: Pairs) -> Floats:
    """Measure the mean end-point error of each pair, px."""
    off = estimate(pairs.first, pairs.second) - pairs.flow
    return np.hypot(off[:, 0], off[:, 1]).mean(axis=(1, 2), dtype=np.float64)


def _row(errors: Errors, label: str, motion: str, seed: int) -> dict[str, object]:
    """Summarise an estimator's errors on a motion, with intervals."""
    chosen = list(MOTIONS) if motion == "all" else [motion]
    own, still = (
        np.concatenate([errors[each][kind] for kind in chosen])
        for each in (label, ZERO)
    )
    rng = np.random.default_rng(provenance.seed(seed, "bootstrap", motion))
    drawn = rng.integers(len(own), size=(10_000, len(own)))
    means = own[drawn].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    parts = np.percentile(means / still[drawn].mean(axis=1), [2.5, 97.5])
    return {
        "pairs": len(own),
        "error": f"{own.mean():.3f}",
        "low": f"{low:.3f}",
        "high": f"{high:.3f}",
        "of_zero": f"{own.mean() / still.mean():.3f}",
        "of_zero_low": f"{parts[0]:.3f}",
        "of_zero_high": f"{parts[1]:.3f}",
    }


def _report_errors(rows: pd.DataFrame, networks: list[str]) -> None:
    """Report the errors; warn of a network that is hardly better than none."""
    for row in rows.itertuples():
        say(
            f"end-point error, {row.motion} motion, {row.estimator}: {row.error} px"
            f" ({row.low} to {row.high}), {row.of_zero} of zero flow's"
        )
    chosen = rows["estimator"].isin(networks) & (rows["motion"] == "all")
    for row in rows[chosen].itertuples():
        if not float(str(row.of_zero_high)) < CLEARLY:
            say(
                f"WARNING flow: the end-point error of {row.estimator}, {row.error} px,"
                f" is not clearly below zero flow's ({row.of_zero} of it): its weight"
                " maps mean little; train it longer, or name published weights"
            )
