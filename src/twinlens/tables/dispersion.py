"""Measure how far the classes of Figure 6 lie from its diagonal."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from twinlens import provenance
from twinlens.tables import facts, forms, table5
from twinlens.tables.accuracy import Bools, Floats, load
from twinlens.tables.facts import Correct
from twinlens.tables.forms import Files
from twinlens.tables.settings import Layout, TableJob

WIDE = {
    "dataset": "Dataset",
    "method": "Method",
    "rms": "RMS",
    "rms_by_chance": "RMS by chance",
    "mean": "Mean",
    "spread": "Spread",
    "better": "Better",
    "equal": "Equal",
    "worse": "Worse",
}
LONG = (
    "dataset method rms rms_low rms_high rms_by_chance mean mean_low mean_high spread"
    " better equal worse classes clips data"
).split()
DRAWS = 10_000
NOTES = (
    "Over classes, the method's accuracy less Bicubic's, in points: root mean square,",
    "mean, spread about the mean, and how many classes are better, equal, worse. RMS",
    "by chance: if a coin said which of the two has a clip right that they judge",
    "differently. The long form has intervals over redrawn classes, which are crude",
    "where classes are few.",
)


def table(inputs: list[Path], job: TableJob, files: Files) -> None:
    """Write the dispersion of every method about Bicubic's diagonal.

    It is of the spatial stream, as Figure 6 is (see `table5`).

    Args:
        inputs: score shards with a spatial stream.
        job: its layout has the methods, Bicubic among them, and data sets.
        files: where its forms go.

    Raises:
        ArtifactError: scores are missing or not of the same clips; no Bicubic.
    """
    layout, loaded = job.layout, load(inputs)
    lines: list[dict[str, object]] = []
    for dataset, about in layout.datasets.items():
        correct = facts.right_by_class(loaded, layout, dataset)
        for method in others(layout, correct):
            own = provenance.seed(job.seed, "dispersion", method, dataset)
            first = {
                "dataset": about.label,
                "method": layout.methods[method].label,
                "data": "generated" if about.generated else "real",
            }
            pairs = pairs_of(correct, method, table5.reference(layout))
            lines.append(first | _line(pairs, own))
    found = pd.DataFrame(lines, columns=LONG)
    what = (
        f"{layout.head} stream of {layout.recogniser}, single classes against Bicubic"
    )
    wide = found[list(WIDE)].rename(columns=WIDE)
    forms.write(files, forms.head("dispersion", layout, what), wide, found, NOTES)


def others(layout: Layout, correct: Correct) -> list[str]:
    """List the methods with scores except Bicubic, in the order of Table 3.

    Raises:
        ArtifactError: there is no Bicubic.
    """
    bicubic, there = table5.reference(layout), next(iter(correct.values()), {})
    return [key for key in forms.order(layout) if key in there and key != bicubic]


def pairs_of(correct: Correct, method: str, bicubic: str) -> list[tuple[Bools, Bools]]:
    """Pair what a method and Bicubic classify correctly, class by class."""
    return [(each[method], each[bicubic]) for each in correct.values()]


def differences(pairs: Sequence[tuple[Bools, Bools]]) -> Floats:
    """Subtract Bicubic's accuracy from a method's, class by class: (C,) points."""
    return np.array(
        [
            100 * (int(ours.sum()) - int(theirs.sum())) / len(ours)
            for ours, theirs in pairs
        ]
    )


def rms(points: Floats) -> Floats:
    """Compute the root mean square over classes, the last axis: (..., C) to (...)."""
    squared: Floats = np.sqrt(np.mean(points**2, axis=-1))
    return squared


def by_chance(pairs: Sequence[tuple[Bools, Bools]]) -> float:
    """Compute the RMS if a coin decided each clip on which the methods differ.

    d such clips of a class's n give a difference of variance d / n².
    """
    variances = [(ours ^ theirs).sum() / len(ours) ** 2 for ours, theirs in pairs]
    return 100 * float(np.sqrt(np.mean(variances)))


def _line(pairs: Sequence[tuple[Bools, Bools]], seed: int) -> dict[str, object]:
    points = differences(pairs)
    rng = np.random.default_rng(seed)
    drawn = points[rng.integers(len(points), size=(DRAWS, len(points)))]
    line: dict[str, object] = {
        "rms": f"{rms(points):.2f}",
        "rms_by_chance": f"{by_chance(pairs):.2f}",
        "mean": f"{points.mean():.2f}",
        "spread": f"{points.std():.2f}",
        "better": int((points > 0).sum()),
        "equal": int((points == 0).sum()),
        "worse": int((points < 0).sum()),
        "classes": len(points),
        "clips": sum(len(ours) for ours, _ in pairs),
    }
    for name, values in (("rms", rms(drawn)), ("mean", drawn.mean(axis=1))):
        low, high = np.percentile(values, [2.5, 97.5])
        line |= {f"{name}_low": f"{low:.2f}", f"{name}_high": f"{high:.2f}"}
    return line
