"""Copies of the repository in which tests run the workflow."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PARTS = (
    "Snakefile",
    "config.yaml",
    "config",
    "workflow",
    "profiles",
    "slurm",
    "envs",
    "src",
)


def copy(folder):
    """A checkout without results, of its own so that its source can be edited."""
    folder.mkdir(parents=True, exist_ok=True)
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            ignore = shutil.ignore_patterns("__pycache__", "*.egg-info")
            shutil.copytree(source, folder / part, ignore=ignore)
        else:
            shutil.copy(source, folder / part)
    return folder


def command(*words):
    """Snakemake of this Python's environment."""
    return [str(Path(sys.executable).with_name("snakemake")), *map(str, words)]


def environment(folder):
    """The checkout's source, and none of the caller's workflow."""
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return {**kept, "XDG_CACHE_HOME": str(folder / ".cache")}


def snakemake(folder, *words, check=True, timeout=3600):
    """Run Snakemake in a checkout and give what it printed."""
    done = subprocess.run(
        command(*words),
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    said = done.stdout + done.stderr
    assert not check or done.returncode == 0, said[-6000:]
    return said


def planned(folder, *words, overlays=()):
    """How many jobs of each rule a dry run of the tiny world plans."""
    said = snakemake(folder, "all", *TINY, *overlays, "-n", *words)
    if "Nothing to be done" in said:
        return {}
    line = next(line for line in said.splitlines() if " steps to do: " in line)
    parts = (part.split() for part in line.split(": ")[1].split(", "))
    return {rule: int(count) for count, rule in parts}


TINY = ("--cores", "2", "--configfile", "config/tiny.yaml")
"""More overlays may follow."""
