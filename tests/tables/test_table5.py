"""Table 5 from small scores."""

import pandas as pd
import pytest

from tests.tables import scores
from twinlens.errors import ArtifactError
from twinlens.tables import published

METHODS = {
    "mine": scores.method("mine", "Mine"),
    "hr": scores.method("hr"),
    "sosr": scores.method("sosr", "SoSR"),
    "spmc": scores.method("spmc"),
    "vdsr": scores.method("vdsr"),
    "bicubic": scores.method("bicubic", "Bicubic"),
}
# Of ten clips, those that Bicubic, VDSR, SPMC and SoSR have right; HR has nine.
RIGHT = {
    "Bend": (8, 3, 2, 9),  # hard by 5
    "Clap": (8, 1, 6, 1),  # hard by 2
    "Dive": (2, 8, 9, 1),  # easy by 6, whatever SoSR says
    "Even": (5, 5, 9, 9),  # VDSR as good as Bicubic
    "Fall": (5, 9, 4, 9),  # the baselines disagree
}
NAMES = ("bicubic", "vdsr", "spmc", "sosr")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The table of RIGHT."""
    folder = tmp_path_factory.mktemp("table5")
    return _write(folder, _scores(folder))


def _scores(folder, right=RIGHT, dataset="one", names=(*NAMES, "hr", "mine")):
    return [
        scores.shard(
            folder,
            dataset,
            name,
            {
                key: each[NAMES.index(name)] if name in NAMES else 9
                for key, each in right.items()
            },
        )
        for name in names
    ]


def _write(folder, inputs, names=METHODS, **datasets):
    methods = {name: METHODS[name] for name in names}
    return scores.write(folder, "table5", inputs, scores.layout(methods, datasets))


def test_columns_stand_as_in_the_paper_and_others_after(files):
    lines = files.out.read_text().splitlines()
    assert lines[1] == (
        "Dataset,Kind,Class,Bicubic,VDSR,SPMC,SoSR,HR,Mine,Chosen,Kind in the paper"
    )
    assert lines[2:] == [
        "One,hard,Bend,80.00,30.00,20.00,90.00,90.00,90.00,rule,",
        "One,hard,Clap,80.00,10.00,60.00,10.00,90.00,90.00,rule,",
        "One,easy,Dive,20.00,80.00,90.00,10.00,90.00,90.00,rule,",
    ]


def test_four_hard_and_three_easy_classes_of_the_largest_margin(tmp_path):
    hard = {f"H{gap}": (9, 9 - gap, 0, 0) for gap in range(1, 7)}
    easy = {f"E{gap}": (1, 1 + gap, 9, 0) for gap in range(1, 6)}
    names = ("bicubic", "vdsr", "spmc")
    files = _write(tmp_path, _scores(tmp_path, hard | easy, names=names), names)
    rows = [line.split(",") for line in files.out.read_text().splitlines()[2:]]
    assert [row[2] for row in rows] == ["H3", "H4", "H5", "H6", "E3", "E4", "E5"]
    text = files.markdown.read_text()
    assert "- hard (VDSR, SPMC below Bicubic): 6, of these 1 with every" in text
    assert "- easy (VDSR, SPMC above Bicubic): 5, of these 0 with every" in text


def test_a_world_without_baselines_has_no_class_by_rule(tmp_path):
    names = ("bicubic", "sosr")
    files = _write(tmp_path, _scores(tmp_path, names=names), names)
    assert len(files.out.read_text().splitlines()) == 2
    text = files.markdown.read_text()
    assert "VDSR, SPMC, VSR-DUF-52; add one to select.methods" in text


def test_it_warns_of_classes_chosen_by_what_is_shown(files):
    text = files.markdown.read_text()
    assert "chosen by the scores of VDSR, SPMC themselves" in text


def test_clips_without_originals_have_empty_hr_cells(tmp_path):
    inputs = _scores(tmp_path, names=(*NAMES, "mine"))
    files = _write(tmp_path, inputs, one=scores.dataset("One", has_hr=False))
    assert files.out.read_text().splitlines()[2] == (
        "One,hard,Bend,80.00,30.00,20.00,90.00,,90.00,rule,"
    )
    found = pd.read_csv(files.long, comment="#")
    assert "HR" not in set(found["method"])
    assert found["p_hr"].isna().all()


def test_published_values_stand_beside_the_complete_split_only(tmp_path, monkeypatch):
    ucf101 = scores.dataset("UCF101", official=True)
    right = {"Swing": (8, 3, 2, 9), "FrontCrawl": (5, 5, 5, 5)}
    inputs = _scores(tmp_path, right, "ucf101")
    published_columns = []
    for clips in (published.COMPLETE["UCF101"], (20, 2)):
        monkeypatch.setitem(published.COMPLETE, "UCF101", clips)
        files = _write(tmp_path, inputs, ucf101=ucf101)
        found = pd.read_csv(files.long, comment="#", keep_default_na=False)
        published_columns.append(found.set_index(["class", "method"])["published"])
    few, whole = published_columns
    assert set(few) == {""}
    assert whole["Swing", "SPMC"] == "35.71"
    assert whole["FrontCrawl", "SoSR"] == "89.19"
    assert whole["Swing", "HR"] == ""
    assert files.out.read_text().splitlines()[2:] == [
        "UCF101,hard,Swing,80.00,30.00,20.00,90.00,90.00,90.00,both,hard",
        "UCF101,none,FrontCrawl,50.00,50.00,50.00,50.00,90.00,90.00,published,easy",
    ]


def test_there_is_no_table_without_bicubic(tmp_path):
    inputs = _scores(tmp_path, names=("vdsr", "sosr"))
    with pytest.raises(ArtifactError, match="no method stands for the paper's Bicubic"):
        _write(tmp_path, inputs, ("vdsr", "sosr"))


def test_renamed_labels_keep_the_paper_s_values_and_comparisons(
    tmp_path, monkeypatch, files
):
    monkeypatch.setitem(
        METHODS, "bicubic", scores.method("bicubic", "Cubic", "Bicubic")
    )
    monkeypatch.setitem(METHODS, "spmc", scores.method("spmc", "Motion", "SPMC"))
    renamed = _write(tmp_path, _scores(tmp_path))
    for form in ("out", "long"):
        text = getattr(renamed, form).read_text().replace("Cubic", "Bicubic")
        assert text.replace("Motion", "SPMC") == getattr(files, form).read_text()
    monkeypatch.setitem(published.COMPLETE, "UCF101", (20, 2))
    ucf101 = scores.dataset("Actions", paper="UCF101", official=True)
    right = {"Swing": (8, 3, 2, 9), "FrontCrawl": (5, 5, 5, 5)}
    inputs = _scores(tmp_path, right, "ucf101")
    found = pd.read_csv(_write(tmp_path, inputs, ucf101=ucf101).long, comment="#")
    values = found.set_index(["class", "method"])["published"]
    assert values["Swing", "Motion"] == 35.71
