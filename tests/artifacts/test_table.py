from contextlib import suppress
from functools import partial

import pandas as pd
import pytest

from tests.artifacts.made import die_at_line, killed
from twinlens.artifacts.table import read_csv, write_csv
from twinlens.errors import ArtifactError

ROWS = pd.DataFrame(
    {"clip": ["a/1", 'ü, "b"\r\n'], "class": ["007", "NA"], "value": [0.1 + 0.2, 1e-9]}
)


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "table.csv"
    write_csv(path, "report/1", ROWS)
    return path


def test_a_table_is_read_as_it_was_written(table):
    pd.testing.assert_frame_equal(read_csv(table, "report/1"), ROWS, check_exact=True)


def test_a_table_without_rows_keeps_its_columns(tmp_path):
    write_csv(tmp_path / "x.csv", "missing/1", pd.DataFrame({"file": []}))
    assert list(read_csv(tmp_path / "x.csv", "missing/1")) == ["file"]


def test_a_cut_table_is_refused(table):
    raw = table.read_bytes()
    for length in range(len(raw)):
        table.write_bytes(raw[:length])
        with pytest.raises(ArtifactError, match="table.csv.*make it again"):
            read_csv(table, "report/1")


def test_a_flipped_bit_in_a_table_is_an_error(table):
    raw = table.read_bytes()
    for place in range(8 * len(raw)):
        damaged = bytearray(raw)
        damaged[place // 8] ^= 1 << place % 8
        table.write_bytes(damaged)
        with suppress(ArtifactError):
            assert read_csv(table, "report/1").equals(ROWS)


def test_an_edited_table_is_refused(table):
    table.write_bytes(table.read_bytes().replace(b"007", b"008"))
    with pytest.raises(ArtifactError, match="was cut off or edited"):
        read_csv(table, "report/1")


def test_a_table_of_another_kind_is_refused(table):
    with pytest.raises(ArtifactError, match="is not a whole manifest/1 file"):
        read_csv(table, "manifest/1")


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(ArtifactError, match="gone.csv: no such file"):
        read_csv(tmp_path / "gone.csv", "report/1")


@pytest.mark.slow
def test_a_killed_writer_of_csv_leaves_the_old_table(tmp_path):
    path = tmp_path / "table.csv"
    old, new = pd.DataFrame({"frames": [1, 2]}), pd.DataFrame({"frames": [3, 4, 5]})
    for number in range(1, 40):
        write_csv(path, "report/1", old)
        killed(
            partial(write_csv, path, "report/1", new),
            partial(die_at_line, number),
        )
        assert len(read_csv(path, "report/1")) in (2, 3)
