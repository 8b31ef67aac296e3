import ast
import importlib.metadata
import os
import re
import subprocess
import sys
import tomllib
from collections import namedtuple
from pathlib import Path

import pytest
import yaml

from tests.plan import worlds
from twinlens import doctor, provenance
from twinlens.assets import needs
from twinlens.errors import ConfigError
from twinlens.plan import builds, overlays

SOURCE = Path(doctor.__file__).resolve().parents[1]
ROOT = SOURCE.parent
Usage = namedtuple("Usage", "total used free")


@pytest.fixture(autouse=True)
def at_root(monkeypatch):
    monkeypatch.chdir(ROOT)


@pytest.fixture
def roomy(monkeypatch):
    """A machine with space, a GPU and a compiler; what is given replaces some of it."""

    def machine(free=1 << 50, gpu=True, compiler="sh"):
        monkeypatch.setattr(
            doctor.shutil, "disk_usage", lambda _: Usage(1 << 50, 0, free)
        )
        monkeypatch.setattr(doctor.gpu, "present", lambda: gpu)
        monkeypatch.setattr(doctor, "COMPILERS", (compiler,))

    machine()
    return machine


def own(**entry):
    """A plan of one data set of its own, with a recogniser that resizes its frames."""
    changes = {"select__datasets": ["own"], "datasets__own": {"label": "Own", **entry}}
    views = {"crop": 80, "crops": 10, "size": [120, 90]}
    return worlds.plan(
        **changes,
        recognisers__tsn__views=views,
        recognisers__st_resnet__views={"size": [120, 90]},
    )


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
    lines = done.stdout.splitlines()
    assert done.returncode == 1
    assert done.stderr == ""
    assert all(line.startswith("MISSING ") for line in lines)
    assert len(doctor.requirements()) > 15
    for name in doctor.requirements():
        assert any(f"Python package {name}: " in line for line in lines)
    assert any("MISSING ffmpeg: install it" in line for line in lines)


def test_each_package_is_reported_with_its_remedy(monkeypatch):
    known = doctor._version
    monkeypatch.setattr(
        doctor, "_version", lambda name: "" if name == "flow-vis" else known(name)
    )
    (line,) = doctor.installation()
    assert (
        line == "Python package flow-vis: run `make setup`, or `pip install flow-vis`"
    )


def test_a_second_opencv_is_reported(monkeypatch):
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


def test_an_installed_package_names_the_same_requirements(monkeypatch):
    before = doctor.requirements()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [f'{each}; extra == "dev"' for each in project["optional-dependencies"]]
    monkeypatch.setattr(doctor, "CHECKOUT", ROOT / "nothing.toml")
    monkeypatch.setattr(
        doctor.importlib.metadata,
        "requires",
        lambda _: project["dependencies"] + extras,
    )
    assert doctor.requirements() == before


def test_every_package_that_jobs_import_is_a_dependency():
    imported = set()
    for path in (SOURCE / "twinlens").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                imported.add(node.module.split(".")[0])
    # Halves of others, in one version with them: numba's intrinsics are written in
    # llvmlite, and pydantic's types are pydantic_core's.
    halves = {"llvmlite", "pydantic_core"}
    known_to_type_checkers = {"_typeshed"}
    ours = {folder.name for folder in SOURCE.iterdir()}
    foreign = imported - ours - halves - known_to_type_checkers
    foreign -= sys.stdlib_module_names
    owners = importlib.metadata.packages_distributions()
    needed = {plain(name) for name in doctor.requirements()}
    for name in foreign:
        assert needed & {plain(each) for each in owners[name]}, name


def plain(name):
    return re.sub("[-_.]+", "-", name).lower()


def test_too_little_disk_is_reported(roomy):
    roomy(free=1000)
    (line,) = doctor.machine(worlds.plan())
    assert "GiB of disk" in line
    assert "keep: false" in line


def test_a_gpu_that_is_absent_is_reported(roomy):
    roomy(gpu=False)
    (line,) = doctor.machine(worlds.plan(resources__gpus=1))
    assert line.startswith("a GPU: resources.gpus is 1")
    assert line.endswith("set resources.gpus: 0")


def test_tv_l1_on_a_gpu_needs_a_compiler(roomy):
    roomy(compiler="no-such-compiler")
    (line,) = doctor.machine(worlds.plan(resources__gpus=1))
    assert line.startswith("a C compiler (no-such-compiler), by which tvl1 is")
    assert list(doctor.machine(worlds.plan())) == []
    on_cpu = {"resources__gpus": 1, "flows__tvl1__device": "cpu"}
    assert list(doctor.machine(worlds.plan(**on_cpu))) == []


def test_no_gpu_is_needed_where_none_is_asked_for(roomy):
    roomy(gpu=False)
    assert list(doctor.machine(worlds.plan())) == []


def test_a_login_node_needs_a_disk_but_no_gpu(tmp_path, roomy, capsys):
    roomy(free=0, gpu=False)
    given = ["--config", str(ROOT / "config/paper.yaml"), "--data", str(tmp_path)]
    assert doctor.main(["--cluster", *given]) == 1
    said = capsys.readouterr().out
    assert "GiB of disk" in said
    assert "a GPU" not in said


