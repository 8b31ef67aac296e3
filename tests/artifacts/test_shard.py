import ctypes
import os
import random
from contextlib import suppress
from functools import partial

import numpy as np
import psutil
import pytest

from tests.artifacts.made import (
    ABOUT,
    FACTS,
    KIND,
    NAMES,
    arrays,
    content,
    die_at_line,
    die_at_size,
    hidden,
    interrupted,
    killed,
    write,
)
from twinlens.artifacts import shard as module
from twinlens.artifacts.shard import Shard
from twinlens.errors import ArtifactError


def deaths():
    rng = random.Random(0)
    lines = [partial(die_at_line, rng.randrange(1, 1750)) for _ in range(70)]
    sizes = [partial(die_at_size, rng.randrange(16000)) for _ in range(30)]
    return lines + sizes


@pytest.mark.slow
def test_a_killed_writer_leaves_whole_files_only_and_a_rerun_ends_the_same(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("TWINLENS_PART_SECONDS", "0")
    monkeypatch.setattr(os, "fsync", lambda _: None)  # slow; outlives power, not kills
    write(tmp_path / "whole.h5")
    expected = content(tmp_path / "whole.h5")
    died = 0
    for trial, death in enumerate(deaths()):
        path = tmp_path / str(trial) / "made.h5"
        died += killed(partial(write, path), death)
        assert not path.exists() or content(path) == expected
        write(path)
        assert content(path) == expected
        assert hidden(path) == []
    assert died > 80


def test_finished_parts_are_not_written_again(tmp_path, monkeypatch):
    monkeypatch.setenv("TWINLENS_PART_SECONDS", "0")
    path = tmp_path / "made.h5"
    interrupted(path, NAMES[:3])
    assert write(path) == NAMES[3:]


def test_a_clip_that_was_finished_before_an_error_is_kept(tmp_path):
    path = tmp_path / "made.h5"
    interrupted(path, NAMES[:1])
    assert not path.exists()
    assert write(path) == NAMES[1:]


def test_clips_that_were_written_outlive_one_that_failed(tmp_path):
    path = tmp_path / "made.h5"
    with suppress(TypeError), Shard(path, KIND, ABOUT, NAMES) as shard:
        shard.write(NAMES[0], arrays(NAMES[0]))
        shard.write(NAMES[1], {"frames": np.array(object())})
    assert not path.exists()
    assert write(path) == NAMES[1:]


def test_a_clip_whose_writing_failed_is_written_again(tmp_path):
    path = tmp_path / "made.h5"
    with pytest.raises(TypeError), Shard(path, KIND, ABOUT, NAMES) as shard:
        shard.write(NAMES[0], arrays(NAMES[0]), fact=object())
    write(path)
    assert sorted(content(path)["names"]) == sorted(NAMES)


def test_no_seconds_between_parts_publishes_each_clip(tmp_path, monkeypatch):
    monkeypatch.setenv("TWINLENS_PART_SECONDS", "0")
    with Shard(tmp_path / "x.h5", KIND, ABOUT, NAMES) as shard:
        for name in NAMES:
            shard.write(name, arrays(name))
        assert len(list(shard.parts.glob("part-*.h5"))) == len(NAMES)
    assert content(tmp_path / "x.h5")["names"] == NAMES


def test_parts_of_another_id_are_dropped(tmp_path):
    path = tmp_path / "x.h5"
    interrupted(path, NAMES[:1], {**ABOUT, "id": "other"})
    assert write(path) == NAMES
    assert hidden(path) == []


def test_a_skipped_clip_is_left_out(tmp_path):
    path = tmp_path / "x.h5"
    with Shard(path, KIND, ABOUT, NAMES) as shard:
        for name in NAMES[1:]:
            shard.write(name, arrays(name))
        shard.skip(NAMES[0])
    assert content(path)["names"] == NAMES[1:]


def test_a_shard_of_which_all_is_skipped_is_whole(tmp_path):
    path = tmp_path / "x.h5"
    with Shard(path, KIND, ABOUT, ["a"]) as shard:
        shard.skip("a")
    assert content(path)["names"] == []


def test_a_part_that_vanishes_while_others_are_written_is_an_error(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("TWINLENS_PART_SECONDS", "0")
    path = tmp_path / "x.h5"

    def lose_one():
        with Shard(path, KIND, ABOUT, NAMES) as shard:
            for name in NAMES:
                shard.write(name, arrays(name), **FACTS)
            (shard.parts / "part-0000.h5").unlink()

    with pytest.raises(ArtifactError, match=r"x.h5: its parts lack \['Wave/a b'\]"):
        lose_one()
    assert not path.exists()
    assert write(path) == NAMES[:1]


def test_a_forgotten_clip_is_an_error(tmp_path):
    path = tmp_path / "x.h5"
    with pytest.raises(ArtifactError, match="x.h5: 4 clips were never written"):  # noqa: SIM117
        with Shard(path, KIND, ABOUT, NAMES) as shard:
            shard.write(NAMES[0], arrays(NAMES[0]))
    assert not path.exists()


def test_clips_keep_the_order_of_their_names(tmp_path):
    path = tmp_path / "x.h5"
    with Shard(path, KIND, ABOUT, NAMES) as shard:
        for name in reversed(NAMES):
            shard.write(name, arrays(name))
    assert content(path)["names"] == NAMES


@pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="not the GNU C library"
)
def test_memory_that_was_freed_goes_back_to_the_system(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "TRIM_S", 0.0)
    mebibyte, process = 1 << 20, psutil.Process()
    # Below 128 KiB arrays lie in the heap, and a small one in use above each keeps it.
    pairs = [(np.ones(100_000, np.uint8), np.ones(10_000)) for _ in range(2000)]
    kept = [small for _, small in pairs]
    del pairs
    before = process.memory_info().rss
    interrupted(tmp_path / "made.h5", NAMES[:1])
    assert before - process.memory_info().rss > 20 * mebibyte
    assert len(kept) == 2000
