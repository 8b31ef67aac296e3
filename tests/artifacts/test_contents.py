"""Digests of people's files: right after every change, and read once."""

import errno
import hashlib
import json
import os
from pathlib import Path

import pytest

from twinlens.artifacts import contents
from twinlens.artifacts.contents import Contents


@pytest.fixture
def read(monkeypatch):
    """The files that are read from now on."""
    paths = []
    sha1 = contents.sha1
    monkeypatch.setattr(
        contents, "sha1", lambda path: paths.append(path.name) or sha1(path)
    )
    return paths


@pytest.fixture
def store(tmp_path):
    return tmp_path / "home/store.json"


@pytest.fixture
def settled(monkeypatch):
    """What was written a moment ago counts as old."""
    monkeypatch.setattr(contents, "SECONDS_TO_SETTLE", -60)


def video(tmp_path, data=b"abc", age=60):
    """A file that was last written `age` seconds ago, as far as its content's time."""
    path = tmp_path / "a.avi"
    path.write_bytes(data)
    then = path.stat().st_mtime_ns - int(age * 1e9)
    os.utime(path, ns=(then, then))
    return path


def digest(path, store, **options):
    return Contents(store).of([path], "videos", **options)[0]


def test_a_file_is_known_by_its_bytes(tmp_path, store):
    assert digest(video(tmp_path), store) == hashlib.sha1(b"abc").hexdigest()


def test_a_file_is_read_once_however_often_it_is_asked_for(
    tmp_path, store, read, settled
):
    path = video(tmp_path)
    for _ in range(3):
        assert digest(path, store) == hashlib.sha1(b"abc").hexdigest()
    assert read == ["a.avi"]


def test_other_bytes_of_the_same_size_and_time_are_noticed(tmp_path, store, settled):
    path = video(tmp_path)
    before, then = digest(path, store), path.stat()
    with path.open("r+b") as file:
        file.write(b"xyz")
    os.utime(path, ns=(then.st_atime_ns, then.st_mtime_ns))
    now = path.stat()
    assert (now.st_size, now.st_mtime_ns, now.st_ino) == (
        then.st_size,
        then.st_mtime_ns,
        then.st_ino,
    )
    assert digest(path, store) == hashlib.sha1(b"xyz").hexdigest() != before


def test_what_has_just_changed_is_not_trusted_yet(tmp_path, store, read):
    """It may change again within the tick of the file system's clock."""
    path = video(tmp_path)
    digest(path, store)
    digest(path, store)
    assert read == ["a.avi", "a.avi"]


def test_what_has_just_changed_is_not_stored_by_a_later_call(tmp_path, store, read):
    fresh = video(tmp_path)
    other = tmp_path / "b.avi"
    other.write_bytes(b"b")
    for _ in range(2):
        found = Contents(store)
        found.of([fresh], "videos")
        found.of([other, fresh], "videos")
    assert read == ["a.avi", "b.avi"] * 2


def test_what_was_read_before_an_error_is_kept(tmp_path, store, monkeypatch, settled):
    path, bad = video(tmp_path), tmp_path / "bad.avi"
    bad.write_bytes(b"x")
    sha1 = contents.sha1

    def fail(each):
        if each == bad:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return sha1(each)

    monkeypatch.setattr(contents, "sha1", fail)
    with pytest.raises(OSError, match="bad.avi"):
        Contents(store).of([path, bad], "videos")
    assert list(json.loads(store.read_text())) == [str(path)]


def test_two_runs_keep_what_each_of_them_read(tmp_path, store, settled):
    one, other = Contents(store), Contents(store)
    path, gone = video(tmp_path), tmp_path / "gone.avi"
    gone.write_bytes(b"x")
    one.of([gone], "videos")
    gone.unlink()
    one.of([path], "videos")
    second = tmp_path / "b.avi"
    second.write_bytes(b"b")
    other.of([second], "videos")
    assert set(json.loads(store.read_text())) == {str(path), str(second)}


def test_the_limit_decides_whatever_was_read_before(tmp_path, store, settled):
    path = video(tmp_path)
    assert digest(path, store) == hashlib.sha1(b"abc").hexdigest()
    assert digest(path, store, most=2) == "3 bytes"
    assert digest(path, store, most=3) == hashlib.sha1(b"abc").hexdigest()


def test_a_larger_file_than_is_read_counts_by_its_size(tmp_path, store, read):
    path = tmp_path / "sparse.avi"
    path.touch()
    os.truncate(path, 40 << 30)
    assert digest(path, store, most=4 << 30) == f"{40 << 30} bytes"
    assert read == []


def test_pipes_folders_and_nothing_are_not_opened(tmp_path, store, read):
    os.mkfifo(tmp_path / "pipe.avi")
    (tmp_path / "link.avi").symlink_to("/nowhere.avi")
    paths = [tmp_path / "pipe.avi", tmp_path, tmp_path / "link.avi", tmp_path / "none"]
    assert Contents(store).of(paths, "videos") == ["other", "other", "", ""]
    assert read == []


@pytest.mark.parametrize("text", ["", "{", "[1, 2]", '{"a": 3}', "\0"])
def test_a_damaged_store_is_made_again(tmp_path, store, text, capsys, settled):
    store.parent.mkdir()
    store.write_text(text)
    path = video(tmp_path)
    assert digest(path, store) == hashlib.sha1(b"abc").hexdigest()
    assert "digests of files are made again" in capsys.readouterr().err
    json.loads(store.read_text())


def test_a_folder_that_takes_no_store_costs_only_time(
    tmp_path, store, capsys, monkeypatch, settled
):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(contents.json, "dumps", full)
    assert digest(video(tmp_path), store) == hashlib.sha1(b"abc").hexdigest()
    assert "not kept for the next run" in capsys.readouterr().err


def test_an_error_names_the_file(tmp_path, store, monkeypatch):
    def fail(path):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(contents, "sha1", fail)
    with pytest.raises(OSError, match=r"Input/output error: '.*a\.avi'"):
        digest(video(tmp_path), store)


def test_a_file_that_a_disk_refuses_is_named_and_not_taken_for_another(
    tmp_path, store, monkeypatch
):
    path, stat = video(tmp_path), Path.stat

    def refuse(each, **options):
        if each == path:
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(each))
        return stat(each, **options)

    monkeypatch.setattr(Path, "stat", refuse)
    with pytest.raises(OSError, match=path.name):
        Contents(store).of([path], "videos")
