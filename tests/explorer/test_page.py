"""The explorer's page and the files beside it."""

import base64
import hashlib
import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.explorer.conftest import NAMES, RIGHT
from twinlens.errors import ArtifactError
from twinlens.explorer.page import write_explorer


def page_of(folder):
    text = (folder / "index.html").read_text()
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text)
    return json.loads(found[1])


@pytest.fixture(scope="module")
def page(written):
    return page_of(written)


def test_the_page_states_the_tables_that_it_was_built_from(page, small):
    tables = [each for each in small.inputs if each.suffix == ".csv"]
    assert page["tables"] == [
        {"file": each.name, "sha256": hashlib.sha256(each.read_bytes()).hexdigest()}
        for each in tables
    ]


def test_numbers_of_the_tables_are_held_as_they_are_printed(page, small):
    (path,) = [each for each in small.inputs if each.name == "table3_long.csv"]
    table = pd.read_csv(path, skiprows=1)
    chosen = table[(table["method"] == "VDSR") & (table["dataset"] == "Two")]
    cells = page["cells"]["tsn"]["two"]["vdsr"]
    expected = {
        s.lower(): v for s, v in zip(chosen.stream, chosen.accuracy, strict=True)
    }
    assert cells == expected
    assert list(page["cells"]["tsn"]["two"]["pair"]) == ["fusion"]


def test_every_clip_s_verdict_is_held(page):
    (two,) = [each for each in page["datasets"] if each["name"] == "two"]
    labels = numbers(two["labels"])
    clips = zip(labels, two["clips"], strict=True)
    assert [f"{two['classes'][n]}/{file}" for n, file in clips] == NAMES["two"]
    for row, (spatial, _) in RIGHT.items():
        taken = numbers(page["taken"]["two"]["tsn"][row]["spatial"]["taken"])
        assert (taken == labels).sum() == 2 * spatial


def numbers(text):
    return np.frombuffer(base64.b64decode(text), "<u2")


def test_views_are_held_where_they_are_counted(page):
    packed = page["taken"]["one"]["net"]["vdsr"]["spatial"]
    views = np.array(packed["views"])[numbers(packed["of_views"])]
    assert set(views) == {0.5, 1.0}
    assert "views" not in page["taken"]["one"]["net"]["vdsr"]["fusion"]
    assert "views" not in page["taken"]["one"]["tsn"]["vdsr"]["spatial"]


def test_pictures_lie_beside_the_page(written, page):
    about = page["media"]["one"]["1"]
    assert about["index"] == [3, 4, 5, 6, 7, 8]
    for name in about["strips"]:
        data = (written / f"media/one/1/{name}.webp").read_bytes()
        assert data[:4] == b"RIFF"
        assert data[8:12] == b"WEBP"
    assert "two" not in page["media"]


def test_scores_of_a_class_are_read_on_demand(written):
    text = (written / "scores/two/1.js").read_text()
    name, scores = re.fullmatch(r'twinlensScores\("(.*?)", (.*)\);\n', text).groups()
    assert name == "two/1"
    found = json.loads(scores)
    assert set(found) == {str(n) for n in range(10, 20)}
    (first, share), (second, _) = found["10"]["tsn"]["hr"]["spatial"]
    assert (first, second) == (1, 0)
    assert share == pytest.approx(np.exp(2) / (np.exp(2) + 1), abs=1e-4)


def test_names_can_not_end_the_page_s_script(written, page):
    assert page["datasets"][0]["label"] == "One </script><b>"
    assert "One </script>" not in (written / "index.html").read_text()


def test_the_page_asks_no_host(written):
    text = (written / "index.html").read_text()
    hosts = set(re.findall(r"https?://[^\"'\s]+", text))
    assert hosts <= {"http://www.w3.org/2000/svg"}  # a name, not an address
    assert "default-src 'none'" in text
    assert len(text) < 3_000_000


def test_writing_it_again_replaces_it(small, written):
    before = sorted(each.relative_to(written) for each in written.rglob("*"))
    (written / "stale.txt").write_text("of an older page")
    write_explorer(small.inputs, small.job, written)
    assert sorted(each.relative_to(written) for each in written.rglob("*")) == before
    assert not list(written.parent.glob(".explorer.part"))


def test_a_missing_table_is_an_error(small, tmp_path):
    inputs = [each for each in small.inputs if each.name != "table4_long.csv"]
    with pytest.raises(ArtifactError, match=r"no table4_long\.csv among the inputs"):
        write_explorer(inputs, small.job, tmp_path / "explorer")
    assert not [each for each in tmp_path.iterdir() if each.is_dir()]


def test_a_table_of_other_methods_is_an_error(small, tmp_path):
    other = replace(small.job.layouts["tsn"].methods["vdsr"], label="Another")
    layouts = {
        name: replace(each, methods={**each.methods, "vdsr": other})
        for name, each in small.job.layouts.items()
    }
    with pytest.raises(ArtifactError, match="is not of these methods"):
        write_explorer(
            small.inputs, replace(small.job, layouts=layouts), tmp_path / "x"
        )


def test_scores_that_are_not_there_are_an_error(small, tmp_path):
    inputs = [each for each in small.inputs if not each.match("scores/net/two/hr/*")]
    with pytest.raises(ArtifactError, match="no scores of hr on two"):
        write_explorer(inputs, small.job, tmp_path / "explorer")
