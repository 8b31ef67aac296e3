"""Table 3 in its forms, from small scores."""

import dataclasses
from functools import partial

import numpy as np
import pandas as pd
import pytest

from tests.tables.scores import LABELS, dataset, layout, method, streams, write
from twinlens.artifacts.table import write_csv
from twinlens.errors import ArtifactError
from twinlens.tables import published

BICUBIC = method("bicubic", "Bicubic")
HR = method("hr")


def _layout(methods=None, **changes):
    return layout(methods or {"hr": HR, "bicubic": BICUBIC}, **changes)


def _write(folder, layout, scores):
    files = write(folder, "table3", scores, layout)
    return [path.read_text() for path in (files.out, files.long, files.markdown)]


@pytest.fixture
def scores(tmp_path):
    return [
        *streams(tmp_path, "one", "bicubic", [1, 0, 0, 0] * 2, [1, 1, 0, 0] * 2),
        *streams(tmp_path, "one", "hr", [1, 1, 1, 0] * 2, [1] * 8),
    ]


def test_rows_stand_in_the_paper_s_order_with_two_decimals(tmp_path, scores):
    wide, _, _ = _write(tmp_path, _layout(), scores)
    assert wide.splitlines()[1:] == [
        "Method,One Spatial,One Temporal,One Fusion",
        "Bicubic,25.00,50.00,50.00",
        "HR,75.00,100.00,100.00",
    ]


def test_one_leading_line_names_world_and_generated_data(tmp_path, scores):
    for text in _write(tmp_path, _layout(), scores):
        first = text.splitlines()[0]
        assert "world small" in first
        assert "GENERATED DATA" in first
        assert "a test" in first


def test_constant_flow_is_cautioned_of(tmp_path, scores):
    hr = streams(
        tmp_path, "one", "hr", [1, 1, 1, 0] * 2, [1] * 8, constant_flow=np.bool_(True)
    )
    _, _, text = _write(tmp_path, _layout(), [*scores[:2], *hr])
    (line,) = (line for line in text.splitlines() if "one value everywhere" in line)
    assert "CAUTION One: the flow of 8 of 8 clips of HR is one value" in line


def test_odd_labels_change_no_column(tmp_path, scores):
    odd = dataclasses.replace(BICUBIC, label="=A|B")
    wide, long, text = _write(tmp_path, _layout({"hr": HR, "bicubic": odd}), scores)
    assert wide.splitlines()[2] == "'=A|B,25.00,50.00,50.00"
    assert "\n=A|B,One,Spatial," in long
    (row,) = (line for line in text.splitlines() if "=A" in line and "25.00" in line)
    assert row.count("|") - row.count("\\|") == 5


@pytest.mark.parametrize("label", ["+1+cmd", "-2+3", "@x", "=1"])
def test_spreadsheets_compute_no_label(tmp_path, scores, label):
    odd = dataclasses.replace(BICUBIC, label=label)
    wide, _, _ = _write(tmp_path, _layout({"hr": HR, "bicubic": odd}), scores)
    assert wide.splitlines()[2] == f"'{label},25.00,50.00,50.00"


def test_line_breaks_in_names_stay_in_their_line(tmp_path, scores):
    cautions = tmp_path / "one/cautions.csv"
    write_csv(cautions, "cautions/1", pd.DataFrame({"caution": ["a\nb | c"]}))
    files = write(tmp_path, "table3", scores, _layout(), cautions=[cautions])
    assert "CAUTION One: a b | c" in files.markdown.read_text().splitlines()


def test_latex_has_the_same_cells_and_escapes_signs(tmp_path, scores):
    odd = dataclasses.replace(BICUBIC, label="50 % of A&B_c")
    files = write(tmp_path, "table3", scores, _layout({"hr": HR, "bicubic": odd}))
    lines = files.latex.read_text().splitlines()
    assert lines[0].startswith("% twinlens table 3, world small: GENERATED DATA")
    assert lines[1] == r"\begin{tabular}{lrrr}"
    assert lines[2] == r"\toprule"
    assert lines[3] == r"Method & One Spatial & One Temporal & One Fusion \\"
    assert r"50 \% of A\&B\_c & 25.00 & 50.00 & 50.00 \\" in lines
    assert lines[-1] == r"\end{tabular}"


def test_pandas_reads_the_csv(tmp_path, scores):
    _write(tmp_path, _layout(), scores)
    found = pd.read_csv(tmp_path / "table3.csv", comment="#", index_col="Method")
    assert found.loc["HR", "One Temporal"] == 100


