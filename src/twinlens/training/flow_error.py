"""How far FlowNet2 and TV-L1 are off on generated pairs that nobody trained on."""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twinlens import provenance
from twinlens.artifacts.table import write_csv
from twinlens.flow import estimators
from twinlens.progress import say
from twinlens.training.flow import SMALL
from twinlens.training.moving import Pairs, Scenes

FLOW_ERROR = "flow-error/1"
SIZE = (96, 128)
"""Height and width of the pairs; no multiples of 64, as most videos."""
MOTIONS = {"large": 1.0, "small": SMALL}
CLEARLY = 0.9
"""Of zero flow's error; FlowNet2's must be less to be any use."""
Floats = NDArray[np.float64]


def flow_error(
    network: Path,
    out: Path,
    preset: str = "fast",
    pairs: int = 60,
    seed: int = 0,
    threads: int = 1,
) -> None:
    """Measure end-point errors on held-out pairs with true flow.

    Args:
        network: HDF5 "flownet2/1".
        out: csv: of each estimator and motion the mean end-point error in px, its part
            of zero flow's, and 95 % intervals of both by redrawing pairs.
        preset: of TV-L1.
        pairs: of each motion.
        seed: of the training; the held-out pairs have another that comes from it.
        threads: of the CPU.
    """
    held_out = provenance.seed(seed, "held out")
    drawn = {
        motion: Scenes(held_out, SIZE, times).draw(pairs, motion)
        for motion, times in MOTIONS.items()
    }
    made = {
        "FlowNet2": estimators.load("flownet2", network, threads=threads),
        "TV-L1": estimators.load("tvl1", preset=preset, threads=threads),
        "zero flow": lambda first, _: np.zeros((len(first), 2, *SIZE), np.float32),
    }
    errors = {
        name: {motion: _errors(estimate, each) for motion, each in drawn.items()}
        for name, estimate in made.items()
    }
    rows = pd.DataFrame(
        [
            {"estimator": name, "motion": motion, **_row(errors, name, motion, seed)}
            for name in errors
            for motion in ("all", *MOTIONS)
        ]
    )
    write_csv(out, FLOW_ERROR, rows)
    _tell(rows)


def _errors(estimate: estimators.Estimator, pairs: Pairs) -> Floats:
    """Mean end-point error of each pair, px."""
    off = estimate(pairs.first, pairs.second) - pairs.flow
    return np.hypot(off[:, 0], off[:, 1]).mean(axis=(1, 2), dtype=np.float64)


def _row(
    errors: dict[str, dict[str, Floats]], name: str, motion: str, seed: int
) -> dict[str, object]:
    """An estimator's error on a motion, with its intervals."""
    chosen = list(MOTIONS) if motion == "all" else [motion]
    own, still = (
        np.concatenate([errors[each][kind] for kind in chosen])
        for each in (name, "zero flow")
    )
    rng = np.random.default_rng(provenance.seed(seed, "bootstrap", motion))
    drawn = rng.integers(len(own), size=(10_000, len(own)))
    means = own[drawn].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    parts = np.percentile(means / still[drawn].mean(axis=1), [2.5, 97.5])
    told = {
        "pairs": len(own),
        "error": f"{own.mean():.3f}",
        "low": f"{low:.3f}",
        "high": f"{high:.3f}",
        "of_zero": f"{own.mean() / still.mean():.3f}",
    }
    return told | dict(
        zip(("of_zero_low", "of_zero_high"), (f"{p:.3f}" for p in parts), strict=True)
    )


def _tell(rows: pd.DataFrame) -> None:
    """The errors in words; loud where FlowNet2 is hardly better than none."""
    for row in rows.itertuples():
        say(
            f"end-point error, {row.motion} motion, {row.estimator}: {row.error} px"
            f" ({row.low} to {row.high}), {row.of_zero} of zero flow's"
        )
    chosen = (rows["estimator"] == "FlowNet2") & (rows["motion"] == "all")
    found = rows[chosen].iloc[0]
    if not float(found["of_zero_high"]) < CLEARLY:
        say(
            f"WARNING flow: FlowNet2's end-point error, {found['error']} px, is not"
            f" clearly below zero flow's ({found['of_zero']} of it): its weight maps"
            " mean little; train it longer, or give published weights"
        )
