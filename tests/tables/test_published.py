"""The paper's single classes, checked against each other."""

import pytest

from twinlens.tables import published

SLIP = 18.73  # TennisSwing's, see published.TABLE5
CLASSES = [
    (table, name) for table, (_, rows) in published.CLASSES.items() for name in rows
]


@pytest.mark.parametrize(("table", "name"), CLASSES)
def test_a_class_s_values_are_whole_clips_of_one_number(table, name):
    _, values = published.classes(table, "UCF101")[name]
    # UCF101's split 1 tests 28 to 49 clips of a class.
    fits = [
        clips
        for clips in range(28, 50)
        if all(
            abs(100 * round(value * clips / 100) / clips - value) < 0.00501
            for value in values.values()
            if value != SLIP
        )
    ]
    assert fits, values


def test_the_class_of_both_tables_has_the_same_values():
    (_, one), (_, five) = (
        published.classes(table, "UCF101")["FrontCrawl"] for table in "15"
    )
    assert {key: one[key] for key in ("Bicubic", "VDSR")} == {
        key: five[key] for key in ("Bicubic", "VDSR")
    }


def test_table_1_s_cases_are_what_their_names_say():
    order = {
        "a": ("HR", "VDSR", "Bicubic"),
        "b": ("Bicubic", "HR", "VDSR"),
        "c": ("VDSR", "HR", "Bicubic"),
    }
    for case, values in published.classes("1", "UCF101").values():
        best, middle, worst = (values[method] for method in order[case])
        assert best > middle > worst


def test_table_5_s_kinds_follow_from_its_baselines():
    for kind, values in published.classes("5", "UCF101").values():
        signs = {
            values[name] > values["Bicubic"] for name in ("VDSR", "SPMC", "VSR-DUF-52")
        }
        assert signs == {kind == "easy"}


def test_other_data_sets_have_none():
    assert published.classes("1", "HMDB51") == {}
    assert published.classes("5", "Workshop") == {}
