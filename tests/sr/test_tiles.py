"""Tiles cover a frame once, and a network gives the same on them as on the whole."""

import itertools

import numpy as np
import pytest
import torch

from tests.training.runs import SETTINGS
from twinlens import models
from twinlens.sr import tiles
from twinlens.sr.upscale import Enlarger

SIZES = list(itertools.product((5, 37, 64), (4, 90), (0, 1, 6), (150, 400, 10**6)))


@pytest.mark.parametrize(("height", "width", "reach", "most"), SIZES)
def test_every_pixel_is_kept_once_with_what_is_around_it(height, width, reach, most):
    try:
        found = tiles.cut((height, width), reach, most)
    except ValueError:
        assert (2 * reach + 1) ** 2 > most
        return
    kept = np.zeros((height, width), int)
    for row, column in found:
        area = np.ptp(row.read) * np.ptp(column.read)
        assert area <= most
        for span, size in ((row, height), (column, width)):
            start, stop = span.placed
            assert span.read == (max(0, start - reach), min(size, stop + reach))
        kept[slice(*row.placed), slice(*column.placed)] += 1
    assert (kept == 1).all()


def test_a_frame_that_is_small_enough_is_one_tile():
    assert len(tiles.cut((240, 320), 9, 240 * 320)) == 1
    assert len(tiles.cut((240, 320), 9, 240 * 320 - 1)) == 2


TILED = {**SETTINGS, "bicubic": {}}


CUT = [name for name in TILED if hasattr(models.build(name, **TILED[name]), "reach")]


def enlarged(network, frames, pixels):
    enlarger = Enlarger(network, frames.shape[1:3], pixels, torch.device("cpu"))
    with torch.inference_mode():
        return np.stack(list(enlarger.enlarged(iter(frames))))


@pytest.mark.parametrize("name", CUT)
def test_tiles_give_what_the_whole_frame_gives(name):
    """But for sums in another order, which can round to a level beside."""
    torch.manual_seed(0)
    network = models.build(name, **TILED[name]).eval()
    frames = np.random.default_rng(0).integers(0, 256, (3, 61, 75, 3), np.uint8)
    whole = enlarged(network, frames, 10**6)
    cut = enlarged(network, frames, (2 * network.reach + 9) ** 2)
    difference = np.abs(whole.astype(int) - cut)
    assert difference.max() <= 1
    assert difference.mean() < 1e-3


@pytest.mark.parametrize("name", [name for name in TILED if name != "rrn"])
def test_a_network_reads_no_further_than_it_says(name):
    torch.manual_seed(0)
    network = models.build(name, **TILED[name]).eval()
    if not hasattr(network, "reach"):
        assert name == "spmc"  # which follows motion, as far as it leads
        return
    side = 2 * network.reach + 5
    low = torch.rand(1, max(1, network.frames), 3, side, side)
    other = low.clone()
    middle = side // 2
    inside = slice(middle - network.reach, middle + network.reach + 1)
    other[:] = 1 - other
    other[..., inside, inside] = low[..., inside, inside]
    here = slice(4 * middle, 4 * middle + 4)
    with torch.inference_mode():
        one, two = network(low), network(other)
    one, two = one[..., here, here], two[..., here, here]
    torch.testing.assert_close(one, two, atol=1e-6, rtol=0)


def test_a_recurrent_network_goes_step_by_step(monkeypatch):
    """It gives what it gives on the whole clip, of which one frame is held."""
    torch.manual_seed(0)
    network = models.build("rrn", **SETTINGS["rrn"]).eval()
    frames = np.random.default_rng(0).integers(0, 256, (6, 12, 16, 3), np.uint8)
    low = torch.from_numpy(frames).movedim(-1, 1)[None] / 255
    with torch.inference_mode():
        expected = [(high.clamp(0, 1) * 255).round() for high in network.clip(low)]
    monkeypatch.setattr(type(network), "clip", None)
    for high, wanted in zip(enlarged(network, frames, 10**6), expected, strict=True):
        np.testing.assert_array_equal(high, wanted[0].movedim(0, -1).numpy())


def test_a_network_that_can_not_be_cut_says_so(capsys):
    network = models.build("spmc", **SETTINGS["spmc"])
    enlarger = Enlarger(network, (40, 40), 100, torch.device("cpu"))
    assert len(enlarger.tiles) == 1
    assert "WARNING frames of 40x40 are enlarged whole" in capsys.readouterr().err
