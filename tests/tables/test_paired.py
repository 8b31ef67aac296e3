"""Exact McNemar tests on the same clips."""

import numpy as np
import pytest

from twinlens import formats
from twinlens.tables.accuracy import Scores
from twinlens.tables.paired import bracketed, compared


def _scores(right, clips=None):
    """Two classes; every label is 0."""
    right = np.array(right, bool)
    made = np.stack([right, ~right], axis=1).astype(float)
    names = clips or [f"clip{place}" for place in range(len(right))]
    return Scores(names, np.zeros(len(right), np.int64), made, None)


def test_only_clips_that_differ_count():
    first = _scores([1, 1, 0, 0, 0, 0, 0, 0, 0])
    second = _scores([1, 0, 1, 1, 1, 1, 1, 1, 1])
    found = compared(first, second, "spatial")
    assert (found.won, found.lost) == (7, 1)
    assert found.p == pytest.approx(2 * 9 / 2**8)


def test_the_same_judgements_are_no_difference():
    found = compared(_scores([1, 0]), _scores([1, 0]), "spatial")
    assert (found.won, found.lost, found.p) == (0, 0, 1.0)


def test_other_clips_are_refused():
    with pytest.raises(formats.ArtifactError, match="other clips"):
        compared(_scores([1]), _scores([1], ["another"]), "spatial")


def test_columns_pair_up_by_what_stands_before_brackets():
    names = ["MSE", "WMSE (TV-L1)", "WMSE (FlowNet2)", "SoSR (TV-L1)"]
    assert bracketed(names) == [("WMSE (TV-L1)", "WMSE (FlowNet2)")]
    assert bracketed(["MSE", "WMSE", "WMSE+Perceptual"]) == []
