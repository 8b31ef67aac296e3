"""What a GPU gives: the CPU's values, and how fast. For whoever has one.

    python benchmarks/gpu.py
    python benchmarks/gpu.py --device cpu --small    (a try of the script itself)

Every network and TV-L1 compute the same inputs on the CPU and on the device; the
largest difference stands beside the largest value. Then speed on the device, in turns:
plain, in bfloat16, with channels last, compiled; a training step of each
super-resolution network in both precisions; TV-L1 of batches, in both storages, beside
the CPU's kernels. The last line is one JSON object.
"""

import argparse
import contextlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from benchmarks.sr import CLIP, NETWORKS  # noqa: E402
from tests.flow.known_flow import make_pairs  # noqa: E402
from tests.training.runs import SETTINGS  # noqa: E402
from twinlens import models  # noqa: E402
from twinlens.flow import tvl1_torch  # noqa: E402
from twinlens.flow.flownet2 import cascade  # noqa: E402
from twinlens.flow.tvl1 import PRESETS, tvl1  # noqa: E402
from twinlens.networks.device import repeatable  # noqa: E402
from twinlens.perceptual import vgg  # noqa: E402
from twinlens.recognition import backbones  # noqa: E402
from twinlens.recognition.two_stream import st_resnet  # noqa: E402

SR = {name: entry for name, entry in NETWORKS.items() if models.learns(entry[0])}


# --- what is computed ---------------------------------------------------------------


def workloads(small: bool) -> Iterator[tuple[str, nn.Module, Callable[..., Any], Any]]:
    """Give names, networks, how they are run, and their inputs."""
    height, width = (16, 20) if small else (60, 80)
    for name, (model, settings) in SR.items():
        settings = settings | SETTINGS[model] if small else settings
        network = models.build(model, **settings).eval()
        whole = network.frames == models.WHOLE_CLIP
        frames = CLIP if whole else network.frames
        inputs = (torch.rand(1, frames, 3, height, width),)
        yield name, network, _whole if whole else _plain, inputs
    side = 64 if small else 224
    for name, channels in (("tsn_rgb", 3), ("tsn_flow", 10)):
        settings = {"classes": 101, "channels": channels}
        network = backbones.build("bn_inception", **settings).eval()
        yield name, network, _plain, (torch.randn(10, channels, side, side),)
    network = st_resnet.build(classes=101, width=8 if small else 64).eval()
    count = 5 if small else 25
    inputs = (
        torch.randn(1, count, 3, side, side),
        torch.randn(1, count, 20, side, side),
    )
    yield "st_resnet", network, _plain, inputs
    yield "vgg", vgg.build().eval(), _plain, (torch.rand(2, 3, side, side),)
    side = 64 if small else 128
    yield (
        "flownet2",
        cascade.build().eval(),
        _plain,
        (torch.rand(1, 6, side, 2 * side),),
    )


def _plain(network: nn.Module, *inputs: Tensor) -> Any:
    return network(*inputs)


def _whole(network: Any, low: Tensor) -> Any:
    return torch.stack(list(network.clip(low)))


def tensors(output: Any) -> list[Tensor]:
    """Flatten what a network returns."""
    if isinstance(output, Tensor):
        return [output]
    values = output.values() if isinstance(output, dict) else output
    return [tensor for value in values for tensor in tensors(value)]


# --- parity and speed ---------------------------------------------------------------


def seconds(work: Callable[[], object], device: torch.device) -> float:
    """Time one call, with what it left running."""
    _wait(device)
    start = time.perf_counter()
    work()
    _wait(device)
    return time.perf_counter() - start


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()


def in_turns(
    works: dict[str, Callable[[], object]], device: torch.device, rounds: int
) -> dict[str, float]:
    """Time each of some ways, in turns; one that fails is reported with its error."""
    took: dict[str, list[float]] = {}
    for name, work in works.items():
        try:
            work()  # warms up: compiles, chooses algorithms
            took[name] = []
        except Exception as error:  # noqa: BLE001
            print(f"  {name}: {str(error).splitlines()[0]}", flush=True)
    for _ in range(rounds):
        for name in took:
            took[name].append(seconds(works[name], device))
    return {name: round(median(found), 5) for name, found in took.items()}


def parity(
    run: Callable[..., Any], network: nn.Module, inputs: Any, device: Any
) -> Any:
    """Compute on the CPU and on the device; the largest difference and value."""
    with torch.no_grad():
        here = tensors(run(network, *inputs))
        there = tensors(run(network.to(device), *_to(inputs, device)))
    pairs = list(zip(here, there, strict=True))
    off = max(float((one - two.cpu()).abs().max()) for one, two in pairs)
    return {"off": off, "of": max(float(one.abs().max()) for one in here)}


