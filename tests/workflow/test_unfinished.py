"""A job that failed or was killed is never forgotten, whatever stands behind it."""

import subprocess
import time

import pytest

from tests.workflow.checkout import ROOT, command

pytestmark = pytest.mark.slow
CHAIN = f"""
import functools
include: "{ROOT}/workflow/rules/unfinished.smk"
rule all:
    input: "c.txt"
rule a:
    output: "a.txt"
    params: value=config["value"]
    shell:
        "sleep {{params.value}}; [ {{params.value}} != 1 ];"
        " echo {{params.value}} > {{output}}"
rule b:
    input: "a.txt"
    output: temp("b.txt")
    shell: "[ $(cat a.txt) != 0.2 ]; cp {{input}} {{output}}"
rule c:
    input: "b.txt"
    output: "c.txt"
    shell: "cp {{input}} {{output}}"
"""


@pytest.fixture
def run(tmp_path):
    """Run the chain with a value: its exit status and the table behind it."""
    (tmp_path / "Snakefile").write_text(CHAIN)
    words = ["all", "--cores", "1", "--rerun-incomplete", "--configfile", "c.yaml"]

    def with_value(value, timeout=None, extra=()):
        (tmp_path / "c.yaml").write_text(f"value: {value}")
        process = subprocess.Popen(
            command(*words, *extra),
            cwd=tmp_path,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            status = process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            status = process.wait()
        table = tmp_path / "c.txt"
        return status, table.read_text().strip() if table.exists() else ""

    return with_value


def test_a_job_that_failed_fails_again_until_it_is_repaired(run):
    assert run(0) == (0, "0")
    assert run(1) == (1, "0")
    assert run(1) == (1, "0")
    assert run(0.1) == (0, "0.1")
    assert run(0.1) == (0, "0.1")


def test_a_failed_job_of_a_file_that_is_not_kept_is_not_forgotten(run):
    assert run(0) == (0, "0")
    assert run(0.2) == (1, "0")
    assert run(0.2) == (1, "0")
    assert run(0) == (0, "0")


def test_a_killed_job_is_not_forgotten(run, tmp_path):
    assert run(0) == (0, "0")
    run(3600, timeout=15)
    assert not (tmp_path / "a.txt").exists()
    time.sleep(1)
    run(3600, extra=["--unlock"])
    assert run(0.1) == (0, "0.1")
