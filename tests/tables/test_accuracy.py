"""Accuracies and their intervals."""

import numpy as np
import pytest

from twinlens.tables.accuracy import accuracy


def _scores(right, labels, classes=3):
    """Scores whose largest is the label where `right`, else the next class."""
    labels, right = np.array(labels), np.array(right, dtype=bool)
    chosen = np.where(right, labels, (labels + 1) % classes)
    return np.eye(classes)[chosen], labels


def test_mean_class_accuracy_weighs_classes_alike():
    found = accuracy(*_scores([1, 1, 1, 1, 0, 0], [0, 0, 0, 0, 1, 1]), seed=0)
    assert found.mean_class == 50
    assert found.overall == pytest.approx(100 * 4 / 6)
    assert (found.right, found.clips, found.classes) == (4, 6, 2)


def test_classes_without_test_clips_do_not_count():
    found = accuracy(*_scores([1, 0], [0, 2]), seed=0)
    assert found.classes == 2
    assert found.mean_class == 50


def test_the_interval_holds_the_accuracy_and_shrinks_with_clips():
    few = accuracy(*_scores([1, 0] * 10, [0, 0, 1, 1] * 5), seed=0)
    many = accuracy(*_scores([1, 0] * 1000, [0, 0, 1, 1] * 500), seed=0)
    assert few.low < few.mean_class < few.high
    assert many.high - many.low < (few.high - few.low) / 5


def test_the_bootstrap_has_the_width_of_a_binomial():
    found = accuracy(*_scores([1] * 300 + [0] * 100, [0] * 400), seed=0)
    width = 2 * 1.96 * 100 * np.sqrt(0.75 * 0.25 / 400)
    assert found.high - found.low == pytest.approx(width, rel=0.05)


def test_wilson_s_interval_is_that_of_the_formula():
    found = accuracy(*_scores([1] * 8 + [0] * 2, [0] * 10), seed=0)
    assert found.overall_low == pytest.approx(49.02, abs=0.01)
    assert found.overall_high == pytest.approx(94.33, abs=0.01)


def test_the_same_seed_gives_the_same_interval():
    scores = _scores([1, 0, 1, 1], [0, 0, 1, 1])
    assert accuracy(*scores, seed=1) == accuracy(*scores, seed=1)
