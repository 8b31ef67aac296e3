"""Accuracy against PSNR, SSIM and warping error: does fidelity tell what helps?

The paper names it as future work; the rank correlation over methods answers it.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import pyplot
from numpy.typing import NDArray
from scipy import stats

from twinlens import provenance
from twinlens.artifacts.figure import write_figure
from twinlens.errors import ArtifactError
from twinlens.figures import style
from twinlens.progress import say
from twinlens.tables import facts, forms, quality
from twinlens.tables.accuracy import is_correct, load
from twinlens.tables.settings import FigureJob, Layout

DRAWS = 1000
SIDE = 2.6  # inches of a panel
Floats = NDArray[np.float64]


def figure(inputs: list[Path], job: FigureJob, out: Path) -> None:
    """Draw accuracy over each measure, a row of panels for each head.

    Spearman's correlation is over methods without HR; its 95 % interval redraws clips,
    the same ones for accuracy and measure.

    Args:
        inputs: score shards of the data set, and csv of its clips' quality.
        job: its layout has the methods.
        out: PNG; PDF and SVG are written beside it.

    Raises:
        ArtifactError: scores or measures are missing.
    """
    layout, about = job.layout, job.layout.datasets[job.dataset]
    names = [each for each in forms.order(layout) if not layout.methods[each].is_hr]
    correct, clips = _correct(inputs, layout, job.dataset, names)
    measured = _measured(inputs, layout, job.dataset, names, clips)
    style.use([about.label, *(each.label for each in layout.methods.values())])
    drawn, axes = pyplot.subplots(
        len(layout.heads),
        len(measured),
        figsize=(SIDE * len(measured) + 1.2, SIDE * len(layout.heads) + 0.6),
        squeeze=False,
        layout="constrained",
    )
    for row, head in zip(axes, layout.heads, strict=True):
        for axis, (measure, values) in zip(row, measured.items(), strict=True):
            _panel(axis, job, names, correct[head], values)
            axis.set_xlabel(measure)
        row[0].set_ylabel(f"{head}: fraction of clips correct (%)")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    drawn.legend(handles, labels, loc="outside right center")
    what = f"{len(clips)} clips, Spearman's rho over methods (95 % interval)"
    drawn.suptitle(style.title(layout, job.dataset, what, SIDE * len(measured)))
    write_figure(out, drawn, style.DPI)
    say(f"{about.label}: {out}")


def _correct(
    inputs: list[Path], layout: Layout, dataset: str, names: list[str]
) -> tuple[dict[str, Floats], list[str]]:
    """Find which clips are correct: (methods, clips) by head, and the clips."""
    loaded = load(each for each in inputs if each.suffix == ".h5")
    found: dict[str, Floats] = {}
    clips: list[str] = []
    for head in layout.heads:
        scores = [
            facts.of(loaded, dataset, layout.methods[name].scores[head])
            for name in names
        ]
        facts.same_clips(dataset, *scores)
        clips = scores[0].clips
        right = [is_correct(each.of(head), each.labels) for each in scores]
        found[head] = np.stack(right).astype(np.float64)
    return found, clips


def _measured(
    inputs: list[Path],
    layout: Layout,
    dataset: str,
    names: list[str],
    clips: list[str],
) -> dict[str, Floats]:
    """Read the measures of the same clips: (methods, clips) by their names."""
    tables = quality.joined([each for each in inputs if each.suffix == ".csv"])
    found: dict[str, list[Floats]] = {}
    for name in names:
        method = layout.methods[name].frames_of
        if (dataset, method) not in tables:
            raise ArtifactError(f"no quality of {method} on {dataset} among the inputs")
        rows = tables[dataset, method].set_index("clip")
        if absent := sorted({*clips} - {*rows.index}):
            raise ArtifactError(f"quality of {method} on {dataset} lacks {absent[0]}")
        rows = rows.loc[clips]
        for column, (measure, factor, _) in quality.MEASURES.items():
            values = pd.to_numeric(rows[column], errors="coerce").to_numpy(np.float64)
            label = f"{measure} x {factor:.0f}" if factor != 1 else measure
            found.setdefault(label, []).append(factor * values)
    return {measure: np.stack(values) for measure, values in found.items()}


def _panel(
    axis: Any, job: FigureJob, names: list[str], correct: Floats, values: Floats
) -> None:
    x, y = np.nanmean(values, axis=1), 100 * correct.mean(axis=1)
    for name, at in zip(names, zip(x, y, strict=True), strict=True):
        mark = style.mark(job.layout, job.order, name)
        label = job.layout.methods[name].label
        axis.plot(*at, mark.marker, color=mark.color, markersize=4, label=label)
    rho, low, high = correlation(values, correct, job.seed)
    axis.set_title(f"rho {rho:.2f} ({low:.2f} to {high:.2f})")


def correlation(
    values: Floats, correct: Floats, seed: int = 0
) -> tuple[float, float, float]:
    """Compute Spearman's correlation of means over methods, with a 95 % interval.

    Args:
        values: (methods, clips) of a measure; not a number where a clip has none.
        correct: (methods, clips), 1 where a clip is recognised.
        seed: of the bootstrap, which redraws clips.

    Returns:
        The correlation, and both ends of its interval.
    """
    whole = _rho(np.nanmean(values, axis=1), correct.mean(axis=1))
    rng = np.random.default_rng(provenance.seed(seed, "correlation"))
    count, drawn = values.shape[1], []
    for _ in range(DRAWS):
        chosen = rng.integers(count, size=count)
        part = np.nanmean(values[:, chosen], axis=1), correct[:, chosen].mean(axis=1)
        drawn.append(_rho(*part))
    defined = [each for each in drawn if not np.isnan(each)] or [np.nan]
    low, high = np.percentile(defined, [2.5, 97.5])
    return whole, float(low), float(high)


def _rho(one: Floats, other: Floats) -> float:
    """Spearman's correlation; not a number where all are alike."""
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return float("nan")
    return float(stats.spearmanr(one, other).statistic)
