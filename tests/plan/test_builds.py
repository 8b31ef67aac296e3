"""Networks that refuse their settings are found before the first job."""

import subprocess

import pytest

from tests.plan.worlds import plan
from twinlens.plan import builds


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def with_settings(**settings):
    """The default world, a network of which has some settings."""
    return plan(starts__duf16__settings=settings)


@pytest.mark.slow
def test_settings_that_no_annotation_forbids_are_found_by_building():
    (line,) = builds.faults(with_settings(depth=15))
    assert line == "starts.duf16.settings: VSR-DUF of 15 layers: even, and 10 or more"


@pytest.mark.slow
def test_sound_networks_are_built_once(monkeypatch):
    builds.BUILT.parent.mkdir()  # as the workflow makes it
    assert builds.faults(with_settings()) == []
    monkeypatch.setattr(subprocess, "run", None)
    assert builds.faults(with_settings()) == []


def test_outside_a_folder_of_the_workflow_nothing_is_written(monkeypatch, tmp_path):
    done = subprocess.CompletedProcess([], 0, stdout="", stderr="")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: done)
    assert builds.faults(with_settings()) == []
    assert list(tmp_path.iterdir()) == []


def test_every_network_that_learns_is_built():
    found = {each.where: each for each in with_settings().networks.builds()}
    assert found["starts.duf16.settings"].kind == "duf"
    assert found["recognisers.tsn.training.spatial.settings"].settings["classes"] == 2
