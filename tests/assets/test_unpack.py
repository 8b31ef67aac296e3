"""Archives of data sets, as they were published."""

import errno
import io
import os
import tarfile
import tempfile
import zipfile
from contextlib import suppress

import pytest
import rarfile

from tests.assets import rar
from twinlens.assets import unpack as module
from twinlens.assets.unpack import check_tool, unpack
from twinlens.errors import ArtifactError

CLIPS = {"wave/a (1) #2.avi": b"wave", "kick_ball/b;c.avi": b"ball"}


def files_of(folder):
    found = (each for each in folder.rglob("*") if each.is_file())
    return {str(each.relative_to(folder)): each.read_bytes() for each in found}


def written(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def zipped(files):
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w") as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return output.getvalue()


def tarred(files):
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w:gz") as archive:
        for path, content in files.items():
            info = tarfile.TarInfo(path)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return output.getvalue()


WRITERS = {"a.rar": rar.archive, "a.zip": zipped, "a.tar.gz": tarred}


@pytest.mark.parametrize("name", WRITERS)
def test_a_folder_is_taken_out_of_an_archive(tmp_path, name):
    inside = {f"UCF-101/{path}": content for path, content in CLIPS.items()}
    content = WRITERS[name]({**inside, "__MACOSX/x": b""})
    path = written(tmp_path / "d" / name, content)
    unpack(path, "UCF-101", tmp_path / "UCF-101", least=2)
    assert files_of(tmp_path / "UCF-101") == CLIPS
    assert sorted(each.name for each in tmp_path.iterdir()) == ["UCF-101", "d"]


def test_rar_in_rar_is_unpacked_as_hmdb51_is(tmp_path):
    inner = {
        f"{path.partition('/')[0]}.rar": rar.archive({path: content})
        for path, content in CLIPS.items()
    }
    path = written(tmp_path / "d/hmdb51_org.rar", rar.archive(inner))
    unpack(path, "", tmp_path / "hmdb51", least=2)
    assert files_of(tmp_path / "hmdb51") == CLIPS


def test_a_file_is_taken_out_of_an_archive(tmp_path):
    files = {"FlowNet2/net.caffemodel.h5": b"net", "FlowNet2-C/net.h5": b"other"}
    path = written(tmp_path / "d/models.tar.gz", tarred(files))
    unpack(path, "FlowNet2/net.caffemodel.h5", tmp_path / "net.caffemodel.h5")
    assert (tmp_path / "net.caffemodel.h5").read_bytes() == b"net"


@pytest.mark.parametrize("name", WRITERS)
def test_an_archive_that_is_cut_or_lacks_something_leaves_nothing(tmp_path, name):
    whole = WRITERS[name](CLIPS)
    faults = {
        "can't be unpacked": (whole[: len(whole) // 2], "wave", None),
        "has no UCF-101": (whole, "UCF-101", None),
        "2 files where 3 or more": (whole, "", 3),
    }
    for text, (content, inside, least) in faults.items():
        path = written(tmp_path / "d" / name, content)
        with pytest.raises(ArtifactError, match=f"{name}: .*{text}|{name}: {text}"):
            unpack(path, inside, tmp_path / "out", least)
        assert [each.name for each in tmp_path.iterdir()] == ["d"]


@pytest.mark.parametrize("name", WRITERS)
def test_nothing_is_written_outside(tmp_path, name):
    content = WRITERS[name]({"a/x": b"x", "../../evil": b"evil"})
    path = written(tmp_path / "d" / name, content)
    with suppress(ArtifactError):
        unpack(path, "", tmp_path / "in/out")
    outside = [each for each in tmp_path.rglob("*evil*")]
    assert all(each.is_relative_to(tmp_path / "in/out") for each in outside)


def test_a_damaged_file_of_a_rar_is_refused(tmp_path):
    content = rar.archive({"wave/a.avi": b"wave of hands"})
    path = written(tmp_path / "a.rar", content.replace(b"wave of", b"save of"))
    with pytest.raises(ArtifactError, match="a.rar: can't be unpacked"):
        unpack(path, "", tmp_path / "out")


def test_an_archive_that_a_disk_refuses_is_not_taken_for_damaged(tmp_path, monkeypatch):
    path = written(tmp_path / "a.zip", b"what was read of it")

    def refuse(*_):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(module.hashlib, "file_digest", refuse)
    with pytest.raises(ArtifactError, match=r"a\.zip: can't be read: ") as error:
        unpack(path, "", tmp_path / "out")
    assert not isinstance(error.value, module.DamagedError)


@pytest.fixture
def no_tool(monkeypatch):
    def setup(*_, **__):
        raise rarfile.RarCannotExec("no tool")

    monkeypatch.setattr(module.rarfile, "tool_setup", setup)


def test_what_rar_needs_is_said_before_the_download(no_tool):
    with pytest.raises(ArtifactError, match=r"UCF101.rar: .*unrar, unar, 7z or bsdtar"):
        check_tool("UCF101.rar")
    check_tool("x.zip")


def test_what_rar_needs_is_said_where_files_are_compressed(
    tmp_path, no_tool, monkeypatch
):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # nothing stays there
    path = written(tmp_path / "a.rar", rar.archive(CLIPS, compressed=True))
    with pytest.raises(ArtifactError, match="one of unrar"):
        unpack(path, "", tmp_path / "out")
    assert [each.name for each in tmp_path.iterdir()] == ["a.rar"]


def test_a_solid_rar_is_unpacked_by_hand(tmp_path):
    path = written(tmp_path / "a.rar", rar.archive(CLIPS, solid=True))
    with pytest.raises(ArtifactError, match="unpack it by hand: unrar x"):
        unpack(path, "", tmp_path / "out")
