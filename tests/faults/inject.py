"""Let system calls of the workflow's own commands fail, by hand, with strace.

    python -m tests.faults.inject CHECKOUT [--trials 3000] [--first 0] [--jobs 2]

CHECKOUT is a copy of the repository in which the tiny world was run. Each trial runs a
stage's command, as the workflow prints it, with a call that fails or kills it; then the
same command again without. Printed are the trials that published other values, ended
well with other values, crashed, ended in a traceback, or could not be finished by the
second run: there must be none. Each trial is drawn by its number: `--first` goes on
where a run was ended. Commands run in copies of this process, which has imported what
they need: start it where `import twinlens` finds the code to be tried.
"""

import argparse
import atexit
import ctypes
import importlib
import os
import random
import re
import runpy
import shlex
import shutil
import signal
import subprocess
import sys
import time
import traceback
from ast import literal_eval
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple, NoReturn

from twinlens.artifacts import reader
from twinlens.cli import STAGES as COMMANDS
from twinlens.errors import ArtifactError

STAGES = (
    "frames degrade super_resolve flow motion patches train_sr train_recogniser score"
    " quality count_patches table manifest"
).split()
CALLS = {"pwrite64": 8, "fsync": 2, "rename": 2, "write": 2, "openat": 4}
"""System calls, and how often each is chosen."""
REFUSALS = ("error=ENOSPC", "error=EIO", "error=EDQUOT", "signal=KILL")
ALONE = ("write", "openat")
"""Not those of ffmpeg: its pipe to the stage never fails, nor do its libraries."""
SECONDS = 600


class Job(NamedTuple):
    """A command of the workflow."""

    words: list[str]
    outputs: list[str]

    def placed(self, folder: Path) -> tuple[list[str], list[Path]]:
        """The command with its outputs in a folder, and where they will be."""
        there = {path: folder / Path(path).name for path in self.outputs}
        words = [str(there.get(word, word)) for word in self.words]
        return words, list(there.values())


class Injection(NamedTuple):
    """The k-th call of a stage's command, and what becomes of it."""

    stage: str
    call: str
    k: str
    refusal: str


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
            job = Job(shlex.split(command), literal_eval(f"[{outputs}"))
            found.setdefault(stage.split()[0], job)
    return found


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


def run(words: list[str], checkout: Path, log: Path, strace: list[str]) -> int:
    """Run a command in a copy of this process: its exit status; 124 if it hangs."""
    child = os.fork()
    if child == 0:
        _become(words, checkout, log)
    os.waitpid(child, os.WUNTRACED)
    tracer = _attach(child, strace) if strace else None
    os.kill(child, signal.SIGCONT)
    status = _wait(child)
    if tracer:
        tracer.wait(SECONDS)
    return status


def _attach(child: int, strace: list[str]) -> subprocess.Popen[bytes]:
    tracer = subprocess.Popen([*strace, "-p", str(child)])
    while _tracer(child) == 0:
        if tracer.poll() is not None:
            os.kill(child, signal.SIGKILL)
            raise SystemExit("strace may not attach: set kernel.yama.ptrace_scope=0")
        time.sleep(0.002)
    return tracer


def _become(words: list[str], checkout: Path, log: Path) -> NoReturn:
    """Run a command as its own process would, once it is let go on."""
    status = 1
    try:
        os.setsid()
        os.chdir(checkout)
        handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for stream in (1, 2):
            os.dup2(handle, stream)
        os.kill(os.getpid(), signal.SIGSTOP)
        status = _status(words)
        atexit._run_exitfuncs()
        sys.stdout.flush()
    except OSError:  # of a stream, as where Python itself ends
        status = 120
    finally:
        ctypes.CDLL(None).exit(status)  # HDF5 ends its own at exit


def _status(words: list[str]) -> int:
    """Run a module with its arguments, and print what ended it."""
    module, sys.argv = words[2], words[2:]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        return end.code if isinstance(end.code, int) else bool(end.code)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def _tracer(process: int) -> int:
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("TracerPid:")[2].split()[0])


def _wait(child: int) -> int:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return 124


def traced(call: str) -> list[str]:
    """Strace of a call."""
    return ["strace", "-qq", *([] if call in ALONE else ["-f"]), "-e", f"trace={call}"]


def find_calls(call: str, job: Job, checkout: Path, folder: Path) -> list[int]:
    """Which of its calls a command's main thread makes on files of the world."""
    log = folder / "strace"
    words, _ = job.placed(folder)
    if run(words, checkout, folder / "log", [*traced(call), "-o", str(log)]):
        raise SystemExit(f"{folder}/log: failed without a fault")
    lines = [line for line in log.read_text().splitlines() if f"{call}(" in line]
    if call not in ALONE:  # with -f, lines begin with a thread's number
        lines = [line for line in lines if line.split()[0] == lines[0].split()[0]]
    files = (str(folder), "results/")
    return [
        number
        for number, line in enumerate(lines, 1)
        if call != "openat" or any(file in line for file in files)
    ]


