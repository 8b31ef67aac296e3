"""Pins, environments and metadata stay in step."""

import re
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def _pins():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pairs = [line.split("==") for line in lines if "==" in line and line[0] != "#"]
    return {_plain(name): version for name, version in pairs}


def _plain(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def _name(requirement):
    return _plain(re.match(r"[A-Za-z0-9_.-]+", requirement).group())


def _environment():
    found = yaml.safe_load((ROOT / "envs/twinlens.yaml").read_text())
    packages = next(
        item["pip"] for item in found["dependencies"] if isinstance(item, dict)
    )
    return dict(line.split("==") for line in packages)


def test_every_requirement_is_pinned():
    extras = PROJECT["optional-dependencies"].values()
    wanted = [*PROJECT["dependencies"], *(each for extra in extras for each in extra)]
    assert {_name(each) for each in wanted} <= set(_pins())


def test_torch_is_pinned_without_a_local_version():
    assert _pins()["torch"] == "2.13.0"


def test_the_conda_environment_holds_what_jobs_import():
    assert {_plain(name) for name in _environment()} == {
        _name(each) for each in PROJECT["dependencies"]
    }


def test_the_conda_environment_and_the_constraints_agree():
    pins = _pins()
    for name, version in _environment().items():
        assert pins[_plain(name)] == version, name


def test_every_rule_is_documented_and_complete():
    text = "".join(path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk"))
    rules = re.split(r"\nrule ", text)[1:]
    assert len(rules) > 8
    for rule in rules:
        name = rule.split(":")[0]
        for part in ('"""', "log:", "benchmark:", "conda:", "threads:", "resources:"):
            assert part in rule, f"{name} lacks {part}"


def test_versions_agree():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    source = (ROOT / "src/twinlens/__init__.py").read_text()
    assert f'__version__ = "{citation["version"]}"' in source
