"""What every network here does, whatever it is."""

import pytest
import torch

from twinlens import models


@pytest.mark.parametrize("name", models.names())
def test_a_picture_is_four_times_larger(name):
    network = models.build(name)
    frames = network.frames or 3
    with torch.inference_mode():
        made = network(torch.rand(2, frames, 3, 6, 9))
    assert made.shape == (2, 3, 24, 36)
    assert made.dtype == torch.float32


@pytest.mark.parametrize("name", models.names())
def test_the_frames_it_reads_are_told_without_building_it(name):
    assert models.frames(name) == models.build(name).frames


@pytest.mark.parametrize("name", models.names())
def test_refining_an_interpolation_is_the_same_as_the_whole(name):
    network = models.build(name)
    if not hasattr(network, "refine"):
        return
    from twinlens.degrade.tensors import upscale

    low = torch.rand(1, 1, 3, 5, 7)
    with torch.inference_mode():
        torch.testing.assert_close(network.refine(upscale(low[:, 0])), network(low))


@pytest.mark.parametrize("name", models.names())
def test_whether_it_learns_is_told_without_building_it(name):
    assert models.learns(name) == any(True for _ in models.build(name).parameters())


def test_what_build_takes_is_told_without_building_it():
    assert models.settings("vdsr") == ["width", "depth"]
    assert models.settings("bicubic") == []


def test_an_unknown_network_lists_those_there_are():
    with pytest.raises(ValueError, match=r"no super-resolution network 'vdsl'.*vdsr"):
        models.build("vdsl")
    with pytest.raises(ValueError, match="vdsr"):
        models.frames("vdsl")
