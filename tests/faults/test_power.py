"""A power cut at any moment: what is there afterwards is whole, or known not to be.

`TWINLENS_TRIALS` sets how many cuts of each kind are tried.
"""

import os
import random
import shutil
from contextlib import suppress

import numpy as np
import pandas as pd
import pytest

from tests.artifacts.made import ABOUT, KIND, NAMES, arrays, content, hidden, write
from tests.faults.power import Record
from twinlens.artifacts import reader, writer
from twinlens.artifacts.publish import publish
from twinlens.artifacts.shard import Shard
from twinlens.artifacts.table import read_csv, write_csv
from twinlens.errors import ArtifactError

pytestmark = pytest.mark.slow
TRIALS = int(os.environ.get("TWINLENS_TRIALS", "60"))


def cuts(record, folder):
    """Fill the folder as power cuts leave it; the moment of each, half near the end."""
    rng, total = random.Random(0), len(record.changes)
    for trial in range(TRIALS):
        moment = rng.randint(0 if trial % 2 else max(0, total - 6), total)
        shutil.rmtree(folder)
        folder.mkdir()
        for name, data in record.after_a_cut(moment, rng).items():
            there = folder / os.path.relpath(name, folder)
            there.parent.mkdir(parents=True, exist_ok=True)
            there.write_bytes(data)
        yield moment


def numbers(path, seed):
    """An artifact of six arrays."""
    rng = np.random.default_rng(seed)
    with writer.create(path, KIND, ABOUT | {"id": f"{seed:016d}"}) as file:
        for number in range(6):
            writer.put(file, f"a{number}", rng.integers(0, 256, (9, 40, 50, 3)))


def values(path):
    with reader.open(path, KIND) as file:
        return {array.name: array[:].tobytes() for array in file.arrays()}


def table(path, seed):
    rng = np.random.default_rng(seed)
    write_csv(path, "made/1", pd.DataFrame({"x": rng.integers(0, 9, 500)}))


def printed(path, seed):
    """A table of results: it has no digest, and every program reads it."""
    with publish(path) as temporary:
        temporary.write_text("\n".join(f"{seed},{line}" for line in range(200)))


WRITERS = {
    "x.h5": (numbers, values),
    "x.csv": (table, lambda path: read_csv(path, "made/1").to_csv()),
    "printed.csv": (printed, lambda path: path.read_text()),
}


@pytest.mark.parametrize("before", [False, True], ids=["new", "over another"])
@pytest.mark.parametrize("name", WRITERS)
def test_a_file_is_the_old_one_or_the_new_one(tmp_path, name, before):
    make, read = WRITERS[name]
    folder = tmp_path / "disk"
    path, known = folder / name, []
    for seed in (1, 2):
        make(tmp_path / f"{seed}{name}", seed)
        known.append(read(tmp_path / f"{seed}{name}"))
    folder.mkdir()
    if before:
        make(path, 1)
    with Record(folder) as record:
        make(path, 2)
    assert read(path) == known[1]
    assert len(record.changes) > 4
    whole = 0
    for moment in cuts(record, folder):
        if path.exists():
            found = read(path)
            assert found == known[1] or (before and found == known[0])
            whole += found == known[1]
        else:
            assert not before
        if moment == len(record.changes):
            assert read(path) == known[1]
        make(path, 2)
        assert read(path) == known[1]
        assert [each for each in folder.iterdir() if each != path] == []
    assert whole


def test_a_shard_goes_on_after_a_cut_to_the_same_values(tmp_path, monkeypatch):
    monkeypatch.setenv("TWINLENS_PART_SECONDS", "0")
    write(tmp_path / "whole.h5")
    expected, folder = content(tmp_path / "whole.h5"), tmp_path / "disk"
    folder.mkdir()
    path = folder / "x.h5"
    with suppress(KeyboardInterrupt), Shard(path, KIND, ABOUT, NAMES) as shard:
        shard.write(NAMES[0], arrays(NAMES[0]), fps=25.0, sha1="0a" * 20, title="ü")
        raise KeyboardInterrupt
    with Record(folder) as record:
        write(path)
    assert content(path) == expected
    for _ in cuts(record, folder):
        if path.exists():
            assert content(path) == expected
        write(path)
        assert content(path) == expected
        assert hidden(path) == []


def test_what_was_not_synced_is_lost_in_the_record(tmp_path):
    """The disk of these tests is as bad as it may be."""
    folder = tmp_path / "disk"
    folder.mkdir()
    path = folder / "x.txt"
    with Record(folder) as record:
        handle = os.open(folder / "new", os.O_WRONLY | os.O_CREAT, 0o666)
        os.pwrite(handle, bytes(range(256)) * 8, 0)
        os.close(handle)
        (folder / "new").replace(path)
    found = [path.read_bytes() if path.exists() else None for _ in cuts(record, folder)]
    assert None in found
    assert any(each is not None and each != bytes(range(256)) * 8 for each in found)


def test_a_damaged_artifact_is_never_read_as_whole(tmp_path, monkeypatch):
    """Where a file system loses data that were synced, readers notice."""
    monkeypatch.setattr("twinlens.artifacts.publish._sync", lambda _: None)
    folder = tmp_path / "disk"
    folder.mkdir()
    path = folder / "x.h5"
    with Record(folder) as record:
        numbers(path, 1)
    expected, refused = values(path), 0
    for _ in cuts(record, folder):
        if path.exists():
            try:
                assert values(path) == expected
            except ArtifactError:
                refused += 1
    assert refused
