"""TV-L1 in PyTorch gives the flow of the CPU's kernels, for all pairs at once."""

import collections
import shutil

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from tests.flow.known_flow import SETS, end_point_error, make_pairs
from twinlens.flow import tvl1_torch
from twinlens.flow.estimators import tvl1 as estimator
from twinlens.flow.frames import grays
from twinlens.flow.tvl1 import PRESETS, tvl1

CPU = torch.device("cpu")
PX = 1e-3
DEVICES = ("auto", "cpu")


def batch(*names, count=2, width=96, height=64):
    pairs = [pair for name in names for pair in make_pairs(name, count, width, height)]
    first, second = zip(*((each.first, each.second) for each in pairs), strict=True)
    return pairs, np.stack(first), np.stack(second)


def off(preset, first, second):
    """The difference in px from the CPU's flow that 99 of 100 pixels keep below.

    The CPU's `fast` rounds as its processor likes best. A last digit may move a few
    pixels at the edges of what moves by more; the others are equal to the bit.
    """
    expected = tvl1(first, second, preset)
    output = tvl1_torch.tvl1(first, second, preset, CPU)
    assert output.dtype == np.float32
    assert output.shape == expected.shape
    difference = np.abs(output - expected)
    assert preset == "fast" or difference.max() == 0
    assert difference.max(initial=0) < 20 * PX
    assert difference.mean() < PX / 10
    return max(np.percentile(each, 99) for each in difference)


@pytest.mark.parametrize("preset", PRESETS)
def test_flow_is_the_cpu_s(preset):
    _, first, second = batch("small", "layers")
    assert off(preset, first, second) < PX


@pytest.mark.slow
@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("name", SETS)
def test_flow_is_the_cpu_s_on_every_set(preset, name):
    _, first, second = batch(name, count=3, width=161, height=123)
    assert off(preset, first, second) < PX


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("shape", [(3, 3), (3, 5), (16, 17), (40, 9)])
def test_tiny_and_odd_pictures_work(preset, shape):
    random = np.random.default_rng(0)
    pictures = random.integers(0, 256, (2, 2, *shape), dtype=np.uint8)
    assert off(preset, *pictures) < PX


def test_no_pairs_have_no_flow():
    none = np.zeros((0, 32, 48), np.uint8)
    assert tvl1_torch.tvl1(none, none, "fast", CPU).shape == (0, 2, 32, 48)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_pair_has_the_same_flow_alone_and_in_a_batch(preset, monkeypatch):
    _, first, second = batch("medium", "small")
    together = tvl1_torch.tvl1(first, second, preset, CPU)
    monkeypatch.setattr(tvl1_torch, "BYTES", 1)  # one at a time
    alone = tvl1_torch.tvl1(first, second, preset, CPU)
    np.testing.assert_allclose(alone, together, atol=PX, rtol=0)


class Calls(TorchDispatchMode):
    """Counts the kernels that are started."""

    def __init__(self):
        super().__init__()
        self.names = collections.Counter()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.names[str(function)] += 1
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize("preset", PRESETS)
def test_kernels_do_not_grow_with_the_batch(preset):
    _, first, second = batch("small", count=1)
    found = []
    for count in (1, 5):
        with Calls() as calls:
            pair = (np.repeat(each, count, axis=0) for each in (first, second))
            tvl1_torch.tvl1(*pair, preset, CPU)
        found.append(calls.names)
    assert found[0] == found[1]
    assert found[0].total() > 100


@pytest.mark.parametrize("preset", ["fast", "gpu24"])
def test_half_precision_storage_costs_little_error(preset):
    pairs, first, second = batch("small", "medium")
    errors = [
        end_point_error(tvl1_torch.tvl1(first, second, preset, CPU, storage), pairs)
        for storage in ("float32", "float16")
    ]
    assert errors[1] < 1.05 * errors[0] + 0.005


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("g++"), reason="no C++ compiler, which it needs")
def test_a_compiled_iteration_is_the_same(monkeypatch):
    _, first, second = batch("small")
    plain = tvl1_torch.tvl1(first, second, "fast", CPU)
    compiled = torch.compile(tvl1_torch.iterate, dynamic=True)
    monkeypatch.setattr(tvl1_torch, "iterate", compiled)
    output = tvl1_torch.tvl1(first, second, "fast", CPU)
    np.testing.assert_allclose(output, plain, atol=PX, rtol=0)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU that PyTorch takes")
@pytest.mark.parametrize("preset", PRESETS)
def test_a_gpu_gives_the_cpu_s_flow(preset):
    _, first, second = batch("small", "layers")
    output = tvl1_torch.tvl1(first, second, preset, torch.device("cuda"))
    np.testing.assert_allclose(output, tvl1(first, second, preset), atol=PX, rtol=0)


def test_jobs_ask_for_a_gpu_unless_told_not_to():
    asked = [
        estimator.takes_gpu(estimator.Settings(kind="tvl1", device=device))
        for device in DEVICES
    ]
    assert asked == [True, False]


@pytest.mark.parametrize("device", DEVICES)
def test_without_a_gpu_it_is_the_cpu_s_to_the_bit(device, monkeypatch):
    monkeypatch.setattr(estimator.gpu, "present", lambda: False)
    frames = np.random.default_rng(0).integers(0, 256, (2, 2, 32, 48, 3), np.uint8)
    settings = estimator.Settings(kind="tvl1", device=device, preset="fast")
    output = estimator.load(settings, None, 1)(*frames)
    np.testing.assert_array_equal(output, tvl1(*map(grays, frames), "fast"))
