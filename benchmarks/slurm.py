"""How long a table takes through Slurm, beside the same table without it.

python -m benchmarks.slurm [--target results/table3.csv] [--configfile config/tiny.yaml]

Needs what `make test-slurm` needs. Both runs start from nothing on two cores of this
machine, one after the other: with `--cores 2`, and through the profile on an emulated
node of two CPUs. Printed are their wall times, and what a job of Slurm took beside the
work that it recorded.
"""

import argparse
import io
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

from benchmarks.stages import stages
from tests.slurm import cluster as slurm
from tests.workflow.checkout import command, copy, environment


def run(words: list[str], folder: Path, extra: dict[str, str]) -> float:
    """Wall seconds of a cold run in a checkout; its words go to run.log."""
    copy(folder)
    begun = time.perf_counter()
    with (folder / "run.log").open("w") as log:
        done = subprocess.run(
            command(*words),
            cwd=folder,
            env=environment(folder) | extra,
            stdout=log,
            stderr=log,
            check=False,
        )
    if done.returncode:
        sys.exit(f"failed:\n{(folder / 'run.log').read_text()[-3000:]}")
    return time.perf_counter() - begun


def leave_one_node(cluster: slurm.Cluster) -> None:
    """Let CPU jobs start on one node only: the machine's cores are no more."""
    names = ",".join(slurm.NODES[1:])
    cluster("scontrol", "update", f"node={names}", "state=drain", "reason=benchmark")


def accounted(cluster: slurm.Cluster) -> pd.DataFrame:
    """Of each job that Slurm ran: seconds in the queue, of wall time, of CPU time."""
    dates = ["Submit", "Start", "End"]
    # With -X, which leaves the steps out, their CPU time is left out of the job's.
    fields = ",".join(["JobID", "TotalCPU", *dates])
    table = cluster("sacct", "-P", "-D", "-S", "now-2days", "-o", fields)
    rows = pd.read_csv(io.StringIO(table), sep="|", dtype=str)
    jobs = rows[~rows["JobID"].str.contains(".", regex=False)].copy()
    jobs[dates] = jobs[dates].apply(pd.to_datetime)
    return pd.DataFrame(
        {
            "queue_s": (jobs["Start"] - jobs["Submit"]).dt.total_seconds(),
            "wall_s": (jobs["End"] - jobs["Start"]).dt.total_seconds(),
            "cpu_s": jobs["TotalCPU"].map(seconds),
        }
    )


def seconds(text: str) -> float:
    """Seconds of a duration in Slurm's form, [[hours:]minutes:]seconds."""
    parts = [float(part) for part in text.split(":")]
    return sum(part * 60**power for power, part in enumerate(reversed(parts)))


def compare(target: str, configs: list[str], root: Path) -> pd.Series:
    """Wall times of both runs, and a job's cost beside its work."""
    words = [target, *(["--configfile", *configs] if configs else [])]
    alone = run([*words, "--cores", "2"], root / "alone", {})
    with slurm.running(root / "slurm") as cluster:
        leave_one_node(cluster)
        names = ("PATH", "SLURM_CONF")
        known = {name: cluster.environment[name] for name in names}
        wall = run([*words, "--profile", "slurm"], root / "cluster", known)
        jobs = accounted(cluster)
    same = (root / "alone" / target).read_bytes()
    assert same == (root / "cluster" / target).read_bytes(), f"{target} differs"
    (world,) = {path.parent for path in (root / "cluster").glob("results/*/benchmarks")}
    work = stages(world)
    over = {name: jobs[name].sum() - work[name].sum() for name in ("wall_s", "cpu_s")}
    return pd.Series(
        {
            "alone, s": alone,
            "slurm, s": wall,
            "ratio": wall / alone,
            "jobs": len(jobs),
            "jobs that recorded their work": work["jobs"].sum(),
            "CPU seconds of work": work["cpu_s"].sum(),
            "CPU seconds a job, beside its work": over["cpu_s"] / len(jobs),
            "wall seconds a job, beside its work": over["wall_s"] / len(jobs),
            "seconds in the queue, median": jobs["queue_s"].median(),
        }
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", default="results/table3.csv")
    parser.add_argument("--configfile", nargs="*", default=[])
    parser.add_argument("--folder", type=Path, help="a new one, which is kept")
    given = parser.parse_args()
    if lacking := slurm.missing():
        sys.exit(f"Slurm needs {', '.join(lacking)}: see tests/slurm/install")
    with tempfile.TemporaryDirectory() as scratch:
        folder = (given.folder or Path(scratch)).absolute()
        found = compare(given.target, given.configfile, folder)
    print(found.to_string(float_format=lambda value: f"{value:.2f}"))
