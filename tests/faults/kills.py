"""Kill whole runs of the workflow again and again, by hand, and go on each time.

    python -m tests.faults.kills FOLDER [--kills 200] [--target results/table3.csv]

Each world is begun in a checkout of its own below FOLDER. Its run is killed after a
random time, at random: the controlling Snakemake alone, one process below it, or all at
once; then the same command goes on, and nothing else is done by hand. Printed are the
runs that ended in another way than well or by a kill, and the worlds whose tables
differ from those of a run that was left alone: there must be none.
"""

import argparse
import random
import shutil
import subprocess
from collections import Counter
from contextlib import suppress
from pathlib import Path

import psutil

from tests.workflow.checkout import TINY, command, copy, environment

KINDS = ("master", "child", "all")
SECONDS = (2.0, 25.0)
"""Between which a run is killed."""
LONGEST = 3600
"""Seconds after which a run counts as hanging."""


class World:
    """A checkout, in which a target is made."""

    def __init__(self, folder: Path, target: str) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        self.folder, self.target = copy(folder), target
        self.log = folder / "run.log"

    def start(self) -> psutil.Popen:
        """Start the command, which goes on where another was killed."""
        with self.log.open("w") as log:
            return psutil.Popen(
                command(self.target, *TINY),
                cwd=self.folder,
                env=environment(self.folder),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def tables(self) -> dict[str, bytes]:
        """All csv files of results, by name; logs of training have times in them."""
        root = self.folder / "results"
        found = sorted(root.glob("*.csv"))
        return {path.name: path.read_bytes() for path in found}


def kill(run: psutil.Popen, kind: str, rng: random.Random) -> None:
    """Kill the master, a process below it, or all."""
    below = run.children(recursive=True)
    victims = {"master": [run], "all": [run, *below]}.get(kind)
    for victim in victims or [rng.choice(below or [run])]:
        with suppress(psutil.NoSuchProcess):
            victim.kill()


def trial(world: World, rng: random.Random, left: int) -> tuple[Counter[str], str]:
    """Make a world through kills: how many of a kind it took, and what is wrong."""
    kills: Counter[str] = Counter()
    while True:
        run = world.start()
        kind = rng.choice(KINDS) if kills.total() < left else ""
        try:
            status = run.wait(rng.uniform(*SECONDS) if kind else LONGEST)
        except psutil.TimeoutExpired:
            if not kind:
                return kills, "hangs"
            kill(run, kind, rng)
            kills[kind] += 1
            run.wait(LONGEST)  # one that lost a process below it ends by itself
            continue
        return kills, "" if status == 0 else f"status {status}: {_last(world.log)}"


def _last(log: Path) -> str:
    return log.read_text(errors="replace")[-2000:]


def main() -> None:
    """Run the trials and print what went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--target", default="results/table3.csv")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    folder, rng = given.folder.resolve(), random.Random(given.seed)
    alone = World(folder / "alone", given.target)
    if trial(alone, rng, 0)[1]:
        raise SystemExit(_last(alone.log))
    expected, kills, bad = alone.tables(), Counter(), 0
    for number in range(given.kills):
        if kills.total() >= given.kills:
            break
        world = World(folder / f"world{number}", given.target)
        more, wrong = trial(world, rng, given.kills - kills.total())
        kills += more
        if not wrong and world.tables() != expected:
            wrong = "other tables"
        bad += bool(wrong)
        print(f"world {number}: {dict(more)} {wrong or 'the same tables'}", flush=True)
        if not wrong:
            shutil.rmtree(world.folder)
    print(f"{kills.total()} kills {dict(kills)}, {bad} worlds went wrong")


if __name__ == "__main__":
    main()
