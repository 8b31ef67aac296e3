"""Draw how a training went."""

from pathlib import Path

import matplotlib
import pandas as pd

from twinlens.artifacts.figure import write_png

matplotlib.use("Agg")

from matplotlib import pyplot  # noqa: E402


def draw_curve(log: pd.DataFrame, bicubic: float, title: str, out: Path) -> None:
    """Draw loss and held-out PSNR over steps.

    Args:
        log: columns step, loss, psnr (dB, empty where not measured).
        bicubic: PSNR of the interpolation, dB, as a line to beat.
        title: above the picture.
        out: PNG.
    """
    figure, (above, below) = pyplot.subplots(2, 1, sharex=True, figsize=(7, 6))
    smooth = log["loss"].rolling(max(1, len(log) // 50), min_periods=1).mean()
    above.plot(log["step"] + 1, log["loss"], color="0.8", linewidth=0.7)
    above.plot(log["step"] + 1, smooth, color="C0")
    above.set(ylabel="loss", yscale="log", title=title)
    seen = log.dropna(subset="psnr")
    below.plot(seen["step"] + 1, seen["psnr"], "o-", color="C1", label="network")
    below.axhline(bicubic, color="0.4", linestyle="--", label="bicubic")
    below.set(ylabel="PSNR on held-out patches (dB)", xlabel="steps")
    below.legend(loc="lower right")
    figure.tight_layout()
    write_png(out, figure, 100)
