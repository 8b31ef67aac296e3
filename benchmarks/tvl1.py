"""Time and judge our TV-L1 beside OpenCV's, in one process, taking turns.

    python benchmarks/tvl1.py --rounds 3 --pairs 3

Pictures are 320 x 240 and made from photographs, so that their true flow is known.
Everything runs on one thread unless it says so. The last line is one JSON object.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from tests.flow.known_flow import SETS, Pair, end_point_error, make_pairs  # noqa: E402
from twinlens.flow.tvl1 import PRESETS, tvl1  # noqa: E402

Flow = NDArray[np.float32]


def opencv(pair: Pair) -> Flow:
    """OpenCV's default DualTVL1OpticalFlow, (2, H, W)."""
    flow = cv2.optflow.DualTVL1OpticalFlow_create().calc(pair.first, pair.second, None)
    return np.moveaxis(flow, 2, 0)


def ours(pair: Pair, preset: str) -> Flow:
    """One pair with one of our presets, (2, H, W)."""
    return tvl1(pair.first[None], pair.second[None], preset)[0]


def encoded(flow: Flow) -> NDArray[np.float64]:
    """Eight-bit codes of -20..20 px."""
    return np.clip(np.rint(255 * (flow.astype(np.float64) + 20) / 40), 0, 255)


def seconds(work: Callable[[], object]) -> float:
    """How long one call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def compile_times() -> dict[str, float]:
    """Seconds of a first call in a new process without a cache, per preset."""
    code = (
        "import sys, time, numpy as np\n"
        "from twinlens.flow.tvl1 import tvl1\n"
        "still = np.zeros((1, 16, 16), np.uint8)\n"
        "start = time.perf_counter()\n"
        "tvl1(still, still, sys.argv[1])\n"
        "print(time.perf_counter() - start)\n"
    )
    times = {}
    for preset in PRESETS:
        with tempfile.TemporaryDirectory() as empty:
            place = {"NUMBA_CACHE_DIR": empty, "PYTHONPATH": str(ROOT / "src")}
            command = [sys.executable, "-c", code, preset]
            printed = subprocess.check_output(command, env={**os.environ, **place})
        times[preset] = round(float(printed), 1)
    return times


def compare(pairs: dict[str, list[Pair]], rounds: int) -> dict[str, dict[str, Any]]:
    """Speed ratio, error and equality per preset, all methods taking turns."""
    methods: dict[str, Callable[[Pair], Flow]] = {"peer": opencv}
    for preset in PRESETS:
        methods[preset] = lambda pair, preset=preset: ours(pair, preset)
    for method in methods.values():  # compile outside of the measurement
        method(pairs[SETS[0]][0])
    spent: dict[str, list[float]] = {name: [0.0] * rounds for name in methods}
    flows: dict[str, dict[str, list[Flow]]] = {name: {} for name in methods}
    for turn in range(rounds):
        for group, members in pairs.items():
            for name in methods:
                flows[name][group] = []
            for pair in members:
                for name, method in methods.items():
                    start = time.perf_counter()
                    flows[name][group].append(method(pair))
                    spent[name][turn] += time.perf_counter() - start
    return {name: _judge(name, flows, spent, pairs) for name in methods}


def _judge(
    name: str,
    flows: dict[str, dict[str, list[Flow]]],
    spent: dict[str, list[float]],
    pairs: dict[str, list[Pair]],
) -> dict[str, Any]:
    count = sum(map(len, pairs.values()))
    errors, ratios, equal = {}, {}, []
    for group, members in pairs.items():
        made, peer = np.stack(flows[name][group]), np.stack(flows["peer"][group])
        errors[group] = end_point_error(made, members)
        ratios[group] = round(errors[group] / end_point_error(peer, members), 3)
        equal += list((encoded(made) == encoded(peer)).mean(axis=(1, 2, 3)))
    speed_ups = [b / a for a, b in zip(spent[name], spent["peer"], strict=True)]
    return {
        "pairs_per_second": round(count / median(spent[name]), 2),
        "times_peer": round(median(speed_ups), 2),
        "error_px": round(float(np.mean(list(errors.values()))), 4),
        "error_ratio_per_set": ratios,
        "worst_pair_equal_percent": round(100 * float(min(equal)), 3),
    }


def thread_speed_up(pairs: list[Pair], preset: str, rounds: int) -> float:
    """Wall time of one thread over that of two, on a batch."""
    batch = [
        np.stack(side)
        for side in zip(*((p.first, p.second) for p in pairs), strict=True)
    ]
    ratios = []
    for _ in range(rounds):
        one, two = (
            seconds(lambda n=n: tvl1(*batch, preset, threads=n)) for n in (1, 2)
        )
        ratios.append(one / two)
    return round(median(ratios), 2)


def main() -> None:
    """Measure, print as it goes, and end with one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=2, help="per set of pairs")
    parser.add_argument("--rounds", type=int, default=3, help="medians are over these")
    parser.add_argument("--size", type=int, nargs=2, default=(320, 240))
    options = parser.parse_args()
    cv2.setNumThreads(1)
    compiling = compile_times()
    print("first call, importing and compiling included, s:", compiling)
    pairs = {name: make_pairs(name, options.pairs, *options.size) for name in SETS}
    found = compare(pairs, options.rounds)
    for name, facts in found.items():
        print(f"{name}: {facts}")
    everything = [pair for members in pairs.values() for pair in members]
    threads = {
        preset: thread_speed_up(everything, preset, options.rounds)
        for preset in ("opencv", "fast")
    }
    print("two threads over one:", threads)
    print(json.dumps(_summary(found, compiling, threads)))


def _summary(
    found: dict[str, dict[str, Any]],
    compiling: dict[str, float],
    threads: dict[str, float],
) -> dict[str, Any]:
    fast, peer = found["fast"], found["peer"]
    return {
        "name": "tvl1",
        "ours": fast["pairs_per_second"],
        "peer": peer["pairs_per_second"],
        "unit": "pairs per second, one thread",
        "ratio": fast["times_peer"],
        "quality_ours": fast["error_px"],
        "quality_peer": peer["error_px"],
        "presets": {name: found[name] for name in PRESETS},
        "compile_seconds": compiling,
        "two_threads_over_one": threads,
    }


if __name__ == "__main__":
    main()
