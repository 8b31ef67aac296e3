"""Pins, environments and metadata stay in step."""

import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from snakemake_executor_plugin_slurm.utils import time_to_seconds

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCK = (ROOT / "requirements.lock").read_text()
spec = importlib.util.spec_from_file_location("derive", ROOT / "envs/derive.py")
derive = importlib.util.module_from_spec(spec)
spec.loader.exec_module(derive)
PINS = derive.pins()


def _wanted():
    """What pyproject.toml asks for, extras included."""
    extras = PROJECT["optional-dependencies"].values()
    lines = [*PROJECT["dependencies"], *(each for extra in extras for each in extra)]
    return [Requirement(each) for each in lines]


def _needed():
    """Names of all that these requirements bring on this machine."""
    found, waiting = set(), _wanted()
    while waiting:
        wanted = waiting.pop()
        key = derive.plain(wanted.name), frozenset(wanted.extras)
        if key not in found:
            found.add(key)
            for line in importlib.metadata.requires(wanted.name) or ():
                each, extras = Requirement(line), {"", *wanted.extras}
                if not each.marker or any(
                    each.marker.evaluate({"extra": extra}) for extra in extras
                ):
                    waiting.append(each)
    return {name for name, _ in found}


def test_every_requirement_is_pinned_to_a_version_that_it_takes():
    for wanted in _wanted():
        assert wanted.specifier.contains(PINS[derive.plain(wanted.name)]), wanted.name


def test_all_is_pinned_that_is_installed_and_nothing_else():
    needed = _needed()
    assert needed <= PINS.keys()
    elsewhere = set(re.findall(r"^([\w.-]+)==\S+ ;", LOCK, re.M))
    assert PINS.keys() - needed <= elsewhere, "run `make lock`"


def test_torch_is_pinned_without_a_local_version_or_hash():
    assert PINS["torch"] == "2.13.0"
    assert "\ntorch==" not in LOCK


def test_every_other_pin_has_hashes_and_the_lock_names_no_index():
    for entry in re.split(r"\n(?=\w)", LOCK)[1:]:
        assert "--hash=sha256:" in entry, entry
    assert "://" not in LOCK


def test_the_conda_environment_is_made_from_the_lock():
    words = [sys.executable, ROOT / "envs/derive.py"]
    output = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert (ROOT / "envs/twinlens.yaml").read_text() == output, "run `make lock`"
    (packages,) = (
        item["pip"]
        for item in yaml.safe_load(output)["dependencies"]
        if isinstance(item, dict)
    )
    extra = PROJECT["optional-dependencies"]["workflow"]
    assert len(packages) == len(PROJECT["dependencies"]) + len(extra)
    assert any(each.startswith("snakemake==") for each in packages)


@pytest.mark.parametrize("name", ["Dockerfile", "twinlens.def"])
def test_a_container_installs_the_lock_itself(name):
    recipe = (ROOT / "containers" / name).read_text()
    assert "python:3.11-slim" in recipe
    assert "python=3.11" in (ROOT / "envs/twinlens.yaml").read_text()
    installed = re.findall(r"pip install (.*)", recipe)
    lock, torch = (each.removesuffix("\\").split() for each in installed)
    assert lock[1:] == [*HASHED, "-r", "/twinlens/requirements.lock"]
    assert torch[1:] == ["-r", "/twinlens/requirements-torch.txt"]


HASHED = ["--require-hashes", "--no-deps"]


def test_every_rule_is_documented_and_complete():
    rules = _rules()
    assert len(rules) > 8
    for name, rule in rules.items():
        for part in ('"""', "log:"):
            assert part in rule, f"{name} lacks {part}"
        # What shares a machine's processors also says whether it takes a GPU or reads.
        assert "threads:" not in rule or "resources:" in rule, name


def test_all_rules_run_in_the_environment_that_is_made_from_the_lock():
    snakefile = (ROOT / "Snakefile").read_text()
    assert (
        "    for each in workflow.rules:\n        each.conda_env = ENV\n" in snakefile
    )
    assert "    each.container_img = IMAGE\n" in snakefile
    common = (ROOT / "workflow/rules/common.smk").read_text()
    assert "envs/twinlens.yaml" in common


def test_a_cluster_s_classes_of_jobs_are_rules():
    profile = yaml.safe_load((ROOT / "slurm/config.yaml").read_text())
    assert set(profile["set-resources"]) <= set(_rules())
    for asked in [profile["default-resources"], *profile["set-resources"].values()]:
        assert {"mem_mb", "runtime"} <= set(asked)
        # A job that was ended for asking too little asks for more.
        assert _asked(asked["mem_mb"], 2) == 2 * _asked(asked["mem_mb"], 1)
        assert _asked(asked["runtime"], 2) == 2 * _asked(asked["runtime"], 1)


def test_no_attempt_asks_for_more_than_the_example_s_partitions_allow():
    profile = yaml.safe_load((ROOT / "slurm/config.yaml").read_text())
    limits = yaml.safe_load((ROOT / "slurm/partitions.yaml").read_text())
    attempt = profile["retries"] + 1
    for asked in [profile["default-resources"], *profile["set-resources"].values()]:
        for partition in limits["partitions"].values():
            minutes = time_to_seconds(partition["max_runtime"]) / 60
            assert _asked(asked["runtime"], attempt) <= minutes
            assert _asked(asked["mem_mb"], attempt) <= partition["max_mem_mb"]


def _asked(expression, attempt):
    """What a resource of the profile comes to, as Snakemake evaluates it."""
    return eval(str(expression), {"attempt": attempt})


def test_a_cluster_s_status_is_asked_of_the_queue():
    """Accounting hangs the executor: see docs/cluster.md."""
    profile = yaml.safe_load((ROOT / "slurm/config.yaml").read_text())
    assert profile["slurm-status-command"] == "squeue"
    assert profile["slurm-requeue"] is True
    assert profile["default-resources"]["nodes"] == 1


def _rules():
    """The text of each rule by its name."""
    text = "".join(path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk"))
    return {each.split(":")[0]: each for each in re.split(r"\nrule ", text)[1:]}


def test_versions_agree():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    source = (ROOT / "src/twinlens/__init__.py").read_text()
    assert f'__version__ = "{citation["version"]}"' in source


def test_make_installs_again_when_the_lock_says_something_else(tmp_path):
    """Also where size and time of the file are kept."""
    for name in ("Makefile", "pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copy(ROOT / "requirements-torch.txt", tmp_path)

    def make(*arguments):
        command = ["make", "-C", str(tmp_path), *arguments, "setup"]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    (stamp,) = re.findall(r"touch (\S+)", make("-n").stdout)
    (tmp_path / ".venv").mkdir()
    (tmp_path / stamp).touch()
    assert make("-q").returncode == 0
    lock = tmp_path / "requirements.lock"
    then, text = lock.stat(), lock.read_text()
    lock.write_text(text.replace("numpy==2", "numpy==1"))
    os.utime(lock, ns=(then.st_atime_ns, then.st_mtime_ns))
    assert lock.stat().st_size == then.st_size
    assert make("-q").returncode == 1