def test_the_long_form_has_intervals_and_counts(tmp_path, scores):
    _write(tmp_path, _layout(), scores)
    found = pd.read_csv(tmp_path / "table3_long.csv", comment="#")
    cell = found[(found["method"] == "HR") & (found["stream"] == "Spatial")].iloc[0]
    assert (cell["right"], cell["clips"], cell["classes"]) == (6, 8, 2)
    assert cell["low"] < cell["accuracy"] < cell["high"]
    assert cell["data"] == "generated"


def test_a_method_beyond_the_paper_stands_after_hr(tmp_path, scores):
    scores += streams(tmp_path, "one", "mine", [1] * 8, [1] * 8)
    mine = method("mine", "Mine")
    shown = _layout(methods={"mine": mine, "hr": HR, "bicubic": BICUBIC})
    wide, _, _ = _write(tmp_path, shown, scores)
    assert [line.split(",")[0] for line in wide.splitlines()[2:]] == [
        "Bicubic",
        "HR",
        "Mine",
    ]


def test_a_pair_has_a_fusion_cell_only(tmp_path, scores):
    pair = method("bicubic", "SoSR+ToSR2", flow_of="hr")
    shown = _layout(methods={"pair": pair, "hr": HR, "bicubic": BICUBIC})
    wide, long, _ = _write(tmp_path, shown, scores)
    assert wide.splitlines()[3] == "SoSR+ToSR2,,,100.00"
    assert sum("SoSR+ToSR2" in line for line in long.splitlines()) == 1


def test_low_resolution_sets_have_no_hr_row(tmp_path, scores):
    shown = _layout(datasets={"one": dataset("One", has_hr=False)})
    methods = {"hr": dataclasses.replace(HR, origin="the original frames")}
    shown = dataclasses.replace(shown, methods=methods | {"bicubic": BICUBIC})
    wide, _, text = _write(tmp_path, shown, scores)
    assert [line.split(",")[0] for line in wide.splitlines()[2:]] == ["Bicubic"]
    assert "the original frames" not in text


def test_low_resolution_sets_beside_others_have_no_hr_cells(tmp_path, scores):
    scores += streams(tmp_path, "two", "bicubic", [1] * 8, [1] * 8)
    one, two = dataset("One"), dataset("Two", has_hr=False)
    shown = _layout(datasets={"one": one, "two": two})
    wide, _, _ = _write(tmp_path, shown, scores)
    assert wide.splitlines()[3] == "HR,75.00,100.00,100.00,,,"


def test_a_few_clips_that_are_all_right_promise_nothing(tmp_path):
    scores = streams(tmp_path, "one", "hr", [1, 1], [1, 1], [0, 1])
    _, _, markdown = _write(tmp_path, _layout(methods={"hr": HR}), scores)
    assert "±32.9 points" in markdown


def test_published_values_stand_beside_complete_official_splits_only(tmp_path):
    labels = list(np.repeat(range(2), 4))
    scores = streams(tmp_path, "ucf101", "hr", [1] * 8, [1] * 8, labels)
    shown = _layout(
        datasets={"ucf101": dataset("UCF101", official=True)}, methods={"hr": HR}
    )
    _write(tmp_path, shown, scores)
    found = pd.read_csv(tmp_path / "table3_long.csv", comment="#")
    assert found["published"].isna().all()


def test_published_values_are_the_paper_s():
    known = partial(published.accuracy, published.TABLE3)
    assert known("HR", "UCF101", "Fusion") == 93.49
    assert known("Bicubic", "HMDB51", "Spatial") == 42.81
    assert known("SoSR+ToSR2", "UCF101", "Spatial") is None
    assert known("HR", "Workshop", "Fusion") is None


def test_published_hmdb51_values_are_whole_clips_of_1530():
    for row in published.TABLE3.values():
        for value in row[3:]:
            if value is not None:
                clips = round(value * 15.30)
                assert abs(100 * clips / 1530 - value) < 0.0101


def test_scores_of_a_method_that_is_missing_are_named(tmp_path, scores):
    shown = _layout(
        methods={
            "bicubic": BICUBIC,
            "sosr": method("sosr", "SoSR"),
        }
    )
    with pytest.raises(ArtifactError, match="no scores of sosr on one"):
        _write(tmp_path, shown, scores)


def test_a_clip_scored_twice_is_refused(tmp_path, scores):
    with pytest.raises(ArtifactError, match="twice"):
        _write(tmp_path, _layout(), [*scores, scores[0]])


