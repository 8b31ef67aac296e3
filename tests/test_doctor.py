import copy
import os
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest
import yaml

from twinlens import doctor

SOURCE = Path(doctor.__file__).resolve().parents[1]
ROOT = SOURCE.parent
CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())
Usage = namedtuple("Usage", "total used free")


@pytest.fixture(autouse=True)
def at_root(monkeypatch):
    monkeypatch.chdir(ROOT)


@pytest.fixture
def roomy(monkeypatch):
    """A machine with space, memory and a GPU; what is given replaces some of it."""

    def machine(free=1 << 50, memory=1 << 45, gpu=True):
        monkeypatch.setattr(
            doctor.shutil, "disk_usage", lambda _: Usage(1 << 50, 0, free)
        )
        monkeypatch.setattr(
            doctor.os, "sysconf", lambda key: 1 if "SIZE" in key else memory
        )
        monkeypatch.setattr(doctor, "_gpu", lambda: gpu)

    machine()
    return machine


def world(**changes):
    config = copy.deepcopy(CONFIG)
    for key, value in changes.items():
        config[key] = {**config[key], **value} if isinstance(value, dict) else value
    return config


def without_packages(code):
    """Run code where only the standard library and our source can be imported."""
    return subprocess.run(
        [sys.executable, "-S", "-E", "-c", code],
        env={"PYTHONPATH": "", "PATH": ""},
        cwd=SOURCE,
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_needs_the_standard_library_only_and_lists_all_that_is_missing():
    done = without_packages("from twinlens.cli import main; main(['doctor'])")
    told = done.stdout.splitlines()
    assert done.returncode == 1
    assert done.stderr == ""
    assert all(line.startswith("MISSING ") for line in told)
    for name in doctor.PACKAGES.values():
        assert any(f"Python package {name}: " in line for line in told)
    assert any("MISSING ffmpeg: install it" in line for line in told)


def test_each_package_is_told_with_its_mend(monkeypatch):
    monkeypatch.setattr(doctor, "_there", lambda name: name != "flow_vis")
    (line,) = doctor.installation()
    assert (
        line == "Python package flow-vis: run `make setup`, or `pip install flow-vis`"
    )


def test_a_second_opencv_is_told(monkeypatch):
    def version(name):
        if name == "opencv-python":
            return "4.12"
        raise doctor.importlib.metadata.PackageNotFoundError

    monkeypatch.setattr(doctor.importlib.metadata, "version", version)
    (line,) = doctor._opencv()
    assert "`pip uninstall opencv-python`" in line


def test_nothing_is_missing_for_the_default_config(roomy, capsys):
    assert doctor.main([]) == 0
    assert capsys.readouterr().out == "nothing is missing\n"


def test_every_package_that_jobs_import_is_a_dependency():
    project = (ROOT / "pyproject.toml").read_text().lower()
    for name in doctor.PACKAGES.values():
        assert f'"{name}' in project


def test_too_little_disk_is_told(roomy):
    roomy(free=1000)
    (line,) = doctor.machine(CONFIG)
    assert "GiB of disk" in line
    assert "keep: false" in line


def test_too_little_memory_is_told(roomy):
    roomy(memory=1 << 30)
    (line,) = doctor.machine(CONFIG)
    assert line.startswith("3.9 GiB of memory on this machine, for one training job")
    assert "there are 1.0 GiB; lower it" in line


def test_a_gpu_that_is_absent_is_told(roomy):
    roomy(gpu=False)
    (line,) = doctor.machine(world(resources={"gpus": 1}))
    assert line.startswith("a GPU: resources.gpus is 1")
    assert line.endswith("set resources.gpus: 0")


def test_no_gpu_is_needed_where_none_is_asked_for(roomy):
    roomy(gpu=False)
    assert list(doctor.machine(CONFIG)) == []


def test_the_videos_of_a_data_set_count_on_the_disk(roomy, tmp_path):
    with (tmp_path / "v.avi").open("wb") as file:
        os.truncate(file.fileno(), 1 << 32)
    config = world(
        select={"datasets": ["own"]}, datasets={"own": {"videos": str(tmp_path)}}
    )
    roomy(free=100 << 30)
    (line,) = doctor.machine(config)
    assert line.startswith("160.5 GiB of disk")


def test_a_generated_set_may_leave_its_size_to_the_default(roomy):
    config = world(
        select={"datasets": ["own"]},
        datasets={"own": {"generated": {"kind": "action"}}},
    )
    assert list(doctor.machine(config)) == []


def test_all_that_the_papers_world_lacks_is_told_at_once(tmp_path, roomy, capsys):
    roomy(free=0, memory=0, gpu=False)
    overlay = ROOT / "config/paper.yaml"
    assert doctor.main(["--config", str(overlay), "--data", str(tmp_path)]) == 1
    told = capsys.readouterr().out.splitlines()
    for what in ("disk", "memory", "a GPU"):
        assert any(what in line for line in told)
    for name in ("ucf101", "hmdb51"):
        for key in ("videos", "splits"):
            start = f"MISSING {key} of data set {name}: looked for {tmp_path}/"
            (line,) = [line for line in told if line.startswith(start)]
            assert f"set datasets.{name}.{key}, or --config data=FOLDER" in line
        for stream in ("spatial", "temporal"):
            start = f"MISSING {stream} weights of {name}: looked for {tmp_path}/weights"
            (line,) = [line for line in told if line.startswith(start)]
            assert line.endswith(f"or set recogniser.weights.{name}.{stream}")


def test_what_is_there_is_not_missing(tmp_path):
    for name in ("videos", "splits"):
        (tmp_path / name).mkdir()
    entry = {name: str(tmp_path / name) for name in ("videos", "splits")}
    config = world(select={"datasets": ["own"]}, datasets={"own": entry})
    assert doctor.assets(config) == []


def test_a_data_set_without_videos_is_told():
    config = world(select={"datasets": ["own"]}, datasets={"own": {"kind": "folder"}})
    assert doctor.assets(config) == ["videos of data set own: set datasets.own.videos"]


def test_a_data_set_that_is_not_selected_is_not_missed():
    config = world(datasets={"own": {"kind": "folder", "videos": "/nowhere"}})
    assert doctor.assets(config) == []


def test_a_missing_image_network_is_told():
    (line,) = doctor.assets(world(recogniser={"init": "/nowhere/net.pt"}))
    assert line == (
        "image network: looked for /nowhere/net.pt; put it there, or set"
        " recogniser.init"
    )


def test_a_missing_overlay_is_told_in_a_line():
    with pytest.raises(SystemExit, match="twinlens doctor: /no.yaml: .*No such file"):
        doctor.main(["--config", "/no.yaml"])


def test_an_overlay_that_is_no_yaml_is_told_in_a_line(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text("a: [1\n")
    with pytest.raises(SystemExit, match="twinlens doctor: .*x.yaml: "):
        doctor.main(["--config", str(path)])


def test_a_mistyped_key_is_told(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text("resources: {gpu: 1}\n")
    with pytest.raises(SystemExit, match="resources: unknown key 'gpu'; did you mean"):
        doctor.main(["--config", str(path)])


def test_overlays_merge_mappings_and_replace_lists(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text("select: {methods: [hr]}\n")
    merged = doctor._config([path], None)
    assert merged["select"] == {**CONFIG["select"], "methods": ["hr"]}
