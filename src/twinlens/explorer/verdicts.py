"""What a page knows of every clip: what it is taken for by each row and head.

The numbers that the page shows are computed on the page from these, and compared with
the tables'.
"""

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from twinlens.errors import ArtifactError
from twinlens.recognisers import VIEWS
from twinlens.tables import facts, table3
from twinlens.tables.accuracy import Bools, Scores, is_correct
from twinlens.tables.settings import Layout

BEST = 5
"""Classes whose scores are shown of a clip."""
Loaded = dict[tuple[str, str], Scores]


def rows(loaded: Loaded, layout: Layout, dataset: str) -> dict[str, Scores]:
    """Join the scores of each row of a table; HR may have none."""
    about = layout.datasets[dataset]
    return {
        name: table3.joined(loaded, layout, dataset, method)
        for name, method in layout.methods.items()
        if table3.is_scored(method, about)
    }


def streams(layout: Layout) -> list[str]:
    """The heads of a recogniser, and "fusion" where there are several."""
    return [each.lower() for each in table3.streams(layout)]


def shown(layout: Layout, name: str) -> list[str]:
    """The streams that the table shows of a row: of a pair, only the fusion."""
    return [each.lower() for each in table3.shown(layout, layout.methods[name])]


def packed(scores: Scores, stream: str, layout: Layout) -> dict[str, Any]:
    """Pack what a row's clips are taken for by a stream.

    Returns:
        `taken`: a class for each clip, uint16 in little endian and base64; where views
        are counted, `views`: the fractions of them that are correct, and `of_views`:
        which of these each clip has.
    """
    taken = facts.values(scores, stream, layout).argmax(axis=1)
    found: dict[str, Any] = {"taken": as_base64(taken)}
    if facts.metric(layout, stream) == VIEWS:
        fractions, at = np.unique(scores.correct_views[stream], return_inverse=True)
        found |= {"views": fractions.tolist(), "of_views": as_base64(at)}
    return found


def as_base64(numbers: NDArray[np.integer]) -> str:
    """Write numbers below 65,536 as uint16, little endian, in base64."""
    return base64.b64encode(numbers.astype("<u2").tobytes()).decode()


def best(scores: Scores, stream: str, layout: Layout) -> list[list[list[float]]]:
    """Find each clip's classes with the largest scores after softmax.

    Returns:
        (N, 5 or all classes, 2): class, score in [0, 1]; the largest first.
    """
    shares = special.softmax(facts.values(scores, stream, layout), axis=1)
    order = np.argsort(-shares, axis=1, kind="stable")[:, :BEST]
    largest = np.take_along_axis(shares, order, axis=1).round(4)
    pairs = zip(order.tolist(), largest.tolist(), strict=True)
    return [
        [[each, share] for each, share in zip(*pair, strict=True)] for pair in pairs
    ]


def right(of_rows: Mapping[str, Scores], layout: Layout) -> dict[str, Bools]:
    """Which clips each row recognises, by all heads: (N,) by row."""
    last = streams(layout)[-1]
    return {
        name: is_correct(facts.values(scores, last, layout), scores.labels)
        for name, scores in of_rows.items()
    }


def same(of_rows: Mapping[str, Scores], dataset: str) -> Scores:
    """Check that all rows have the same clips; the first of them.

    Raises:
        ArtifactError: they don't, or there is no row.
    """
    if not of_rows:
        raise ArtifactError(f"{dataset}: no row that is selected has scores on it")
    facts.same_clips(dataset, *of_rows.values())
    return next(iter(of_rows.values()))