def test_streams_of_other_clips_are_not_fused(tmp_path, scores):
    scores += streams(tmp_path, "one", "few", [1] * 4, [1] * 4, LABELS[2:6])
    pair = method("few", "Pair", flow_of="hr")
    shown = _layout(methods={"pair": pair, "hr": HR})
    with pytest.raises(ArtifactError, match="not of the same clips"):
        _write(tmp_path, shown, scores)


def test_rows_of_other_clips_are_not_compared(tmp_path, scores):
    scores += streams(tmp_path, "one", "few", [1] * 6, [1] * 6, LABELS[:6])
    shown = _layout(methods={"few": method("few"), "hr": HR})
    with pytest.raises(
        ArtifactError, match=r"same clips \(2 differ, such as c/clip6\)"
    ):
        _write(tmp_path, shown, scores)


def test_fusion_weights_are_the_layout_s(tmp_path):
    scores = streams(tmp_path, "one", "hr", [1] * 8, [0] * 8)
    ours = _layout(methods={"hr": HR}, fusion=(2.0, 1.0))
    wide, _, _ = _write(tmp_path, ours, scores)
    assert wide.splitlines()[2] == "HR,100.00,0.00,100.00"


def test_a_renamed_label_keeps_the_paper_s_value_and_place(tmp_path, monkeypatch):
    monkeypatch.setitem(published.COMPLETE, "UCF101", (8, 2))
    inputs = [
        path
        for name in ("mine", "hr", "bicubic")
        for path in streams(tmp_path, "ucf101", name, [1] * 8, [1] * 8)
    ]
    methods = {
        "mine": method("mine", "Mine"),
        "hr": method("hr", "Original", "HR"),
        "bicubic": method("bicubic", "Cubic", "Bicubic"),
    }
    ours = dataset("Actions", paper="UCF101", official=True)
    wide, _, _ = _write(tmp_path, _layout(methods, datasets={"ucf101": ours}), inputs)
    assert [line.split(",")[0] for line in wide.splitlines()[2:]] == [
        "Cubic",
        "Original",
        "Mine",
    ]
    found = pd.read_csv(tmp_path / "table3_long.csv", comment="#")
    cells = found.set_index(["method", "stream"])["published"]
    assert cells["Original", "Fusion"] == 93.49
    assert cells["Cubic", "Spatial"] == 71.25
    assert cells["Mine"].isna().all()


def test_a_label_of_the_paper_alone_stands_for_nothing(tmp_path, monkeypatch):
    monkeypatch.setitem(published.COMPLETE, "UCF101", (8, 2))
    inputs = streams(tmp_path, "ucf101", "hr", [1] * 8, [1] * 8)
    namesake = dataclasses.replace(HR, paper=None)
    ours = {"ucf101": dataset("UCF101", official=True)}
    _write(tmp_path, _layout({"hr": namesake}, datasets=ours), inputs)
    found = pd.read_csv(tmp_path / "table3_long.csv", comment="#")
    assert found["published"].isna().all()


def test_a_pair_that_was_scored_itself_has_no_streams_as_printed(tmp_path):
    inputs = streams(tmp_path, "one", "bicubic+hr", [1] * 8, [1, 0] * 4)
    pair = dataclasses.replace(
        method("bicubic", "Pair", flow_of="hr"),
        scores=dict.fromkeys(("spatial", "temporal"), "bicubic+hr"),
    )
    wide, _, _ = _write(tmp_path, _layout({"pair": pair}), inputs)
    assert wide.splitlines()[2] == "Pair,,,50.00"


def test_a_recogniser_of_one_head_has_no_fusion(tmp_path, scores):
    shown = _layout(heads=("temporal",), fusion=(1.0,))
    wide, long, _ = _write(tmp_path, shown, scores)
    assert wide.splitlines()[1:] == [
        "Method,One Temporal",
        "Bicubic,50.00",
        "HR,100.00",
    ]
    assert "Fusion" not in long


def test_as_many_weights_as_heads_are_fused(tmp_path, scores):
    with pytest.raises(ArtifactError, match=r"'spatial', 'temporal'.*needs 3"):
        _write(tmp_path, _layout(fusion=(1.0, 1.0, 1.0)), scores)


def test_a_head_that_was_not_scored_is_named(tmp_path, scores):
    bare = dataclasses.replace(HR, scores={"joint": "hr"})
    shown = _layout({"hr": bare}, heads=("joint",), fusion=(1.0,))
    with pytest.raises(ArtifactError, match="the joint stream was not scored"):
        _write(tmp_path, shown, scores)
