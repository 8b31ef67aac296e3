"""Whatever a job imports of ours is in the digest of its code."""

import json
import re
import shutil
import subprocess

import pytest

from tests.workflow.checkout import TINY, command, environment, snakemake
from twinlens import provenance

pytestmark = pytest.mark.slow
MODULES = """
import atexit, json, pathlib, sys
sys.path.insert(0, "src")
import twinlens.plan
from twinlens import provenance

def modules(*names):
    found = provenance._closure([f"twinlens.{each}" for each in names])
    return " ".join(sorted(found))

twinlens.plan.code = modules
include: "Snakefile"

def write():
    jobs = [
        {
            "rule": job.rule.name,
            "out": list(job.output),
            "log": list(job.log),
            "code": job.params.get("code"),
        }
        for job in workflow.dag.jobs
    ]
    pathlib.Path("jobs.json").write_text(json.dumps(jobs))

atexit.register(write)
"""
"""A workflow that lists the modules in place of their digest, and its jobs."""
OUTSIDE = provenance.MOVES_NO_NUMBER | {"twinlens.cli"}
"""Words and pictures for people, and how a command line becomes a call."""


@pytest.fixture(scope="module")
def jobs(done, tmp_path_factory):
    """The jobs of the tiny world; of each rule one was run again, with its imports."""
    folder = tmp_path_factory.mktemp("digests") / "checkout"
    shutil.copytree(done, folder, symlinks=True)
    folder.joinpath("modules.smk").write_text(MODULES)
    snakemake(folder, "all", *TINY, "-n", "-q", "--forceall", "-s", "modules.smk")
    listed = json.loads((folder / "jobs.json").read_text())
    chosen = {each["rule"]: each["out"][0] for each in listed if each["out"]}
    for path in folder.rglob("results/tiny/logs/**/*.log"):
        path.unlink()
    subprocess.run(
        command(*chosen.values(), *TINY, "--force", "--rerun-triggers", "mtime"),
        cwd=folder,
        env=environment(folder) | {"PYTHONPROFILEIMPORTTIME": "1"},
        capture_output=True,
        timeout=3600,
        check=True,
    )
    return [each | {"imports": imports(folder, each["log"])} for each in listed]


def imports(folder, logs):
    """The modules of ours that a job imported, as its log says."""
    texts = [(folder / log).read_text() for log in logs if (folder / log).exists()]
    return {
        name
        for text in texts
        for name in re.findall(r"\| +(twinlens[\w.]*)$", text, re.MULTILINE)
    }


def test_every_module_that_a_job_imports_is_in_its_digest(jobs):
    ran = [each for each in jobs if each["imports"]]
    assert len({each["rule"] for each in ran}) > 17
    missing = {
        each["log"][0]: sorted(each["imports"] - set(each["code"].split()) - OUTSIDE)
        for each in ran
    }
    assert {log: names for log, names in missing.items() if names} == {}
