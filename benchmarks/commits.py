"""How long each stage of the tiny world takes beside another commit.

python benchmarks/commits.py OLD [--new HEAD] [--rounds 2] [--target results/table3.csv]

Both commits make the target from nothing, in turns, with this Python's packages.
Printed are the CPU seconds of a stage's jobs, the smaller of the rounds, and new over
old.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
from stages import stages
from tqdm import tqdm

ROOT = Path(__file__).parent.parent


def run(commit: str, target: str, folder: Path) -> pd.Series:
    """CPU seconds by stage of a cold run, and the wall time of all."""
    subprocess.run(["git", "clone", "-q", ROOT, folder], check=True)
    subprocess.run(["git", "checkout", "-q", commit], cwd=folder, check=True)
    environment = os.environ | {"PYTHONPATH": str(folder / "src")}
    words = [target, "--configfile", "config/tiny.yaml", "--cores", "2"]
    begun = time.perf_counter()
    done = subprocess.run(
        [Path(sys.executable).with_name("snakemake"), *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - begun
    if done.returncode:
        sys.exit(f"{commit} failed:\n{done.stderr[-3000:]}")
    found = stages(folder / "results/tiny")["cpu_s"]
    shutil.rmtree(folder)
    return pd.concat([found, pd.Series({"all, wall": seconds})])


def compare(old: str, new: str, target: str, rounds: int) -> pd.DataFrame:
    """Seconds of both commits and their ratio, by stage."""
    runs: dict[str, list[pd.Series]] = {"old": [], "new": []}
    turns = [pair for _ in range(rounds) for pair in (("old", old), ("new", new))]
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, commit) in enumerate(tqdm(turns, unit="run")):
            runs[name].append(run(commit, target, Path(folder) / str(number)))
    best = {name: pd.DataFrame(each).min() for name, each in runs.items()}
    found = pd.DataFrame(best).dropna()
    return found.assign(ratio=found["new"] / found["old"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("old")
    parser.add_argument("--new", default="HEAD")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--target", default="results/table3.csv")
    given = parser.parse_args()
    said = compare(given.old, given.new, given.target, given.rounds)
    print(said.to_string(float_format=lambda value: f"{value:.2f}"))
