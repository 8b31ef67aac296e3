"""Two methods on the same clips: who is right where the other is wrong."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from twinlens import formats
from twinlens.tables.accuracy import Scores


@dataclass(frozen=True, slots=True)
class Paired:
    """An exact McNemar test, two-sided."""

    won: int
    """Clips that only the second is right on."""
    lost: int
    """Clips that only the first is right on."""
    p: float
    """Of as uneven a split of these clips, or a more uneven one, by chance."""


def compared(first: Scores, second: Scores, stream: str) -> Paired:
    """Test a stream of two methods on the same clips.

    Raises:
        ArtifactError: they are not of the same clips.
    """
    if first.clips != second.clips:
        raise formats.ArtifactError("the scores of two methods are of other clips")
    one, other = _right(first, stream), _right(second, stream)
    won, lost = int((other & ~one).sum()), int((one & ~other).sum())
    p = stats.binomtest(won, won + lost).pvalue if won + lost else 1.0
    return Paired(won, lost, float(p))


def _right(scores: Scores, stream: str) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = scores.of(stream).argmax(axis=1) == scores.labels
    return found


def bracketed(columns: Iterable[str]) -> list[tuple[str, str]]:
    """Neighbouring columns that differ in brackets alone, as "SoSR (TV-L1)" does."""
    names = list(columns)
    bare = [re.sub(r" *\([^()]*\)$", "", name) for name in names]
    return [
        (names[place], names[place + 1])
        for place in range(len(names) - 1)
        if bare[place] == bare[place + 1]
    ]
