"""Table 3 in its three forms, from made-up scores."""

import numpy as np
import pandas as pd
import pytest

from tests.tables.made import files
from twinlens import provenance
from twinlens.artifacts.shard import Shard
from twinlens.errors import ArtifactError
from twinlens.tables import published
from twinlens.tables.forms import Dataset, Layout, Method
from twinlens.tables.table3 import table3

BICUBIC = Method(label="Bicubic", spatial="bicubic", temporal="bicubic")
HR = Method(label="HR", spatial="hr", temporal="hr")
LABELS = [0, 0, 0, 0, 1, 1, 1, 1]


def _shard(folder, dataset, method, spatial, temporal, labels=LABELS):
    """Score shards, two for a method, with these clips right in each stream."""
    paths = []
    for part in (0, 1):
        path = folder / f"{dataset}-{method}-{part}.h5"
        places = range(part, len(labels), 2)
        names = [f"c/clip{place}" for place in places]
        about = provenance.about("made", [], {}, dataset=dataset, method=method, n=part)
        with Shard(path, "scores/1", about, names) as shard:
            for name, place in zip(names, places, strict=True):
                arrays = {
                    stream: _scores(labels[place], right[place])
                    for stream, right in (("spatial", spatial), ("temporal", temporal))
                }
                shard.write(name, arrays, label=labels[place])
        paths.append(path)
    return paths


def _scores(label, right):
    """Two snippets whose mean decides."""
    chosen = label if right else 1 - label
    made = np.zeros((2, 2), np.float32)
    made[0, chosen], made[1, 1 - chosen] = 3, 1
    return made


def _layout(**changes):
    settings = {
        "world": "made",
        "note": "a test",
        "datasets": {"one": Dataset(label="One", generated=True)},
        "methods": {"hr": HR, "bicubic": BICUBIC},
    }
    return Layout(**{**settings, **changes})


def _write(folder, layout, scores):
    made = files(folder, "table3")
    table3(scores, layout, made)
    return [path.read_text() for path in (made.out, made.long, made.markdown)]


@pytest.fixture
def scores(tmp_path):
    return [
        *_shard(tmp_path, "one", "bicubic", [1, 0, 0, 0] * 2, [1, 1, 0, 0] * 2),
        *_shard(tmp_path, "one", "hr", [1, 1, 1, 0] * 2, [1] * 8),
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
        assert "world made" in first
        assert "GENERATED DATA" in first
        assert "a test" in first


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
    scores += _shard(tmp_path, "one", "mine", [1] * 8, [1] * 8)
    mine = Method(label="Mine", spatial="mine", temporal="mine")
    layout = _layout(methods={"mine": mine, "hr": HR, "bicubic": BICUBIC})
    wide, _, _ = _write(tmp_path, layout, scores)
    assert [line.split(",")[0] for line in wide.splitlines()[2:]] == [
        "Bicubic",
        "HR",
        "Mine",
    ]


def test_a_pair_has_a_fusion_cell_only(tmp_path, scores):
    pair = Method(label="SoSR+ToSR2", spatial="bicubic", temporal="hr")
    layout = _layout(methods={"pair": pair, "hr": HR, "bicubic": BICUBIC})
    wide, long, _ = _write(tmp_path, layout, scores)
    assert wide.splitlines()[3] == "SoSR+ToSR2,,,100.00"
    assert sum("SoSR+ToSR2" in line for line in long.splitlines()) == 1


def test_low_resolution_sets_have_no_hr_row(tmp_path, scores):
    layout = _layout(datasets={"one": Dataset(label="One", has_hr=False)})
    wide, _, _ = _write(tmp_path, layout, scores)
    assert [line.split(",")[0] for line in wide.splitlines()[2:]] == ["Bicubic"]


def test_low_resolution_sets_beside_others_have_no_hr_cells(tmp_path, scores):
    scores += _shard(tmp_path, "two", "bicubic", [1] * 8, [1] * 8)
    one, two = Dataset(label="One"), Dataset(label="Two", has_hr=False)
    layout = _layout(datasets={"one": one, "two": two})
    wide, _, _ = _write(tmp_path, layout, scores)
    assert wide.splitlines()[3] == "HR,75.00,100.00,100.00,,,"


def test_a_few_clips_that_are_all_right_promise_nothing(tmp_path):
    scores = _shard(tmp_path, "one", "hr", [1, 1], [1, 1], [0, 1])
    _, _, markdown = _write(tmp_path, _layout(methods={"hr": HR}), scores)
    assert "±32.9 points" in markdown


def test_published_values_stand_beside_complete_official_splits_only(tmp_path):
    labels = list(np.repeat(range(2), 4))
    scores = _shard(tmp_path, "ucf101", "hr", [1] * 8, [1] * 8, labels)
    layout = _layout(
        datasets={"ucf101": Dataset(label="UCF101", official=True)}, methods={"hr": HR}
    )
    _write(tmp_path, layout, scores)
    found = pd.read_csv(tmp_path / "table3_long.csv", comment="#")
    assert found["published"].isna().all()


def test_published_values_are_the_paper_s():
    assert published.table3("HR", "UCF101", "Fusion") == 93.49
    assert published.table3("Bicubic", "HMDB51", "Spatial") == 42.81
    assert published.table3("SoSR+ToSR2", "UCF101", "Spatial") is None
    assert published.table3("HR", "Workshop", "Fusion") is None


def test_published_hmdb51_values_are_whole_clips_of_1530():
    for row in published.TABLE3.values():
        for value in row[3:]:
            if value is not None:
                clips = round(value * 15.30)
                assert abs(100 * clips / 1530 - value) < 0.0101


def test_scores_of_a_method_that_is_missing_are_named(tmp_path, scores):
    layout = _layout(
        methods={
            "bicubic": BICUBIC,
            "sosr": Method(label="SoSR", spatial="sosr", temporal="sosr"),
        }
    )
    with pytest.raises(ArtifactError, match="no scores of sosr on one"):
        _write(tmp_path, layout, scores)


def test_a_clip_scored_twice_is_refused(tmp_path, scores):
    with pytest.raises(ArtifactError, match="twice"):
        _write(tmp_path, _layout(), [*scores, scores[0]])


def test_streams_of_other_clips_are_not_fused(tmp_path, scores):
    scores += _shard(tmp_path, "one", "few", [1] * 4, [1] * 4, LABELS[2:6])
    pair = Method(label="Pair", spatial="few", temporal="hr")
    layout = _layout(methods={"pair": pair, "hr": HR})
    with pytest.raises(ArtifactError, match="not of the same clips"):
        _write(tmp_path, layout, scores)


def test_fusion_weights_are_the_layout_s(tmp_path):
    scores = _shard(tmp_path, "one", "hr", [1] * 8, [0] * 8)
    ours = _layout(methods={"hr": HR}, fusion=[2.0, 1.0])
    wide, _, _ = _write(tmp_path, ours, scores)
    assert wide.splitlines()[2] == "HR,100.00,0.00,100.00"
