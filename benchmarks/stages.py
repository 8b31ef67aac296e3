"""Where a world's time went: seconds and memory by stage, from its jobs' records.

python benchmarks/stages.py results/playground
"""

import sys
from pathlib import Path

import pandas as pd


def stages(world: Path) -> pd.DataFrame:
    """Jobs, wall seconds, CPU seconds, largest memory in MB, and share by stage."""
    rows = []
    for path in sorted((world / "benchmarks").rglob("*.tsv")):
        row = pd.read_csv(path, sep="\t", na_values="-").iloc[-1]
        stage = path.relative_to(world / "benchmarks").parts[0].removesuffix(".tsv")
        rows.append((stage, row["s"], row["cpu_time"], row["max_rss"]))
    jobs = pd.DataFrame(rows, columns=["stage", "wall_s", "cpu_s", "memory_mb"])
    made = jobs.groupby("stage").agg(
        jobs=("wall_s", "size"),
        wall_s=("wall_s", "sum"),
        cpu_s=("cpu_s", "sum"),
        memory_mb=("memory_mb", "max"),
    )
    made["share"] = made["wall_s"] / made["wall_s"].sum()
    return made.sort_values("wall_s", ascending=False)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    found = stages(Path(sys.argv[1]))
    print(found.to_string(float_format=lambda value: f"{value:.2f}"))
    print(f"all jobs: {found['wall_s'].sum():.0f} s of wall time")
