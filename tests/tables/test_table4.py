"""Table 4: streams counted by view, the fusion by clip."""

import numpy as np
import pandas as pd
import pytest

from tests.tables.scores import layout, method, write
from twinlens import provenance
from twinlens.artifacts.shard import Shard
from twinlens.recognisers import metrics
from twinlens.tables import facts, published
from twinlens.tables.accuracy import accuracy

LABELS = [0, 0, 1, 1, 1]
# Each clip's margin of its label over the other class, by view.
SPATIAL = [(3, 1), (3, -1), (-1, -1), (1, -5), (2, 2)]
TEMPORAL = [(1, 1), (1, 1), (4, 4), (1, 1), (-1, -9)]


def shard(folder, row):
    path = folder / f"one-{row}.h5"
    names = [f"c/clip{place}" for place in range(len(LABELS))]
    about = provenance.about("score", [], {}, dataset="one", row=row)
    with Shard(path, "scores/2", about, names) as file:
        for place, name in enumerate(names):
            heads = {"spatial": SPATIAL[place], "temporal": TEMPORAL[place]}
            arrays = {head: _views(LABELS[place], each) for head, each in heads.items()}
            file.write(name, arrays, label=LABELS[place])
    return path


def _views(label, margins):
    scores = np.zeros((2, 2), np.float32)
    scores[:, label] = margins
    return scores


def _table(folder, methods):
    shown = layout(
        methods,
        recogniser="ST-ResNet",
        paper="ST-ResNet",
        fusion=(0.5, 0.5),
        metrics=metrics("st_resnet"),
    )
    paths = [
        shard(folder, row) for row in {each.frames_of for each in methods.values()}
    ]
    return write(folder, "table4", paths, shown, "table3")


def test_streams_count_views_and_the_fusion_clips(tmp_path):
    files = _table(tmp_path, {"hr": method("hr")})
    first, _, row = files.out.read_text().splitlines()
    said = "accuracy in %: spatial and temporal of all views, fusion of all clips"
    assert said in first
    # Spatial: views 2, 1, 0, 1, 2 of 10. Temporal: 8 of 10. Fusion: clip means
    # 2+1, 1+1, -1+4, -2+1, 2-5: three of five.
    assert row == "HR,60.00,80.00,60.00"


def test_the_long_form_says_what_is_counted_and_has_clips_too(tmp_path):
    files = _table(tmp_path, {"hr": method("hr")})
    found = pd.read_csv(files.long, comment="#").set_index("stream")
    assert found["metric"].to_dict() == {
        "Spatial": "views",
        "Temporal": "views",
        "Fusion": "clips",
    }
    # By the mean of both views: margins 2, 1, -1, -2, 2.
    assert (found.loc["Spatial", "right"], found.loc["Spatial", "clips"]) == (3, 5)
    assert found.loc["Fusion", "accuracy"] == found.loc["Fusion", "overall"]
    assert found.loc["Fusion", "low"] == found.loc["Fusion", "overall_low"]


def test_an_interval_of_views_is_that_of_clips_drawn_whole():
    """Views that always agree say no more than one view a clip."""
    labels = np.zeros(400, np.int64)
    right = np.repeat([1.0, 0.0], [300, 100])
    scores = np.eye(2)[(1 - right).astype(int)]
    found = accuracy(scores, labels, 0, "views", right)
    width = 2 * 1.96 * 100 * np.sqrt(0.75 * 0.25 / 400)
    assert found.value == 75
    assert found.high - found.low == pytest.approx(width, rel=0.05)


def test_a_pair_has_a_fusion_alone_as_it_is_printed(tmp_path):
    pair = method("hr", "SoSR+ToSR2", flow_of="tosr2")
    pair.scores.update(dict.fromkeys(("spatial", "temporal"), "hr"))
    files = _table(tmp_path, {"pair": pair})
    assert files.out.read_text().splitlines()[2] == "SoSR+ToSR2,,,60.00"


def test_printed_values_are_of_the_recogniser():
    rows = published.ACCURACIES["ST-ResNet"]
    assert published.accuracy(rows, "HR", "UCF101", "Fusion") == 92.94
    assert published.accuracy(rows, "SoSR", "HMDB51", "Spatial") == 53.40
    assert published.accuracy(rows, "SoSR+ToSR2", "HMDB51", "Temporal") is None
    assert list(rows) == list(published.ROWS)


def test_hmdb51_s_printed_digits_are_of_views_and_clips():
    """1,530 test clips, two views each: every printed number is one of these."""
    for values in published.TABLE4.values():
        *streams, fusion = values[3:]
        for value, count in [*((each, 3060) for each in streams), (fusion, 1530)]:
            if value is not None:
                correct = round(value / 100 * count)
                assert f"{100 * correct / count:.2f}" == f"{value:.2f}"


def test_table_2_counts_as_table_4_does(tmp_path):
    shown = layout(
        {"MSE": method("vdsr")},
        recogniser="ST-ResNet",
        paper="ST-ResNet",
        metrics=metrics("st_resnet"),
    )
    files = write(tmp_path, "table2", [shard(tmp_path, "vdsr")], shown)
    first, _, row = files.out.read_text().splitlines()
    assert "spatial stream of ST-ResNet, accuracy in %: spatial of all views" in first
    assert row == "One,60.00"


@pytest.mark.parametrize(
    ("heads", "counted", "said"),
    [
        (("one",), {"one": "clips"}, "accuracy in %: one of all clips"),
        (
            ("a", "b", "c"),
            {"a": "views", "b": "views", "c": "clips"},
            "accuracy in %: a and b of all views, c of all clips",
        ),
        (("a",), {}, "mean class accuracy in %"),
    ],
)
def test_the_first_line_says_what_each_stream_counts(heads, counted, said):
    assert facts.counted(layout({}, heads=heads, metrics=counted), heads) == said
