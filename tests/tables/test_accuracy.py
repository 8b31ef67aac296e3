"""Accuracies and their intervals."""

import numpy as np
import pytest

from twinlens import provenance
from twinlens.artifacts.shard import Shard
from twinlens.errors import ArtifactError
from twinlens.tables.accuracy import Scores, accuracy, by_class, load, mcnemar


def _scores(right, labels, classes=3):
    """Scores whose largest is the label where `right`, else the next class."""
    labels, right = np.array(labels), np.array(right, dtype=bool)
    chosen = np.where(right, labels, (labels + 1) % classes)
    return np.eye(classes)[chosen], labels


def test_mean_class_accuracy_weighs_classes_alike():
    found = accuracy(*_scores([1, 1, 1, 1, 0, 0], [0, 0, 0, 0, 1, 1]), seed=0)
    assert found.value == 50
    assert found.overall == pytest.approx(100 * 4 / 6)
    assert (found.correct, found.clips, found.classes) == (4, 6, 2)


def test_classes_without_test_clips_do_not_count():
    found = accuracy(*_scores([1, 0], [0, 2]), seed=0)
    assert found.classes == 2
    assert found.value == 50


def test_the_interval_holds_the_accuracy_and_shrinks_with_clips():
    few = accuracy(*_scores([1, 0] * 10, [0, 0, 1, 1] * 5), seed=0)
    many = accuracy(*_scores([1, 0] * 1000, [0, 0, 1, 1] * 500), seed=0)
    assert few.low < few.value < few.high
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


def test_shards_of_which_one_lacks_a_stream_are_named(tmp_path):
    paths = []
    for place, streams in enumerate((["spatial", "temporal"], ["spatial"])):
        path = tmp_path / f"{place}.h5"
        about = provenance.about("score", [], {}, dataset="one", row="vdsr")
        with Shard(path, "scores/2", about, [f"A/{place}"]) as shard:
            scores = dict.fromkeys(streams, np.zeros((1, 2), np.float32))
            shard.write(f"A/{place}", scores, label=0)
        paths.append(path)
    with pytest.raises(ArtifactError, match="only some have temporal scores"):
        load(paths)


def _named(clips, labels):
    scores = np.eye(3)[[0, 0, 1]]
    return Scores(clips, np.array(labels), {"spatial": scores})


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_scores_that_are_not_finite_give_no_accuracy(tmp_path, value):
    """The largest of NaN is always class 0: a table of them looks like any other."""
    scores = np.zeros((2, 3), np.float32)
    scores[1, 2] = value
    about = provenance.about("score", [], {}, dataset="one", row="hr")
    with Shard(tmp_path / "x.h5", "scores/2", about, ["a/1"]) as shard:
        shard.write("a/1", {"spatial": scores}, label=0)
    words = r"x\.h5: has spatial scores that are not finite numbers"
    with pytest.raises(ArtifactError, match=words):
        load([tmp_path / "x.h5"])


def test_classes_are_named_by_the_clips_folders():
    found = by_class(_named(["Run/a", "Run/b", "Sit/a"], [0, 0, 2]), "spatial")
    assert {name: right.tolist() for name, right in found.items()} == {
        "Run": [True, True],
        "Sit": [False],
    }


@pytest.mark.parametrize(
    ("clips", "labels", "words"),
    [
        (["Run/a", "Run/b", "Sit/a"], [0, 1, 2], "pair: Run:"),
        (["Run/a", "Sit/b", "Sit/a"], [0, 0, 0], "pair: 0:"),
    ],
)
def test_classes_and_labels_that_do_not_pair_are_refused(clips, labels, words):
    with pytest.raises(ArtifactError, match=words):
        by_class(_named(clips, labels), "spatial")


@pytest.mark.parametrize(
    ("won", "lost", "p"), [(0, 0, 1.0), (5, 0, 0.0625), (5, 1, 0.21875), (3, 3, 1.0)]
)
def test_mcnemar_counts_clips_that_one_alone_has_right(won, lost, p):
    one = np.array([1] * won + [0] * lost + [1, 0], dtype=bool)
    other = np.array([0] * won + [1] * lost + [1, 0], dtype=bool)
    assert mcnemar(one, other) == pytest.approx(p)
    assert mcnemar(other, one) == pytest.approx(p)
