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
from snakemake_executor_plugin_slurm.utils import time_to_seconds

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
    """Seconds of each job that Slurm ran.

    Columns: queue_s and wall_s, and cpu_s of the Snakemake that starts the job's step,
    which a run without Slurm does not need.
    """
    dates = ["Submit", "Start", "End"]
    fields = ",".join(["JobID", "TotalCPU", *dates])
    table = cluster("sacct", "-P", "-S", "now-2days", "-o", fields)
    rows = pd.read_csv(io.StringIO(table), sep="|", dtype=str).set_index("JobID")
    batch = rows[rows.index.str.endswith(".batch")].rename(lambda name: name[:-6])
    jobs = rows.loc[batch.index, dates].apply(pd.to_datetime)
    return pd.DataFrame(
        {
            "queue_s": (jobs["Start"] - jobs["Submit"]).dt.total_seconds(),
            "wall_s": (jobs["End"] - jobs["Start"]).dt.total_seconds(),
            "cpu_s": batch["TotalCPU"].map(time_to_seconds),
        }
    )


def compare(target: str, configs: list[str], root: Path) -> pd.Series:
    """Wall times of both runs, and a job's cost beside its work."""
    words = [target, *(["--configfile", *configs] if configs else [])]
    alone = run([*words, "--cores", "2"], root / "alone", {})
    with slurm.running(root / "slurm") as cluster:
        leave_one_node(cluster)
        through = [*words, "--profile", "slurm"]
        wall = run(through, root / "cluster", cluster.client)
        jobs = accounted(cluster)
    same = (root / "alone" / target).read_bytes()
    assert same == (root / "cluster" / target).read_bytes(), f"{target} differs"
    (world,) = {path.parent for path in (root / "cluster").glob("results/*/benchmarks")}
    beside = jobs["wall_s"].sum() - stages(world)["wall_s"].sum()
    return pd.Series(
        {
            "alone, s": alone,
            "slurm, s": wall,
            "ratio": wall / alone,
            "jobs": len(jobs),
            "wall seconds a job, beside its work": beside / len(jobs),
            "CPU seconds to start a job's step, median": jobs["cpu_s"].median(),
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
