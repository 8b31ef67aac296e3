"""Draw how the stages of FlowNet2's training went."""

from pathlib import Path

import matplotlib
import pandas as pd

from twinlens.artifacts.figure import write_png

matplotlib.use("Agg")

from matplotlib import pyplot  # noqa: E402


def draw_stages(log: pd.DataFrame, title: str, out: Path) -> None:
    """Draw the end-point error of a training in stages, one after the other.

    Args:
        log: columns stage and epe (px), a row a step.
        title: above the picture.
        out: PNG.
    """
    figure, axes = pyplot.subplots(figsize=(8, 4))
    for stage, rows in log.groupby("stage", sort=False):
        smooth = rows["epe"].rolling(max(1, len(rows) // 20), min_periods=1).mean()
        axes.plot(rows.index + 1, rows["epe"], color="0.85", linewidth=0.7)
        axes.plot(rows.index + 1, smooth, label=stage)
    axes.set(xlabel="steps", ylabel="end-point error of training pairs (px)")
    axes.set(title=title, yscale="log")
    axes.legend()
    figure.tight_layout()
    write_png(out, figure, 100)