class Outcome(NamedTuple):
    """What became of one failing call."""

    status: int
    """The exit status of the command that it was injected in."""
    wrong: str
    """What went wrong; "" if nothing did."""


def trial(job: Job, injection: Injection, checkout: Path, folder: Path) -> Outcome:
    """Run a command with one failing call, then again without."""
    words, outputs = job.placed(folder)
    log = folder / "log"
    inject = f"inject={injection.call}:{injection.refusal}:when={injection.k}"
    said = folder / "strace"
    strace = [*traced(injection.call), "-o", str(said), "-e", inject]
    status = run(words, checkout, log, strace)
    if "INJECTED" not in said.read_text() and status != -signal.SIGKILL:
        return Outcome(status, "was not injected")
    wrong = _first(status, injection, outputs, log.read_text(errors="replace"))
    return Outcome(status, wrong or _second(words, injection, checkout, outputs))


def _first(status: int, injection: Injection, outputs: list[Path], said: str) -> str:
    """What is wrong with how a command with a failing call ended."""
    expected = EXPECTED[injection.stage]
    found = [content(path) for path in outputs]
    wrong = [each for each, want in zip(found, expected, strict=True) if each != want]
    if any(each is not None for each in wrong):
        return "published other values"
    if status == 0 and wrong:
        return "ended well without an output"
    if status == 124:
        return "hung"
    killed = injection.refusal == "signal=KILL" and status == -signal.SIGKILL
    if status > 125 or (status < 0 and not killed):
        return f"crashed ({status})"
    return "ended in a traceback" if "Traceback" in said else ""


def _second(
    words: list[str], injection: Injection, checkout: Path, outputs: list[Path]
) -> str:
    """What is wrong with the same command once its calls succeed."""
    log = outputs[0].with_name("log")
    if run(words, checkout, log, []) != 0:
        return "could not be finished"
    if [content(path) for path in outputs] != EXPECTED[injection.stage]:
        return "was finished to other values"
    return ""


EXPECTED: dict[str, list[object]] = {}


def choose(counts: dict[tuple[str, str], list[int]], number: int) -> Injection:
    """Draw the injection of a trial: stages alike, calls by their weight."""
    rng = random.Random(number)
    stages = sorted({stage for stage, _ in counts})
    calls = [call for call, often in CALLS.items() for _ in range(often)]
    stage, call = rng.choice(stages), rng.choice(calls)
    while not counts[stage, call]:
        stage, call = rng.choice(stages), rng.choice(calls)
    k = str(rng.choice(counts[stage, call]))
    refusal = rng.choice(REFUSALS)
    lasting = rng.choice(["", "+"]) if refusal != "signal=KILL" else ""
    return Injection(stage, call, k + lasting, refusal)


def numbered(number: int, job: Job, injection: Injection, checkout: Path) -> Outcome:
    """A trial in a folder of its own, which stays if something went wrong."""
    folder = checkout / f"injected/trial{number}"
    folder.mkdir(parents=True)
    outcome = trial(job, injection, checkout, folder)
    if outcome.wrong or number % 100 == 0:
        print(number, *injection, outcome.wrong or "ok", flush=True)
    if not outcome.wrong:
        shutil.rmtree(folder)
    return outcome


def main() -> None:
    """Run the trials and print what went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--trials", type=int, default=3000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    checkout = given.checkout.resolve()
    os.environ |= {"TWINLENS_PART_SECONDS": "0", "TWINLENS_CHECKPOINT_SECONDS": "0"}
    shutil.rmtree(checkout / "injected", ignore_errors=True)
    for command in COMMANDS.values():
        importlib.import_module(f"twinlens.{command.home.partition(':')[0]}")
    known, counts = commands(checkout), {}
    for stage, job in known.items():
        for call in CALLS:
            folder = checkout / f"injected/{stage}/{call}"
            folder.mkdir(parents=True)
            counts[stage, call] = find_calls(call, job, checkout, folder)
            EXPECTED[stage] = [content(path) for path in job.placed(folder)[1]]
        print(stage, {call: len(counts[stage, call]) for call in CALLS}, flush=True)
    numbers = range(given.first, given.trials)
    chosen = [choose(counts, number) for number in numbers]
    jobs = [known[injection.stage] for injection in chosen]
    every = [checkout] * len(chosen)
    with ProcessPoolExecutor(given.jobs, get_context("fork")) as pool:
        outcomes = list(pool.map(numbered, numbers, jobs, chosen, every))
    statuses = Counter(outcome.status for outcome in outcomes)
    bad = sum(bool(outcome.wrong) for outcome in outcomes)
    print(f"{len(chosen)} injections, {bad} went wrong; exit statuses: {statuses}")


if __name__ == "__main__":
    main()
