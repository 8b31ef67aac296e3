"""Compute accuracies from stored scores, with confidence intervals.

N clips, K snippets, C classes. Scores are taken before softmax.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from twinlens.artifacts import reader
from twinlens.artifacts.reader import Clip
from twinlens.errors import ArtifactError, unusable
from twinlens.recognisers import CLASSES, CLIPS
from twinlens.recognition import SCORES

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of a row's clips of one data set."""

    clips: list[str]
    labels: NDArray[np.int64]
    """(N,), 0-based."""
    heads: dict[str, Floats]
    """(N, C) of each head that was scored, mean over snippets or views."""
    correct_views: dict[str, Floats] = field(default_factory=dict)
    """(N,) by head, the fraction of a clip's snippets or views that are correct."""

    def of(self, head: str) -> Floats:
        """Return the scores of a head.

        Raises:
            ArtifactError: they are not there.
        """
        if head not in self.heads:
            raise ArtifactError(f"the {head} stream was not scored")
        return self.heads[head]

    def fused(self, weights: Sequence[float]) -> Floats:
        """Fuse late: the weighted sum of all heads, in their order.

        Raises:
            ArtifactError: there are not as many heads as weights.
        """
        if len(weights) != len(self.heads):
            raise ArtifactError(f"{list(self.heads)}: the fusion needs {len(weights)}")
        pairs = zip(weights, self.heads.values(), strict=True)
        total: Floats = sum(  # type: ignore[assignment]
            weight * scores for weight, scores in pairs
        )
        return total


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Accuracies in percent; intervals hold 95 %."""

    value: float
    """By the metric: the mean over classes of the fraction of clips classified
    correctly, that of all clips, or that of all their views."""
    low: float
    high: float
    """Of `value`: class-stratified bootstrap, Wilson, bootstrap over clips."""
    overall: float
    overall_low: float
    overall_high: float
    """Wilson's interval of `overall`."""
    correct: int
    clips: int
    classes: int
    """Classes with test clips."""
    choices: int
    """Classes that the recogniser tells apart, C."""
    metric: str = CLASSES
    """What `value` counts, see `twinlens.recognisers.Head`."""


def load(paths: Iterable[Path]) -> dict[tuple[str, str], Scores]:
    """Read score shards and join those of a data set and row.

    Raises:
        ArtifactError: a file is not whole, has scores that are not finite, or has a
            clip that another has.
    """
    found: dict[tuple[str, str], list[Path]] = {}
    for path in paths:
        with reader.open(path, SCORES) as file:
            about = file.about
        found.setdefault((about["dataset"], about["row"]), []).append(path)
    return {key: _join(shards) for key, shards in found.items()}


def _join(paths: Sequence[Path]) -> Scores:
    clips: list[str] = []
    labels: list[int] = []
    heads: dict[str, list[Floats]] = {}
    views: dict[str, list[float]] = {}
    for path in paths:
        with reader.open(path, SCORES) as file:
            for name in file.clips:
                clip = file.clip(name)
                clips.append(name)
                labels.append(int(clip.facts["label"]))
                for head in clip:
                    of_views = _finite(clip, head)
                    heads.setdefault(head, []).append(of_views.mean(axis=0))
                    correct = of_views.argmax(axis=1) == labels[-1]
                    views.setdefault(head, []).append(float(correct.mean()))
    if len(set(clips)) < len(clips):
        raise ArtifactError(f"{[str(path) for path in paths]}: a clip twice")
    for head, scores in heads.items():
        if len(scores) != len(clips):
            raise ArtifactError(
                f"{[str(path) for path in paths]}: only some have {head} scores"
            )
    return Scores(
        clips,
        np.array(labels),
        {head: np.stack(scores) for head, scores in heads.items()},
        {head: np.array(fractions) for head, fractions in views.items()},
    )


def _finite(clip: Clip, head: str) -> Floats:
    """Read a clip's scores: (views, C)."""
    scores = clip[head][:]
    if not np.isfinite(scores).all():
        raise unusable(clip.path, f"has {head} scores that are not finite numbers")
    return scores.astype(np.float64)


