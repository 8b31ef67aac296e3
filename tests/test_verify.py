"""Damaged and stale artifacts are named, and nothing else is."""

import gc
import os
from pathlib import Path

import h5py
import pandas as pd
import pytest

from tests.artifacts.made import write
from tests.plan import worlds
from tests.training import runs
from twinlens import cli, verify
from twinlens.artifacts import reader
from twinlens.artifacts.table import write_csv
from twinlens.media.ffmpeg import sha1


def found(root):
    return list(verify.problems(verify.artifacts(root)))


@pytest.fixture
def world(tmp_path, monkeypatch):
    """A network that was trained from patches, a shard, a manifest of one video."""
    monkeypatch.chdir(tmp_path)
    root = tmp_path / "results/made"
    runs.train(root / "networks")
    write(root / "frames/test-00.h5")
    video = tmp_path / "a.avi"
    video.write_bytes(b"video")
    row = {"clip": "c/a", "path": str(video), "sha1": sha1(video), "status": "ok"}
    path = root / "manifest/yard/manifest.csv"
    path.parent.mkdir(parents=True)
    write_csv(path, "manifest/1", pd.DataFrame([row]))
    return root


def test_a_sound_world_has_no_fault(world):
    (world / "networks/.x.h5.tmp").write_text("hidden")
    (world / "table3.csv").write_text("# twinlens table 3\nMethod\n")
    (world / "networks/net-log/version_0").mkdir(parents=True)
    (world / "networks/net-log/version_0/metrics.csv").write_text("step\n")
    assert found(world) == []
    names = {path.name for path in verify.artifacts(world)}
    assert {"net.h5", "net.csv", "test-00.h5", "manifest.csv"} <= names
    assert ".x.h5.tmp" not in names


def test_an_artifact_made_from_another_input_is_stale(world):
    with reader.open(world / "networks/net.h5") as file:
        (patches,) = map(Path, file.about["inputs"])
    write(patches, about={"id": "f" * 32, "inputs": {}})
    (line,) = found(world)
    assert line.startswith(
        f"{world}/networks/net.h5: stale: made from another {patches}"
    )
    assert line.endswith("ffffffffffff now)")
    patches.unlink()
    assert found(world) == []


def test_other_values_than_were_written_are_found(world):
    path = world / "frames/test-00.h5"
    with h5py.File(path, "a") as file:
        frames = file["clip"]["d"]["frames"]
        frames[0, 0, 0, 0] = 255 - frames[0, 0, 0, 0]
    (line,) = found(world)
    assert line.startswith(f"{path}: is damaged (other values at /clip/d/frames")


def test_a_cut_csv_is_found(world):
    path = world / "networks/net.csv"
    path.write_bytes(path.read_bytes()[:-3])
    (line,) = found(world)
    assert "net.csv: was cut off or edited" in line


def test_what_lies_in_a_linked_folder_is_looked_at(world, tmp_path):
    (world / "networks/net.csv").write_bytes(b"")
    (world / "networks").rename(tmp_path / "scratch")
    (world / "networks").symlink_to(tmp_path / "scratch")
    (line,) = found(world)
    assert line.startswith(f"{world}/networks/net.csv: ")


def test_a_video_whose_bytes_changed_is_found_though_size_and_time_did_not(world):
    video = world.parents[1] / "a.avi"
    times = video.stat()
    video.write_bytes(b"VIDEO")
    os.utime(video, ns=(times.st_atime_ns, times.st_mtime_ns))
    (line,) = found(world)
    assert line.endswith("a.avi has other bytes than those that were decoded")
    video.unlink()
    (line,) = found(world)
    assert line.endswith("a.avi is gone; c/a was decoded from it")


def test_the_command_ends_with_what_it_found(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text((worlds.ROOT / "config.yaml").read_text())
    root = tmp_path / "results/playground"
    write(root / "frames/test-00.h5")
    with pytest.raises(SystemExit) as caught:
        cli.main(["verify"])
    assert caught.value.code == 0
    assert "1 files looked at, 0 faults" in capsys.readouterr().out
    (root / "frames/test-00.h5").write_bytes(b"")
    with pytest.raises(SystemExit) as caught:
        cli.main(["verify"])
    assert caught.value.code == 1


@pytest.mark.parametrize("content", [b"", b"\0" * 40])
def test_an_emptied_csv_is_found(world, content):
    path = world / "networks/net.csv"
    path.write_bytes(content)
    (line,) = found(world)
    assert line.startswith(f"{path}: does not begin as a file of twinlens")


def test_a_damaged_input_is_said_with_what_was_made_from_it(world):
    with reader.open(world / "networks/net.h5") as file:
        (patches,) = map(Path, file.about["inputs"])
    gc.collect()  # readers of the training that made it
    with h5py.File(patches, "a") as file:
        file.attrs["about"] = "{}"
    lines = found(world)
    assert any("networks/net.h5: made from what can't be used now" in s for s in lines)
    assert any(line.startswith(f"{patches}: ") for line in lines)


def test_a_world_that_is_not_there_is_a_fault(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text((worlds.ROOT / "config.yaml").read_text())
    with pytest.raises(SystemExit) as caught:
        cli.main(["verify"])
    assert caught.value.code == 1
    assert "0 files looked at" in capsys.readouterr().out
