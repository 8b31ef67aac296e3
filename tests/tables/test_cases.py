"""What chance alone gives."""

import numpy as np
import pytest

from twinlens.tables.cases import Case, by_chance

EASY = Case(name="easy", says="", gaps=(("one", "two"),), most=1)
HARD = Case(name="hard", says="", gaps=(("two", "one"),), most=1)


def _right(*pairs):
    one, two = np.array(pairs, dtype=bool).T
    return {"Class": {"one": one, "two": two}}


def test_methods_with_the_same_results_are_in_no_case():
    right = _right((1, 1), (0, 0), (1, 1))
    assert by_chance(right, [EASY, HARD], 0) == {"easy": 0, "hard": 0}


def test_one_clip_judged_differently_falls_to_either_side():
    found = by_chance(_right((1, 0), (1, 1)), [EASY, HARD], 0)
    assert found["easy"] == pytest.approx(0.5, abs=0.05)
    assert found["easy"] + found["hard"] == pytest.approx(1)


def test_two_clips_cancel_half_of_the_time():
    right = _right((1, 0), (1, 0))
    found = by_chance({"A": right["Class"], "B": right["Class"]}, [EASY], 0)
    assert found["easy"] == pytest.approx(2 * 0.25, abs=0.06)


def test_the_seed_decides():
    right = _right((1, 0), (1, 0), (0, 1))
    assert by_chance(right, [EASY], 1) == by_chance(right, [EASY], 1)
    assert by_chance(right, [EASY], 1) != by_chance(right, [EASY], 2)