def accuracy(
    scores_nc: Floats,
    labels_n: NDArray[np.int64],
    seed: int,
    metric: str = CLASSES,
    correct_views_n: Floats | None = None,
) -> Accuracy:
    """Compute an accuracy by a metric, and that of all clips, with intervals.

    Args:
        scores_nc: (N, C); a clip is correct if its label has the largest score.
        labels_n: (N,) 0-based.
        seed: of the bootstrap.
        metric: what is counted, see `twinlens.recognisers.Head`.
        correct_views_n: (N,) the fraction of each clip's views that are correct, for
            the metric of views.
    """
    correct_n = is_correct(scores_nc, labels_n)
    present = np.unique(labels_n)
    count = np.array([(labels_n == label).sum() for label in present])
    hits = np.array([correct_n[labels_n == label].sum() for label in present])
    overall = 100 * float(hits.sum() / count.sum())
    overall_low, overall_high = wilson(int(hits.sum()), int(count.sum()))
    if metric == CLASSES:
        value = 100 * float((hits / count).mean())
        low, high = _bootstrap(hits, count, seed)
    elif metric == CLIPS:
        value, low, high = overall, overall_low, overall_high
    else:
        assert correct_views_n is not None
        value = 100 * float(correct_views_n.mean())
        low, high = _bootstrap_clips(correct_views_n, seed)
    return Accuracy(
        value=value,
        low=low,
        high=high,
        overall=overall,
        overall_low=overall_low,
        overall_high=overall_high,
        correct=int(hits.sum()),
        clips=int(count.sum()),
        classes=len(present),
        choices=scores_nc.shape[1],
        metric=metric,
    )


def is_correct(scores_nc: Floats, labels_n: NDArray[np.int64]) -> Bools:
    """Whether the top-1 class is the label, per clip: (N,)."""
    return scores_nc.argmax(axis=1) == labels_n


def wilson(correct: int, clips: int) -> tuple[float, float]:
    """Compute Wilson's 95 % interval of a share of clips, in percent."""
    ends = stats.binomtest(correct, clips).proportion_ci(method="wilson")
    return 100 * ends.low, 100 * ends.high


def mcnemar(one_n: Bools, other_n: Bools) -> float:
    """Compute McNemar's exact two-sided p of two methods being equally accurate.

    Args:
        one_n: (N,) whether a method classifies a clip correctly.
        other_n: (N,) the same of another method's, in the same order.
    """
    won, lost = int((one_n & ~other_n).sum()), int((other_n & ~one_n).sum())
    return float(stats.binomtest(won, won + lost).pvalue) if won + lost else 1.0


def by_class(scores: Scores, head: str) -> dict[str, Bools]:
    """Find the clips that a head classifies correctly, class by class.

    Args:
        scores: of clips that are named `<Class>/<file>`, which names the classes.
        head: such as spatial.

    Returns:
        (n,) by class in the order of labels; clips in the order of `scores`.

    Raises:
        ArtifactError: a class has two labels or a label two classes.
    """
    correct_n = is_correct(scores.of(head), scores.labels)
    names = [clip.partition("/")[0] for clip in scores.clips]
    found = sorted(set(zip(scores.labels.tolist(), names, strict=True)))
    for pairs in zip(*found, strict=True):
        if twice := {str(each) for each in pairs if pairs.count(each) > 1}:
            raise ArtifactError(
                f"classes and labels do not pair: {', '.join(sorted(twice))}: these"
                " scores are of several versions of the data set; make them again"
            )
    return {name: correct_n[scores.labels == label] for label, name in found}


def _bootstrap(
    hits: NDArray[np.int64], count: NDArray[np.int64], seed: int, draws: int = 10_000
) -> tuple[float, float]:
    """Bootstrap the 95 % interval of mean class accuracy, clips redrawn by class.

    Redrawing n clips, correct or not, gives a binomial number of correct ones.
    """
    rng = np.random.default_rng(seed)
    drawn = rng.binomial(count, hits / count, size=(draws, len(count))) / count
    low, high = np.percentile(100 * drawn.mean(axis=1), [2.5, 97.5])
    return float(low), float(high)


def _bootstrap_clips(
    correct_views_n: Floats, seed: int, draws: int = 10_000
) -> tuple[float, float]:
    """Bootstrap the 95 % interval of the fraction of correct views, clips redrawn.

    The views of a clip depend on each other: a clip is drawn with all of them.
    """
    values, count = np.unique(correct_views_n, return_counts=True)
    rng = np.random.default_rng(seed)
    total = int(count.sum())
    drawn = rng.multinomial(total, count / total, size=draws) @ values / total
    low, high = np.percentile(100 * drawn, [2.5, 97.5])
    return float(low), float(high)
