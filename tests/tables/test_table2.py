"""Table 2 from made-up scores."""

import pandas as pd
import pytest

from tests.tables.made import files
from tests.tables.test_table3 import _shard
from twinlens.errors import ArtifactError
from twinlens.tables import published
from twinlens.tables.forms import Dataset, Layout, Method
from twinlens.tables.table2 import bracketed, table2
from twinlens.tables.table3 import table3

RIGHT = {"vdsr": [1, 0, 0, 0, 1, 0, 0, 0], "sosr": [1, 1, 1, 0, 1, 1, 0, 0]}


def _method(name):
    return Method(label=name.upper(), spatial=name, temporal=name)


def _layout(columns):
    return Layout(
        world="made",
        note="a test",
        datasets={"one": Dataset(label="One", generated=True)},
        methods={column: _method(name) for column, name in columns.items()},
    )


@pytest.fixture
def scores(tmp_path):
    return [
        path
        for name, right in RIGHT.items()
        for path in _shard(tmp_path, "one", name, right, right)
    ]


def _write(folder, function, layout, scores):
    made = files(folder, function.__name__)
    function(scores, layout, made)
    return made.out, made.long, made.markdown


def test_losses_are_columns_and_data_sets_rows(tmp_path, scores):
    layout = _layout({"MSE": "vdsr", "WMSE+Perceptual": "sosr"})
    wide, long, text = _write(tmp_path, table2, layout, scores)
    lines = wide.read_text().splitlines()
    assert lines[0].startswith("# twinlens table 2, world made: GENERATED DATA (One)")
    assert lines[1:] == ["Dataset,MSE,WMSE+Perceptual", "One,25.00,62.50"]
    found = pd.read_csv(long, comment="#").set_index("loss")
    assert found.loc["MSE", "method"] == "VDSR"
    assert found.loc["WMSE+Perceptual", ["right", "clips"]].tolist() == [5, 8]
    assert "One: 8 test clips of 2 classes" in text.read_text()


def test_its_mse_cell_is_table_3_s_vdsr_cell_to_the_last_digit(tmp_path, scores):
    _, two, _ = _write(tmp_path, table2, _layout({"MSE": "vdsr"}), scores)
    _, three, _ = _write(tmp_path, table3, _layout({"vdsr": "vdsr"}), scores)
    ours = pd.read_csv(two, comment="#").iloc[0]
    theirs = pd.read_csv(three, comment="#").set_index("stream").loc["Spatial"]
    for key in ("accuracy", "low", "high", "right", "overall_low", "overall_high"):
        assert ours[key] == theirs[key], key


def test_the_paper_s_own_cells_agree():
    for place, dataset in enumerate(published.DATASETS):
        mse = published.table2("MSE", dataset)
        assert mse == published.table3("VDSR", dataset, "Spatial")
        both = published.table2("WMSE+Perceptual", dataset)
        assert both == published.table3("SoSR", dataset, "Spatial")
        assert published.TABLE2["WMSE"][place] == published.table2("WMSE", dataset)
    assert published.table2("MSE", "Kitchen") is None
    assert published.table2("L1", "UCF101") is None


def test_clips_without_originals_have_an_empty_hr_cell(tmp_path, scores):
    low = Dataset(label="One", has_hr=False)
    layout = _layout({"HR": "hr", "MSE": "vdsr"})
    layout = Layout(world="w", note="n", datasets={"one": low}, methods=layout.methods)
    wide, _, _ = _write(tmp_path, table2, layout, scores)
    assert wide.read_text().splitlines()[-1] == "One,,25.00"


def test_missing_scores_are_told(tmp_path, scores):
    layout = _layout({"WMSE": "wmse"})
    with pytest.raises(ArtifactError, match="no scores of wmse on one"):
        _write(tmp_path, table2, layout, scores)


def test_estimators_of_a_pair_are_compared_beneath(tmp_path, scores):
    layout = _layout({"SoSR (TV-L1)": "vdsr", "SoSR (FlowNet2)": "sosr"})
    made = files(tmp_path, "table2_flow")
    table2(scores, layout, made, name="table2_flow")
    text = made.markdown.read_text()
    assert text.startswith("twinlens table 2 by flow, world made")
    wanted = (
        "One: clips that only SoSR (FlowNet2) has right: 3, that only SoSR (TV-L1) has"
        " right: 0 (exact McNemar p = 0.250)"
    )
    assert wanted in text.splitlines()


def test_losses_are_not_compared_beneath(tmp_path, scores):
    layout = _layout({"MSE": "vdsr", "WMSE+Perceptual": "sosr"})
    _, _, text = _write(tmp_path, table2, layout, scores)
    assert "McNemar" not in text.read_text()


def test_columns_pair_up_by_what_stands_before_brackets():
    names = ["MSE", "WMSE (TV-L1)", "WMSE (FlowNet2)", "SoSR (TV-L1)"]
    assert bracketed(names) == [("WMSE (TV-L1)", "WMSE (FlowNet2)")]
    assert bracketed(["MSE", "WMSE", "WMSE+Perceptual"]) == []
    assert bracketed(["A (1)", "B", "A (2)"]) == [("A (1)", "A (2)")]
