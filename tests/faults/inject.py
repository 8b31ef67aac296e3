"""Let system calls of the workflow's own commands fail, by hand, with strace.

    python -m tests.faults.inject CHECKOUT [--trials 500] [--jobs 2]

CHECKOUT is a copy of the repository in which the tiny world was run. Each trial runs a
stage's command, as the workflow prints it, with one failing call; then the same command
again without. Printed are the trials that published other values, ended well with other
values, crashed, or could not be finished by the second run: there must be none.
"""

import argparse
import random
import re
import shlex
import shutil
import subprocess
import sys
from ast import literal_eval
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

from twinlens.artifacts import reader
from twinlens.errors import ArtifactError

STAGES = (
    "frames degrade super_resolve flow motion patches train_sr train_recogniser score"
    " quality count_patches table manifest"
).split()
CALLS = {"pwrite64": 8, "fsync": 1, "rename": 1, "write": 2}
"""System calls, and how often each is chosen."""
REFUSALS = ("ENOSPC", "EIO", "EDQUOT")
SECONDS = 600
STRACE = ["strace", "-f", "--seccomp-bpf", "-qq"]
ALONE = ["strace", "-qq"]
"""For `write`: not those of ffmpeg, whose pipe to the stage never fails."""


Job = tuple[str, list[str]]
"""A command, and its outputs."""


def commands(checkout: Path) -> dict[str, Job]:
    """A job of each stage, from a dry run in which everything is to be done."""
    words = "all --configfile config/tiny.yaml --cores 1 --forceall -n -p"
    said = subprocess.run(
        [str(Path(sys.executable).with_name("snakemake")), *words.split()],
        cwd=checkout,
        capture_output=True,
        text=True,
        check=True,
    ).stderr
    found: dict[str, Job] = {}
    for head, line in pairwise(said.splitlines()):
        stage, _, outputs = head.partition(": [")
        if "python -m twinlens." in line and stage.split()[0] in STAGES:
            command = re.sub(r" (2>&1 \| tee|>) .*$", "", line.strip())
            found.setdefault(stage.split()[0], (command, literal_eval(f"[{outputs}")))
    return found


def placed(job: Job, folder: Path) -> tuple[list[str], list[Path]]:
    """The command with its outputs in a folder, and where they will be."""
    command, outputs = job
    there = {path: folder / Path(path).name for path in outputs}
    words = [str(there.get(word, word)) for word in shlex.split(command)]
    return [sys.executable, *words[1:]], list(there.values())


def content(path: Path) -> object:
    """All that a file says; None if it is not there, "" if readers refuse it."""
    if not path.exists() or path.suffix == ".png":
        return None
    if path.suffix != ".h5":
        return path.read_bytes()
    try:
        with reader.open(path) as file:
            arrays = {array.name: array[:].tobytes() for array in file.arrays()}
            return file.about["id"], file.seal, arrays
    except ArtifactError:
        return ""


def run(words: list[str], checkout: Path, strace: list[str]) -> int:
    """The exit status; 124 for one that hangs."""
    environment = {"PYTHONPATH": str(checkout / "src"), "PATH": "/usr/bin:/bin"}
    environment |= {"TWINLENS_PART_SECONDS": "0", "TWINLENS_CHECKPOINT_SECONDS": "0"}
    try:
        return subprocess.run(
            [*strace, *words],
            cwd=checkout,
            env=environment,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        ).returncode
    except subprocess.TimeoutExpired:
        return 124


def traced(call: str) -> list[str]:
    """Strace of a call."""
    return [*(ALONE if call == "write" else STRACE), "-e", f"trace={call}"]


def count(words: list[str], checkout: Path, call: str, said: Path) -> int:
    """How often a command makes a call in its main thread."""
    strace = [*traced(call), "-o", str(said)]
    run(words, checkout, strace)
    return len(said.read_text().splitlines())


def trial(
    stage: str, job: Job, checkout: Path, folder: Path, call: str, k: str, no: str
) -> str:
    """What went wrong with one failing call; "" if nothing did."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    words, outputs = placed(job, folder)
    expected = EXPECTED[stage]
    inject = ["-o", "/dev/null", "-e", f"inject={call}:error={no}:when={k}"]
    status = run(words, checkout, [*traced(call), *inject])
    found = [content(path) for path in outputs]
    wrong = [each for each, want in zip(found, expected, strict=True) if each != want]
    if any(each is not None for each in wrong):
        return "published other values"
    if status == 0 and wrong:
        return "ended well without an output"
    if status < 0 or status > 125:
        return f"crashed ({status})"
    if run(words, checkout, []) != 0:
        return "could not be finished"
    if [content(path) for path in outputs] != expected:
        return "was finished to other values"
    return ""


EXPECTED: dict[str, list[object]] = {}


def main() -> None:
    """Run the trials and print what went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--trials", type=int, default=500)
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    checkout = given.checkout.resolve()
    work = checkout / "injected"
    known = commands(checkout)
    counts = {}
    for stage, job in known.items():
        folder = work / stage
        for call in CALLS:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            words, outputs = placed(job, folder)
            counts[stage, call] = count(words, checkout, call, work / "said")
            EXPECTED[stage] = [content(path) for path in outputs]
        print(stage, {call: counts[stage, call] for call in CALLS}, flush=True)
    rng = random.Random(0)
    calls = [call for call, often in CALLS.items() for _ in range(often)]
    chosen = []
    while len(chosen) < given.trials:
        stage, call = rng.choice(list(known)), rng.choice(calls)
        if counts[stage, call]:
            k = str(rng.randrange(1, counts[stage, call] + 1)) + rng.choice(["", "+"])
            chosen.append((stage, call, k, rng.choice(REFUSALS)))

    def one(number: int) -> str:
        stage, call, k, refusal = chosen[number]
        folder = work / f"trial{number}"
        wrong = trial(stage, known[stage], checkout, folder, call, k, refusal)
        shutil.rmtree(folder, ignore_errors=True)
        if wrong or number % 25 == 0:
            print(number, stage, call, k, refusal, wrong or "ok", flush=True)
        return wrong

    with ThreadPoolExecutor(given.jobs) as pool:
        bad = [each for each in pool.map(one, range(len(chosen))) if each]
    print(f"{len(chosen)} injections, {len(bad)} went wrong")


if __name__ == "__main__":
    main()
