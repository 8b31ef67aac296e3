"""Accuracies from stored scores, with the intervals that they deserve.

N clips, K snippets, C classes. Scores are taken before softmax.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from twinlens import formats

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of a method's clips of one data set."""

    clips: list[str]
    labels: NDArray[np.int64]
    """(N,), 0-based."""
    spatial: Floats | None
    """(N, C), mean over snippets; None where no table takes this stream's scores."""
    temporal: Floats | None
    """(N, C), mean over snippets; None likewise."""

    def of(self, stream: str) -> Floats:
        """The scores of a stream.

        Raises:
            ArtifactError: they are not there.
        """
        found: Floats | None = getattr(self, stream)
        if found is None:
            raise formats.ArtifactError(f"the {stream} stream was not scored")
        return found

    def fused(self, weights: Sequence[float]) -> Floats:
        """TSN's late fusion: a weighted sum, spatial weight first."""
        return weights[0] * self.of("spatial") + weights[1] * self.of("temporal")


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Accuracies in percent; intervals hold 95 %."""

    mean_class: float
    """Mean over classes of the part of clips that are right."""
    low: float
    high: float
    """Class-stratified bootstrap of `mean_class`."""
    overall: float
    overall_low: float
    overall_high: float
    """Wilson's interval of `overall`."""
    right: int
    clips: int
    classes: int
    """Classes with test clips."""


def load(paths: Iterable[Path]) -> dict[tuple[str, str], Scores]:
    """Read score shards and join those of a data set and method.

    Raises:
        ArtifactError: a file is not whole, or two hold the same clip.
    """
    found: dict[tuple[str, str], list[Path]] = {}
    for path in paths:
        with formats.reading(path, "scores/1") as file:
            about = formats.about(file)
        found.setdefault((about["dataset"], about["method"]), []).append(path)
    return {key: _join(shards) for key, shards in found.items()}


def _join(paths: Sequence[Path]) -> Scores:
    clips: list[str] = []
    labels: list[int] = []
    streams: dict[str, list[Floats]] = {"spatial": [], "temporal": []}
    for path in paths:
        with formats.reading(path, "scores/1") as file:
            for name in formats.clips(file):
                group = formats.clip(file, name)
                clips.append(name)
                labels.append(int(group.attrs["label"]))
                for stream, made in streams.items():
                    if stream in group:
                        made.append(group[stream][:].mean(axis=0, dtype=np.float64))
    if len(set(clips)) < len(clips):
        raise formats.ArtifactError(f"{[str(path) for path in paths]}: a clip twice")
    joined = {key: np.stack(made) if made else None for key, made in streams.items()}
    return Scores(clips, np.array(labels), **joined)


def accuracy(scores_nc: Floats, labels_n: NDArray[np.int64], seed: int) -> Accuracy:
    """Mean class and overall accuracy with intervals.

    Args:
        scores_nc: (N, C); a clip is right if its label has the largest score.
        labels_n: (N,) 0-based.
        seed: of the bootstrap.
    """
    right_n = scores_nc.argmax(axis=1) == labels_n
    present = np.unique(labels_n)
    count = np.array([(labels_n == label).sum() for label in present])
    hits = np.array([right_n[labels_n == label].sum() for label in present])
    low, high = _bootstrap(hits, count, seed)
    wilson = stats.binomtest(int(hits.sum()), int(count.sum())).proportion_ci(
        method="wilson"
    )
    return Accuracy(
        mean_class=100 * float((hits / count).mean()),
        low=low,
        high=high,
        overall=100 * float(hits.sum() / count.sum()),
        overall_low=100 * wilson.low,
        overall_high=100 * wilson.high,
        right=int(hits.sum()),
        clips=int(count.sum()),
        classes=len(present),
    )


def _bootstrap(
    hits: NDArray[np.int64], count: NDArray[np.int64], seed: int, draws: int = 10_000
) -> tuple[float, float]:
    """95 % of the mean class accuracies of clips redrawn within each class.

    Redrawing n right-or-wrong clips gives a binomial number of right ones.
    """
    rng = np.random.default_rng(seed)
    drawn = rng.binomial(count, hits / count, size=(draws, len(count))) / count
    low, high = np.percentile(100 * drawn.mean(axis=1), [2.5, 97.5])
    return float(low), float(high)