def _to(inputs: Any, device: Any, **options: Any) -> Any:
    return tuple(
        each.to(device, **(options if each.dim() == 4 else {})) for each in inputs
    )


def speed(
    run: Callable[..., Any], network: nn.Module, inputs: Any, device: Any, rounds: int
) -> Any:
    """Time inference four ways."""
    inputs = _to(inputs, device)
    last = torch.channels_last
    compiled = torch.compile(network) if run is _plain else None

    def plain() -> None:
        run(network.to(memory_format=torch.contiguous_format), *inputs)

    def half() -> None:
        with torch.autocast(device.type, torch.bfloat16):
            run(network, *inputs)

    def channels() -> None:
        run(network.to(memory_format=last), *_to(inputs, device, memory_format=last))

    works: dict[str, Callable[[], object]] = {
        "float32": plain,
        "bfloat16": half,
        "channels_last": channels,
    }
    if compiled is not None:
        works["compiled"] = lambda: compiled(*inputs)
    with torch.no_grad():
        return in_turns(works, device, rounds)


def training(network: Any, device: torch.device, batch: int, rounds: int) -> Any:
    """Time a training step of a super-resolution network, in two precisions."""
    network.train()
    frames = network.frames or CLIP
    low = torch.rand(batch, frames, 3, 32, 32, device=device)
    target = torch.rand(batch, 3, 128, 128, device=device)
    optimizer = torch.optim.Adam(network.parameters(), 1e-6)

    def step(precision: Any) -> None:
        optimizer.zero_grad()
        with precision:
            output = network(low)
        nn.functional.mse_loss(output.float(), target).backward()
        optimizer.step()

    half = lambda: torch.autocast(device.type, torch.bfloat16)  # noqa: E731
    works: dict[str, Callable[[], object]] = {
        "float32": lambda: step(contextlib.nullcontext()),
        "bfloat16": lambda: step(half()),
    }
    return in_turns(works, device, rounds)


def optical_flow(device: torch.device, small: bool, rounds: int) -> dict[str, Any]:
    """Compare TV-L1 with the CPU's kernels; pairs a second."""
    width, height = (64, 48) if small else (320, 240)
    sizes = (1, 4) if small else (1, 16, 64)
    pairs = make_pairs("medium", max(sizes), width, height)
    first = np.stack([each.first for each in pairs])
    second = np.stack([each.second for each in pairs])
    found = {}
    few = slice(0, 2)
    for preset in PRESETS:
        expected = tvl1(first[few], second[few], preset)
        output = tvl1_torch.tvl1(first[few], second[few], preset, device)
        works: dict[str, Callable[[], object]] = {
            f"{storage}_{size}": lambda p=preset, s=storage, n=size: tvl1_torch.tvl1(
                first[:n], second[:n], p, device, s
            )
            for storage in ("float32", "float16")
            for size in sizes
        }
        works["cpu_2"] = lambda p=preset: tvl1(first[few], second[few], p)
        took = in_turns(works, device, rounds)
        found[preset] = {
            "off_px": float(np.abs(output - expected).max()),
            "pairs_per_second": {
                name: round(int(name.rpartition("_")[2]) / value, 1)
                for name, value in took.items()
            },
        }
        print(f"tvl1 {preset}: {found[preset]}", flush=True)
    return found


def main() -> None:
    """Measure, print as it goes, and end with one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--small", action="store_true", help="narrow networks, once")
    parser.add_argument("--rounds", type=int, default=5, help="medians are over these")
    parser.add_argument("--batch", type=int, default=16, help="of a training step")
    options = parser.parse_args()
    device = torch.device(options.device)
    rounds, batch = (1, 2) if options.small else (options.rounds, options.batch)
    repeatable(torch.get_num_threads())
    torch.manual_seed(0)
    networks = {}
    for name, network, run, inputs in workloads(options.small):
        found = {"parity": parity(run, network, inputs, device)}
        found["inference_seconds"] = speed(run, network, inputs, device, rounds)
        if name in SR:
            found["step_seconds"] = training(network, device, batch, rounds)
        if device.type == "cuda":
            found["memory_mib"] = torch.cuda.max_memory_allocated() >> 20
            torch.cuda.reset_peak_memory_stats()
        networks[name] = found
        print(f"{name}: {found}", flush=True)
        network.cpu()
    cuda = device.type == "cuda"
    print(
        json.dumps(
            {
                "device": torch.cuda.get_device_name() if cuda else "cpu",
                "torch": torch.__version__,
                "small": options.small,
                "networks": networks,
                "tvl1": optical_flow(device, options.small, rounds),
            }
        )
    )


if __name__ == "__main__":
    main()
