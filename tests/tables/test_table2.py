"""Table 2 from small scores."""

import pandas as pd
import pytest

from tests.tables import scores as small
from tests.tables.scores import layout, method, streams, write
from twinlens.errors import ArtifactError
from twinlens.tables import published
from twinlens.tables.table2 import bracketed

RIGHT = {"vdsr": [1, 0, 0, 0, 1, 0, 0, 0], "sosr": [1, 1, 1, 0, 1, 1, 0, 0]}


def _layout(columns, datasets=None):
    methods = {column: method(name) for column, name in columns.items()}
    return layout(methods, datasets)


@pytest.fixture
def scores(tmp_path):
    return [
        path
        for name, right in RIGHT.items()
        for path in streams(tmp_path, "one", name, right, right)
    ]


def test_losses_are_columns_and_data_sets_rows(tmp_path, scores):
    shown = _layout({"MSE": "vdsr", "WMSE+Perceptual": "sosr"})
    files = write(tmp_path, "table2", scores, shown)
    lines = files.out.read_text().splitlines()
    assert lines[0].startswith("# twinlens table 2, world small: GENERATED DATA (One)")
    assert lines[1:] == ["Dataset,MSE,WMSE+Perceptual", "One,25.00,62.50"]
    found = pd.read_csv(files.long, comment="#").set_index("loss")
    assert found.loc["MSE", "method"] == "VDSR"
    assert found.loc["WMSE+Perceptual", ["right", "clips"]].tolist() == [5, 8]
    assert "One: 8 test clips of 2 classes" in files.markdown.read_text()


def test_its_mse_cell_is_table_3_s_vdsr_cell_to_the_last_digit(tmp_path, scores):
    two = write(tmp_path, "table2", scores, _layout({"MSE": "vdsr"}))
    three = write(tmp_path, "table3", scores, _layout({"vdsr": "vdsr"}))
    ours = pd.read_csv(two.long, comment="#").iloc[0]
    theirs = pd.read_csv(three.long, comment="#").set_index("stream").loc["Spatial"]
    for key in ("accuracy", "low", "high", "right", "overall_low", "overall_high"):
        assert ours[key] == theirs[key], key


def test_the_paper_s_own_cells_agree():
    for place, dataset in enumerate(published.DATASETS):
        mse = published.table2("MSE", dataset, "TSN")
        assert mse == published.accuracy(published.TABLE3, "VDSR", dataset, "Spatial")
        both = published.table2("WMSE+Perceptual", dataset, "TSN")
        assert both == published.accuracy(published.TABLE3, "SoSR", dataset, "Spatial")
        assert published.TABLE2["WMSE"][place] == published.table2(
            "WMSE", dataset, "TSN"
        )
    assert published.table2("MSE", "Kitchen", "TSN") is None
    assert published.table2("L1", "UCF101", "TSN") is None
    assert published.table2("MSE", "UCF101", "ST-ResNet") is None


def test_clips_without_originals_have_an_empty_hr_cell(tmp_path, scores):
    low = {"one": small.dataset("One", has_hr=False)}
    shown = _layout({"HR": "hr", "MSE": "vdsr"}, low)
    files = write(tmp_path, "table2", scores, shown)
    assert files.out.read_text().splitlines()[-1] == "One,,25.00"


def test_losses_on_other_clips_are_not_compared(tmp_path, scores):
    few = streams(tmp_path, "one", "few", [1] * 6, [1] * 6, small.LABELS[:6])
    with pytest.raises(ArtifactError, match="2 differ"):
        write(tmp_path, "table2", [*scores, *few], _layout({"A": "vdsr", "B": "few"}))


def test_missing_scores_are_named(tmp_path, scores):
    with pytest.raises(ArtifactError, match="no scores of wmse on one"):
        write(tmp_path, "table2", scores, _layout({"WMSE": "wmse"}))


def test_estimators_of_a_pair_are_compared_beneath(tmp_path, scores):
    shown = _layout({"SoSR (TV-L1)": "vdsr", "SoSR (FlowNet2)": "sosr"})
    files = write(tmp_path, "table2_flow", scores, shown, module="table2")
    text = files.markdown.read_text()
    assert text.startswith("twinlens table 2 by flow, world small")
    wanted = (
        "One: clips that only SoSR (FlowNet2) has right: 3, that only SoSR (TV-L1) has"
        " right: 0 (exact McNemar p = 0.250)"
    )
    assert wanted in text.splitlines()


def test_losses_are_not_compared_beneath(tmp_path, scores):
    shown = _layout({"MSE": "vdsr", "WMSE+Perceptual": "sosr"})
    files = write(tmp_path, "table2", scores, shown)
    assert "McNemar" not in files.markdown.read_text()


def test_columns_pair_up_by_what_stands_before_brackets():
    names = ["MSE", "WMSE (TV-L1)", "WMSE (FlowNet2)", "SoSR (TV-L1)"]
    assert bracketed(names) == [("WMSE (TV-L1)", "WMSE (FlowNet2)")]
    assert bracketed(["MSE", "WMSE", "WMSE+Perceptual"]) == []
    assert bracketed(["A (1)", "B", "A (2)"]) == [("A (1)", "A (2)")]
