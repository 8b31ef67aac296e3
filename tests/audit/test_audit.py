"""The paper's printed numbers, by exact arithmetic."""

from fractions import Fraction
from pathlib import Path

import pandas as pd
import pytest

from twinlens.audit import claims, counts, write
from twinlens.audit.counts import Cell, Metric
from twinlens.tables import published

ROOT = Path(__file__).parents[2]


def fit(value, n):
    cell = Cell("3", "Some", "HMDB51", "Fusion", Fraction(value))
    return counts.fit(cell, Metric("clips", n))


@pytest.mark.parametrize(
    ("value", "n", "k", "verdict"),
    [
        ("63.53", 1530, 972, "k of n"),  # 63.5294
        ("36.59", 41, 15, "k of n"),
        ("18.73", 49, 9, "no k of n"),  # 9 of 49 are 18.37, 10 are 20.41
        ("33.34", 3, 1, "no k of n"),
        ("66.66", 3, 2, "k of n, cut off"),  # 66.667
        ("12.5", 8, 1, "k of n"),
    ],
)
def test_a_number_is_k_of_n_where_it_rounds_to_it(value, n, k, verdict):
    found = fit(value, n)
    assert (found.k, found.verdict) == (k, verdict)


def test_all_numbers_of_five_tables_are_checked():
    found = list(counts.cells())
    by_table = pd.Series([each.table for each in found]).value_counts()
    # Pairs have no streams: 2 of 6 cells.
    assert by_table.to_dict() == {"1": 18, "2": 6, "3": 56, "4": 56, "5": 35}


def test_the_share_of_numbers_that_fit_by_chance_is_exact():
    assert counts.by_chance(10_000) == 1
    assert counts.by_chance(1) == Fraction(2, 10_001)  # 0.00 and 100.00
    assert counts.by_chance(4) == Fraction(5, 10_001)
    assert counts.at_least(0, 5, Fraction(1, 3)) == 1
    assert counts.at_least(2, 2, Fraction(1, 3)) == Fraction(1, 9)
    assert counts.at_least(1, 2, Fraction(1, 3)) == Fraction(5, 9)


def test_what_was_counted_shows_in_the_digits():
    found = {(each.name, each.metric.name): each for each in counts.groups()}
    hits = {key: (each.hits, len(each.fits)) for key, each in found.items()}
    assert hits["Table 3, HMDB51", "clips"] == (28, 28)
    assert hits["Table 3, UCF101", "clips"] == (12, 28)
    assert hits["Table 4, HMDB51 streams", "views"] == (18, 18)
    assert hits["Table 4, HMDB51 streams", "clips"] == (8, 18)
    assert hits["Table 4, HMDB51 fusion", "clips"] == (10, 10)
    assert found["Table 3, HMDB51", "clips"].chance < 1e-20
    assert found["Table 3, UCF101", "clips"].chance > 0.3


def test_only_two_accuracies_of_classes_are_impossible():
    odd = [
        (cell.row, cell.column)
        for cell in counts.cells()
        if cell.table in {"1", "5"}
        for metric in counts.metrics(cell)
        if counts.fit(cell, metric).verdict == "no k of n"
    ]
    assert odd == [("SPMC", "TennisSwing"), ("VSR-DUF-52", "TennisSwing")]


def test_numbers_that_stand_twice_are_equal():
    found = claims.equalities()
    assert [each.verdict for each in found] == ["holds"] * 3
    assert sum(len(each.supported) for each in found) == 6


def test_a_claim_names_the_numbers_against_it():
    found = {each.statement: each for each in claims.claims()}
    case = found["spatial stream: VDSR is above Bicubic in most cases"]
    assert case.verdict == "holds in 3 of 4"
    assert case.contradicted == ["Table 3, UCF101: VDSR 67.09, Bicubic 71.25"]
    hard = found["in hard classes SoSR is above Bicubic"]
    assert hard.verdict == "holds in 2 of 4"


def test_differences_of_few_clips_and_what_they_can_show():
    found = claims.differences()
    first = found[0]
    assert (first.one.row, first.other.row, first.clips) == ("ToSR1", "SPMC", 1)
    assert first.least_p == 1
    least = {each.clips: each.least_p for each in found}
    assert least[5] == Fraction(1, 16)
    assert least[6] == Fraction(1, 32)
    pairs = {(each.one.source, each.other.row): each.clips for each in found}
    assert pairs["Table 3, SoSR+ToSR2, HMDB51, Fusion", "VSR-DUF-52"] == 4


def test_the_page_of_the_docs_is_that_of_the_checks():
    page = (ROOT / write.PAGE).read_text(encoding="utf-8")
    assert page == write.text(), "run: twinlens audit --page docs/audit.md"


def test_the_csv_has_a_line_for_each_check(tmp_path):
    write.audit(tmp_path / "audit.csv")
    found = pd.read_csv(tmp_path / "audit.csv")
    assert set(found["kind"]) == {"count", "equality", "claim", "difference"}
    assert (found["kind"] == "count").sum() == sum(
        len(counts.metrics(each)) for each in counts.cells()
    )
    assert found["source"].notna().all()


def test_class_sizes_are_those_of_the_official_split(realdata):
    lines = (realdata / "ucfTrainTestlist/testlist01.txt").read_text().split()
    names = [line.partition("/")[0] for line in lines if "/" in line]
    for name, clips in published.CLASS_CLIPS.items():
        assert names.count(name) == clips
