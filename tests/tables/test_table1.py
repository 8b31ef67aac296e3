"""Table 1 from small scores."""

import pandas as pd
import pytest

from tests.tables import scores
from twinlens.errors import ArtifactError
from twinlens.tables import published

METHODS = {
    "HR": scores.method("hr"),
    "Bicubic": scores.method("bicubic", "Bicubic"),
    "SR": scores.method("vdsr"),
}
# Of ten clips, those that HR, Bicubic and VDSR have right.
RIGHT = {
    "Bow": (9, 1, 5),
    "Crawl": (5, 2, 9),
    "Drum": (9, 2, 5),
    "Even": (5, 5, 5),
    "Flute": (8, 2, 5),
    "Rope": (6, 8, 2),
    "Tied": (5, 2, 5),
}
UCF101 = scores.dataset("UCF101", official=True)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The table of RIGHT."""
    return _write(tmp_path_factory.mktemp("table1"))


def _scores(folder, right, dataset="one", clips=10, names=("hr", "bicubic", "vdsr")):
    """Shards of the three methods, those of `names`."""
    own = [{key: each[at] for key, each in right.items()} for at in range(3)]
    places = {"hr": 0, "bicubic": 1, "vdsr": 2}
    return [
        scores.shard(folder, dataset, name, own[places[name]], clips) for name in names
    ]


def _write(folder, right=RIGHT, clips=10, dataset="one", about=None):
    layout = scores.layout(METHODS, {dataset: about} if about else None)
    inputs = _scores(folder, right, dataset, clips)
    return scores.write(folder, "table1", inputs, layout)


def _rows(files):
    return files.out.read_text().splitlines()[2:]


def _long(files):
    found = pd.read_csv(files.long, comment="#", keep_default_na=False)
    return found.set_index(["class", "method"])


def test_each_case_has_the_two_classes_of_largest_margin(files):
    lines = files.out.read_text().splitlines()
    assert "table 1, world small: GENERATED DATA (One)" in lines[0]
    assert lines[1] == ("Dataset,Case,Class,HR,Bicubic,VDSR,Chosen,Case in the paper")
    # Drum's and Flute's smaller gap is 3; Drum's gaps have the larger sum.
    assert lines[2:] == [
        "One,a,Bow,90.00,10.00,50.00,rule,",
        "One,a,Drum,90.00,20.00,50.00,rule,",
        "One,b,Rope,60.00,80.00,20.00,rule,",
        "One,c,Crawl,50.00,20.00,90.00,rule,",
    ]


def test_of_equal_margins_the_name_decides(tmp_path):
    right = dict.fromkeys(("Delta", "Alpha", "Echo"), (9, 1, 5))
    assert [row.split(",")[2] for row in _rows(_write(tmp_path, right))] == [
        "Alpha",
        "Delta",
    ]


def test_notes_count_all_classes_also_those_of_no_case(files):
    text = files.markdown.read_text()
    assert "One: 7 classes of 10 test clips; one clip is up to 10.0 points" in text
    assert "- a (HR > VDSR > Bicubic): 3, of these 0 with every gap" in text
    assert "- b (Bicubic > HR > VDSR): 1, of these 0 with every gap" in text
    assert "- c (VDSR > HR > Bicubic): 1, of these 0 with every gap" in text
    assert "- in no case: 2" in text
    assert "easily in a case by chance" in text


def test_a_case_without_a_class_says_so_and_shows_none(tmp_path):
    files = _write(tmp_path, {"Bow": (9, 1, 5), "Even": (5, 5, 5)})
    assert [row.split(",")[1] for row in _rows(files)] == ["a"]
    text = files.markdown.read_text()
    assert "- b (Bicubic > HR > VDSR): 0, of these 0" in text


def test_a_case_is_resolved_when_both_neighbours_differ(tmp_path):
    # Gaps of six clips that all go one way: p = 2 / 2^6 = 0.03.
    right = {"Far": (12, 0, 6), "Near": (12, 0, 5), "None": (0, 0, 0)}
    text = _write(tmp_path, right, clips=12).markdown.read_text()
    assert "- a (HR > VDSR > Bicubic): 2, of these 1 with every gap" in text


def test_the_long_form_has_counts_intervals_and_paired_tests(files):
    found = _long(files)
    bow = found.loc[("Bow", "VDSR")]
    assert bow[["right", "clips", "case", "chosen"]].tolist() == [5, 10, "a", "rule"]
    assert (bow["low"], bow["high"]) == (23.66, 76.34)  # Wilson's of 5 in 10
    # Right clips are nested: VDSR wins 4 of Bicubic's and loses 4 to HR's, 2 / 2^4.
    assert float(bow["p_bicubic"]) == 0.125
    assert float(bow["p_hr"]) == 0.125
    assert float(found.loc[("Bow", "HR"), "p_bicubic"]) == pytest.approx(2 / 2**8, 0.01)
    assert found.loc[("Bow", "HR"), "p_hr"] == ""
    assert found.loc[("Bow", "Bicubic"), "p_bicubic"] == ""
    assert set(found["data"]) == {"generated"}
    assert set(found["published"]) == {""}


def test_the_paper_s_classes_are_shown_where_the_data_set_has_them(tmp_path):
    right = {
        "Archery": (9, 1, 5),  # ours puts it where the paper does
        "JumpRope": (5, 5, 5),  # in no case here, the paper's b
        "SalsaSpin": (9, 3, 6),  # a here by rule, the paper's b
        "YoYo": (5, 4, 9),
    }
    files = _write(tmp_path, right, dataset="ucf101", about=UCF101)
    assert _rows(files) == [
        "UCF101,a,Archery,90.00,10.00,50.00,both,a",
        "UCF101,a,SalsaSpin,90.00,30.00,60.00,both,b",
        "UCF101,c,YoYo,50.00,40.00,90.00,rule,",
        "UCF101,none,JumpRope,50.00,50.00,50.00,published,b",
    ]
    assert set(_long(files)["published"]) == {""}


def test_other_data_sets_have_no_published_classes(tmp_path):
    files = _write(tmp_path, {"Archery": (5, 5, 5), "Bow": (9, 1, 5)})
    assert [row.split(",")[2] for row in _rows(files)] == ["Bow"]


def test_published_values_stand_beside_the_complete_split_only(tmp_path, monkeypatch):
    monkeypatch.setitem(published.COMPLETE, "UCF101", (20, 2))
    right = {"Archery": (9, 1, 5), "Bow": (9, 2, 5)}
    found = _long(_write(tmp_path, right, dataset="ucf101", about=UCF101))
    assert found.loc[("Archery", "Bicubic"), "published"] == "36.59"
    assert found.loc[("Archery", "VDSR"), "published"] == "70.73"
    assert set(found.loc["Bow", "published"]) == {""}


def test_clips_without_originals_have_a_note_and_no_class(tmp_path):
    low = scores.dataset("Low", has_hr=False)
    layout = scores.layout(METHODS, {"one": scores.dataset("One"), "low": low})
    inputs = _scores(tmp_path, RIGHT)
    inputs += _scores(tmp_path, RIGHT, "low", names=("bicubic", "vdsr"))
    files = scores.write(tmp_path, "table1", inputs, layout)
    assert {row.split(",")[0] for row in _rows(files)} == {"One"}
    assert "Low: its clips are low already; no HR" in files.markdown.read_text()


def test_a_renamed_label_keeps_the_comparisons(tmp_path, files, monkeypatch):
    cubic = scores.method("bicubic", "Cubic", "Bicubic")
    monkeypatch.setitem(METHODS, "Bicubic", cubic)
    renamed = _long(_write(tmp_path)).rename(index={"Cubic": "Bicubic"})
    pd.testing.assert_frame_equal(renamed, _long(files))
    assert renamed.loc[("Bow", "VDSR"), "p_bicubic"] == "0.125"


def test_missing_scores_are_named(tmp_path):
    inputs = _scores(tmp_path, RIGHT)[:2]
    with pytest.raises(ArtifactError, match="no scores of vdsr on one"):
        scores.write(tmp_path, "table1", inputs, scores.layout(METHODS))


def test_methods_of_other_clips_are_refused(tmp_path):
    inputs = _scores(tmp_path, RIGHT)[:2]
    right = {key: each[2] for key, each in RIGHT.items()}
    inputs.append(scores.shard(tmp_path, "one", "vdsr", right, clips=9))
    with pytest.raises(ArtifactError, match="not of the same clips"):
        scores.write(tmp_path, "table1", inputs, scores.layout(METHODS))


def test_two_runs_give_the_same_bytes(files, tmp_path):
    again = _write(tmp_path)
    for one, other in ((files.long, again.long), (files.markdown, again.markdown)):
        assert one.read_bytes() == other.read_bytes()
