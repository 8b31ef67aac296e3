import errno
import fcntl
import os
import queue
import signal
import socket
import stat
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pandas as pd
import pytest

from tests.artifacts.made import (
    ABOUT,
    KIND,
    NAMES,
    another,
    arrays,
    content,
    hidden,
    killed,
    write,
)
from twinlens.artifacts import publish as module
from twinlens.artifacts.publish import publish, publish_folder
from twinlens.artifacts.shard import Shard
from twinlens.artifacts.table import read_csv, write_csv
from twinlens.errors import ArtifactError

HANG = 3600
"""Seconds after which a test counts as stuck."""


def test_a_failed_block_keeps_the_old_file_and_leaves_nothing(tmp_path):
    path = tmp_path / "x.txt"
    path.write_text("old")
    with suppress(KeyboardInterrupt), publish(path) as temporary:
        temporary.write_text("new")
        raise KeyboardInterrupt
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_check_keeps_the_old_file(tmp_path):
    def check(path):
        raise ArtifactError(path.read_text())

    path = tmp_path / "x.txt"
    path.write_text("old")
    with pytest.raises(ArtifactError, match="new"):  # noqa: SIM117
        with publish(path, check) as temporary:
            temporary.write_text("new")
    assert path.read_text() == "old"


def test_a_block_that_writes_nothing_is_reported(tmp_path):
    path = tmp_path / "x.txt"
    with pytest.raises(ArtifactError, match="without writing"), publish(path):
        pass
    assert not path.exists()


def test_the_temporary_file_has_the_suffix(tmp_path):
    with publish(tmp_path / "x.png") as temporary:
        assert temporary.suffix == ".png"
        temporary.touch()


def test_what_a_killed_writer_left_is_removed(tmp_path):
    def stop():
        with publish(tmp_path / "x[1].h5") as temporary:
            temporary.write_text("half")
            os.kill(os.getpid(), signal.SIGKILL)

    assert killed(stop, lambda: None)
    assert len(hidden(tmp_path / "x")) == 2
    with publish(tmp_path / "x[1].h5") as temporary:
        temporary.write_text("whole")
    assert [each.name for each in tmp_path.iterdir()] == ["x[1].h5"]


def test_a_file_of_a_longer_name_is_left_alone(tmp_path):
    with publish(tmp_path / "x.h5.png") as temporary:
        temporary.write_text("whole")
        with publish(tmp_path / "x.h5") as other:
            other.write_text("also")
    assert (tmp_path / "x.h5.png").read_text() == "whole"


@pytest.mark.parametrize("name", ["[ab].h5", "a*.h5", "a?.h5", "-a b'&#.h5", "ä.h5"])
def test_odd_names_are_published(tmp_path, name):
    neighbour = tmp_path / "ab.h5"
    write(neighbour)
    write(tmp_path / name)
    assert content(tmp_path / name) == content(neighbour)


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP, 524])
def test_a_disk_that_can_not_sync_folders_gets_the_file(tmp_path, monkeypatch, number):
    sync = os.fsync

    def fsync(handle):
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(number, "no fsync of folders")
        sync(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    with publish(tmp_path / "x.txt") as temporary:
        temporary.write_text("whole")
    assert (tmp_path / "x.txt").read_text() == "whole"


def test_a_disk_that_fails_to_sync_a_folder_is_an_error(tmp_path, monkeypatch):
    def fsync(handle):
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(errno.EIO, "disk failure")

    monkeypatch.setattr(os, "fsync", fsync)
    with (
        pytest.raises(ArtifactError, match="x: can't be written"),
        publish(tmp_path / "x") as file,
    ):
        file.write_text("whole")


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOTSUP, 524])
def test_a_disk_without_locks_is_written_to(tmp_path, monkeypatch, number):
    def flock(handle, how):
        raise OSError(number, "no locks here")

    monkeypatch.setattr(fcntl, "flock", flock)
    with publish(tmp_path / "x.txt") as temporary:
        temporary.write_text("first")
        with publish(tmp_path / "x.txt") as other:  # which can't know of the first
            other.write_text("second")
    assert (tmp_path / "x.txt").read_text() == "first"
    assert [each.name for each in tmp_path.iterdir()] == ["x.txt"]


@pytest.fixture
def messages(monkeypatch):
    """What a process says while it waits."""
    said = queue.Queue()
    monkeypatch.setattr(module, "say", said.put)
    return said


def test_a_second_writer_waits_for_the_first(tmp_path, messages):
    path = tmp_path / "x.txt"

    def work(wait):
        with publish(path) as temporary:
            temporary.write_text("first")
            wait()

    rows = pd.DataFrame({"clip": ["a"]})
    with ThreadPoolExecutor() as pool:
        with another(work) as first:
            second = pool.submit(write_csv, path, "report/1", rows)
            host = socket.gethostname()
            words = f"{path}: process {first} on {host} works on it: waiting until"
            assert messages.get(timeout=HANG).startswith(words)
            assert not path.exists()
        second.result(timeout=HANG)
    assert read_csv(path, "report/1").equals(rows)
    assert [each.name for each in tmp_path.iterdir()] == ["x.txt"]


@pytest.mark.parametrize("seconds", ["0", "60"])
def test_a_second_writer_of_a_shard_waits_for_the_first(
    tmp_path, monkeypatch, messages, seconds
):
    monkeypatch.setenv("TWINLENS_PART_SECONDS", seconds)
    path = tmp_path / "x.h5"

    def work(wait):
        with Shard(path, KIND, ABOUT, NAMES) as shard:
            for name in NAMES:
                shard.write(name, arrays(name))
                if name == NAMES[2]:
                    wait()

    with ThreadPoolExecutor() as pool:
        with another(work) as first:
            second = pool.submit(write, path)
            assert f"x.h5: process {first} on " in messages.get(timeout=HANG)
        second.result(timeout=HANG)
    assert content(path)["names"] == NAMES
    assert [each.name for each in tmp_path.iterdir()] == ["x.h5"]


def fill(out, *names):
    """Publish a folder with these files; one that is called "fault" is refused."""
    with publish_folder(out) as folder:
        for name in names:
            if name == "fault":
                raise ValueError(name)
            (folder / name).write_text(name)


def test_a_folder_is_the_old_one_or_the_new_one(tmp_path):
    out = tmp_path / "page"
    fill(out, "one.txt")
    with pytest.raises(ValueError, match="fault"):
        fill(out, "two.txt", "fault")
    assert [each.name for each in out.iterdir()] == ["one.txt"]
    assert [each for each in tmp_path.iterdir() if each.is_dir()] == [out]
    fill(out, "three.txt")
    assert [each.name for each in out.iterdir()] == ["three.txt"]


def test_what_a_killed_process_left_of_a_folder_is_replaced(tmp_path):
    left = tmp_path / ".page.part"
    left.mkdir()
    (left / "half.txt").write_text("half")
    fill(tmp_path / "page", "one.txt")
    assert [each.name for each in (tmp_path / "page").iterdir()] == ["one.txt"]
    assert not left.exists()
