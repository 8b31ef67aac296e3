"""Time every super-resolution network at its published size, one thread, in turns.

    python benchmarks/sr.py --rounds 3

Frames of 320 x 240 are made from 80 x 60 with random weights. Each network has its own
process, in which its memory is read; beside it, in turns, stands what PyTorch's matrix
product reaches, and for VSR-DUF the same layers with PyTorch's own convolution in three
dimensions. The last line is one JSON object.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src")]

import torch  # noqa: E402
from torch.nn import functional  # noqa: E402
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

from twinlens import models  # noqa: E402

HEIGHT, WIDTH = 60, 80
SIDE = 1024  # of the matrices of the peak
NETWORKS: dict[str, tuple[str, dict[str, Any]]] = {
    "bicubic": ("bicubic", {}),
    "vdsr": ("vdsr", {}),
    "duf16": ("duf", {"depth": 16}),
    "duf28": ("duf", {"depth": 28}),
    "duf52": ("duf", {"depth": 52}),
    "spmc": ("spmc", {}),
    "rrdb": ("rrdb", {}),
    "rrn": ("rrn", {}),
}
CLIP = 8  # frames that a network of whole clips is given


def memory() -> float:
    """The most memory that this process has had, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def seconds(work: Callable[[], object]) -> float:
    """How long one call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def peak(_: object = None) -> float:
    """GFLOP/s of a matrix product."""
    one, other = torch.rand(SIDE, SIDE), torch.rand(SIDE, SIDE)
    one @ other
    return 2 * SIDE**3 / min(seconds(lambda: one @ other) for _ in range(5)) / 1e9


def plain_conv(self: Any, features: torch.Tensor, times: int) -> torch.Tensor:
    """VSR-DUF's convolution by PyTorch's own, for comparison."""
    frames = features.unflatten(0, (-1, times)).transpose(1, 2).contiguous()
    padding = (0 if self.shrinks else 1, 1, 1)
    made = functional.conv3d(frames, self.weight, self.bias, padding=padding)
    return made.transpose(1, 2).flatten(0, 1)


def measure(name: str, rounds: int) -> dict[str, Any]:
    """One network's speed, work and memory; in a process of its own."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model, settings = NETWORKS[name]
    network = models.build(model, **settings).eval()
    whole = network.frames == models.WHOLE_CLIP
    low = torch.rand(1, CLIP if whole else network.frames, 3, HEIGHT, WIDTH)
    work = (lambda: list(network.clip(low))) if whole else (lambda: network(low))
    count, before = CLIP if whole else 1, memory()
    with torch.inference_mode():
        with FlopCounterMode(display=False) as counter:
            work()
        took, peaks = [], []
        for _ in range(rounds):
            peaks.append(peak())
            took.append(min(seconds(work) for _ in range(2)) / count)
        gflop = counter.get_total_flops() / count / 1e9
        found = {
            "parameters": sum(each.numel() for each in network.parameters()),
            "gflop_per_frame": round(gflop, 2),
            "frames_per_second": round(1 / median(took), 3),
            "gflop_per_second": round(gflop / median(took), 1),
            "percent_of_matmul": round(
                100 * median(gflop / t / p for t, p in zip(took, peaks, strict=True)), 1
            ),
            "memory_mib": round(memory() - before),
        }
        if model == "duf":
            found["times_conv3d"] = _against_conv3d(work, took, rounds)
    return found


def _against_conv3d(work: Callable[[], Any], took: list[float], rounds: int) -> float:
    from twinlens.models import duf

    made, kept = work(), duf.Conv.forward
    duf.Conv.forward = plain_conv  # type: ignore[method-assign]
    torch.testing.assert_close(work(), made, atol=1e-3, rtol=1e-3)
    plain = [seconds(work) for _ in range(rounds)]
    duf.Conv.forward = kept  # type: ignore[method-assign]
    again = [seconds(work) for _ in range(rounds)]
    return round(median(plain) / median([*took, *again]), 2)


def main() -> None:
    """Measure, print as it goes, and end with one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="medians are over these")
    parser.add_argument("--networks", nargs="*", default=list(NETWORKS))
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one, options.rounds)))
        return
    found = {}
    for name in options.networks:
        command = [sys.executable, __file__, "--one", name]
        command += ["--rounds", str(options.rounds)]
        # Their threads' number is fixed before the libraries start.
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        printed = subprocess.check_output(command, env=environment, text=True)
        found[name] = json.loads(printed.splitlines()[-1])
        print(f"{name}: {found[name]}", flush=True)
    size = f"{4 * WIDTH}x{4 * HEIGHT}"
    print(json.dumps({"size": size, "threads": 1, "networks": found}))


if __name__ == "__main__":
    main()