def test_the_videos_of_a_data_set_count_on_the_disk(roomy, tmp_path):
    """Those that are listed: not what else lies there."""
    for name in ("a/1.avi", "a/2.avi", "b/1.avi", "b/2.avi", "b/x.bin", "c/1.avi"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        with (tmp_path / name).open("wb") as file:
            os.truncate(file.fileno(), 1 << 30)
    plan = own(kind="folder", videos=str(tmp_path), classes=["a", "b"])
    roomy(free=100 << 30)
    (line,) = doctor.machine(plan)
    assert line.startswith("160.5 GiB of disk")


def test_a_generated_set_may_leave_its_size_to_the_default(roomy):
    plan = worlds.plan(datasets__workshop__generated={"kind": "action"})
    assert list(doctor.machine(plan)) == []


def test_all_that_the_papers_world_lacks_is_listed_at_once(tmp_path, roomy, capsys):
    roomy(free=0, gpu=False)
    overlay = ROOT / "config/paper.yaml"
    assert doctor.main(["--config", str(overlay), "--data", str(tmp_path)]) == 1
    lines = capsys.readouterr().out.splitlines()
    for what in ("disk", "a GPU"):
        assert any(what in line for line in lines)
    for name in ("ucf101", "hmdb51"):
        for key in ("videos", "splits"):
            start = f"MISSING {key} of data set {name}: looked for {tmp_path}/"
            (line,) = [line for line in lines if line.startswith(start)]
            assert f"set datasets.{name}.{key}, or --config data=FOLDER" in line
        for stream in ("spatial", "temporal"):
            start = f"MISSING weights of tsn, {stream} of {name}: looked for {tmp_path}"
            (line,) = [line for line in lines if line.startswith(start)]
            assert line.endswith("put it there, or set recognisers.tsn")


def test_what_is_there_is_not_missing(tmp_path):
    for name in ("videos", "splits"):
        (tmp_path / name).mkdir()
    entry = {name: str(tmp_path / name) for name in ("videos", "splits")}
    assert needs.missing(own(kind="ucf101", **entry)) == []


def test_a_data_set_without_videos_is_reported():
    assert needs.missing(own(kind="folder")) == [
        "videos of data set own: set datasets.own.videos"
    ]


def test_a_data_set_that_is_not_selected_is_not_missed():
    other = {"label": "Own", "kind": "folder", "videos": "/nowhere"}
    assert needs.missing(worlds.plan(datasets__own=other)) == []


def test_a_missing_image_network_is_reported():
    plan = worlds.plan(recognisers__tsn__init="/nowhere/net.pt")
    assert needs.missing(plan) == [
        "weights of tsn, images: looked for /nowhere/net.pt; put it there, or set"
        " recognisers.tsn"
    ]


def test_a_missing_overlay_is_reported_in_a_line():
    with pytest.raises(ConfigError, match=r"/no\.yaml: .*No such"):
        doctor.main(["--config", "/no.yaml"])


def test_an_overlay_that_is_no_yaml_is_reported_in_a_line(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text("a: [1\n")
    with pytest.raises(ConfigError, match=r"x\.yaml: "):
        doctor.main(["--config", str(path)])


def test_a_mistyped_key_is_reported(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text("resources: {gpu: 1}\n")
    with pytest.raises(ConfigError, match="resources: unknown key 'gpu'; did you mean"):
        doctor.main(["--config", str(path)])


def test_in_another_folder_the_checkout_s_config_is_the_base(
    tmp_path, monkeypatch, roomy, capsys
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(builds, "faults", lambda _: [])
    mine = tmp_path / "mine.yaml"
    entry = {"label": "Own", "kind": "folder", "videos": "/nowhere"}
    views = {"views": {"size": [120, 90], "crop": 80}}
    overlay = {
        "select": {"datasets": ["own"], "recognisers": ["tsn"]},
        "datasets": {"own": entry},
        "recognisers": {"tsn": views},
    }
    mine.write_text(yaml.safe_dump(overlay))
    assert doctor.main(["--config", str(mine)]) == 1
    assert (
        "MISSING videos of data set own: looked for /nowhere" in capsys.readouterr().out
    )


def test_a_config_of_the_folder_lies_over_the_checkout_s(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("config.yaml").write_text("seed: 7\n")
    assert overlays.plan([]).world.seed == 7
    assert overlays.plan([ROOT / "config/tiny.yaml"]).world.world == "tiny"


def test_installed_without_the_workflow_a_config_is_not_called_complete(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(provenance, "SOURCE", tmp_path / "site-packages")
    with pytest.raises(ConfigError, match=r"config\.yaml: .*in the folder of"):
        doctor.main(["--config", str(ROOT / "config/tiny.yaml")])
    assert doctor.main([]) == 0
    assert "no config.yaml here" in capsys.readouterr().out


def test_overlays_merge_mappings_and_replace_lists(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text("select: {methods: [hr]}\n")
    merged = overlays.merged([ROOT / "config.yaml", path])
    assert merged["select"] == {**worlds.DEFAULT["select"], "methods": ["hr"]}
