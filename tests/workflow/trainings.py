"""Trainings of a workflow that runs, stopped where a test wants them."""

import contextlib
import signal
import time
from pathlib import Path

import psutil


def running(folder):
    """Python processes that train in a folder."""
    found = []
    for process in psutil.process_iter(["cmdline", "cwd", "status"]):
        words = process.info["cmdline"] or []
        here = process.info["cwd"] == str(folder)
        alive = process.info["status"] != psutil.STATUS_ZOMBIE
        if here and alive and words[1:3] == ["-m", "twinlens.training"]:
            found.append(process)
    return found


def suspend_when_it_saves_at_sigterm(process, seconds=600):
    """Stop a training (SIGSTOP) that has begun its steps: short ones take a moment."""
    deadline = time.monotonic() + seconds
    while not has_signal(process, "SigCgt", signal.SIGTERM):
        assert time.monotonic() < deadline
        time.sleep(0.001)
    process.suspend()


def has_signal(process, mask, number):
    """Whether a signal is in a mask of a process: "SigCgt", "SigPnd", "ShdPnd"."""
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    (value,) = [line.split()[1] for line in lines if line.startswith(mask)]
    return bool(int(value, 16) >> (number - 1) & 1)


def resume(process):
    """Let a process go on, if it is still there."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process.resume()
