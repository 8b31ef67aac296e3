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

from twinlens.recognisers import CLASSES, VIEWS
from twinlens.tables import facts, table3
from twinlens.tables.accuracy import Scores
from twinlens.tables.facts import FUSION
from twinlens.tables.settings import Layout

BEST = 5
"""Classes whose scores are shown of a clip."""
Loaded = dict[tuple[str, str], Scores]


def rows(loaded: Loaded, layout: Layout, dataset: str) -> dict[str, Scores]:
    """Join the scores of each row of a table; HR may have none."""
    has_hr = layout.datasets[dataset].has_hr
    return {
        name: table3.joined(loaded, layout, dataset, method)
        for name, method in layout.methods.items()
        if has_hr or "hr" not in {method.frames_of, method.flow_of}
    }


def streams(layout: Layout) -> list[str]:
    """The heads of a recogniser, and "fusion" where there are several."""
    return [each.lower() for each in table3.streams(layout)]


def shown(layout: Layout, name: str) -> list[str]:
    """The streams that the table shows of a row: of a pair, only the fusion."""
    method = layout.methods[name]
    alone = method.frames_of == method.flow_of or len(layout.heads) == 1
    return streams(layout) if alone else [FUSION]


def packed(scores: Scores, stream: str, layout: Layout) -> dict[str, Any]:
    """Pack what a row's clips are taken for by a stream.

    Returns:
        `taken`: a class for each clip, uint16 in little endian and base64; where views
        are counted, `views`: the fractions of them that are correct, and `of_views`:
        which of these each clip has.
    """
    values = scores.fused(layout.fusion) if stream == FUSION else scores.of(stream)
    found: dict[str, Any] = {"taken": as_base64(values.argmax(axis=1))}
    if layout.metrics.get(stream, CLASSES) == VIEWS:
        fractions, at = np.unique(scores.correct_views[stream], return_inverse=True)
        found |= {"views": fractions.tolist(), "of_views": as_base64(at)}
    return found


def as_base64(numbers: NDArray[np.integer]) -> str:
    """Write numbers below 65,536 as uint16, little endian, in base64."""
    return base64.b64encode(numbers.astype("<u2").tobytes()).decode()


def best(scores: Scores, stream: str, layout: Layout) -> list[list[list[float]]]:
    """Each clip's classes with the largest scores after softmax: [class, score]."""
    values = scores.fused(layout.fusion) if stream == FUSION else scores.of(stream)
    shares = special.softmax(values, axis=1)
    order = np.argsort(-shares, axis=1, kind="stable")[:, :BEST]
    largest = np.take_along_axis(shares, order, axis=1).round(4)
    pairs = zip(order.tolist(), largest.tolist(), strict=True)
    return [
        [[each, share] for each, share in zip(*pair, strict=True)] for pair in pairs
    ]


def metric(layout: Layout, stream: str) -> str:
    """What the table's number of a stream counts."""
    return layout.metrics.get(stream, CLASSES)


def same(of_rows: Mapping[str, Scores], dataset: str) -> Scores:
    """Check that all rows have the same clips; the first of them."""
    facts.same_clips(dataset, *of_rows.values())
    return next(iter(of_rows.values()))
