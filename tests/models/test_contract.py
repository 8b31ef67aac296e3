"""What every network here does, whatever it is."""

import pytest
import torch

from twinlens import models
from twinlens.named import Package


@pytest.mark.parametrize("name", models.names())
def test_a_picture_is_four_times_larger(name):
    network = models.build(name)
    frames = network.frames or 3
    with torch.inference_mode():
        made = network(torch.rand(2, frames, 3, 6, 9))
    assert made.shape == (2, 3, 24, 36)
    assert made.dtype == torch.float32


@pytest.mark.parametrize("name", models.names())
def test_the_frames_it_reads_are_reported_without_building_it(name):
    assert models.frames(name) == models.build(name).frames


@pytest.mark.parametrize("name", models.names())
def test_a_whole_clip_in_one_pass_is_every_frame_by_itself(name):
    network, low = models.build(name).eval(), torch.rand(1, 3, 3, 6, 7)
    if network.frames != models.WHOLE_CLIP:
        return
    with torch.inference_mode():
        made = list(network.clip(low))
        assert [each.shape for each in made] == [(1, 3, 24, 28)] * 3
        torch.testing.assert_close(network(low[:, :1]), made[0])


@pytest.mark.parametrize("name", models.names())
def test_a_loss_of_its_own_is_finite_at_each_part_of_a_training(name):
    if not models.has_own_loss(name):
        return
    network, true = models.build(name), torch.rand(1, 3, 64, 64)
    low = torch.rand(1, network.frames or 3, 3, 16, 16)
    for done in (0.0, 0.5, 0.99):
        terms = network.own_loss(low, true, done)
        assert terms
        assert all(each.isfinite() for each in terms.values())


@pytest.mark.parametrize(
    "stated", ["FRAMES = 4", "FRAMES = 2 * 3 + 1", "FRAMES: int = 2", ""]
)
def test_a_file_that_states_no_odd_number_of_frames_is_refused(
    tmp_path, monkeypatch, stated
):
    (tmp_path / "mine.py").write_text(stated)
    monkeypatch.setattr(Package, "folder", tmp_path)
    with pytest.raises(ValueError, match=r"mine\.py: write FRAMES = 1, or 3"):
        models.frames("mine")


@pytest.mark.parametrize("name", models.names())
def test_refining_an_interpolation_is_the_same_as_the_whole(name):
    network = models.build(name)
    if not hasattr(network, "refine"):
        return
    from twinlens.resample.tensors import upscale

    low = torch.rand(1, 1, 3, 5, 7)
    with torch.inference_mode():
        torch.testing.assert_close(network.refine(upscale(low[:, 0])), network(low))


@pytest.mark.parametrize("name", models.names())
def test_whether_it_learns_is_reported_without_building_it(name):
    assert models.learns(name) == any(True for _ in models.build(name).parameters())


def test_frames_may_be_stated_with_a_type(tmp_path, monkeypatch):
    (tmp_path / "typed.py").write_text("FRAMES: int = 3")
    monkeypatch.setattr(Package, "folder", tmp_path)
    assert models.frames("typed") == 3


def test_a_slip_in_a_file_is_reported_with_its_line(tmp_path, monkeypatch):
    (tmp_path / "slip.py").write_text("FRAMES = 1\ndef build(:\n")
    monkeypatch.setattr(Package, "folder", tmp_path)
    assert "slip.py, line 2: " in models.problem("slip")
    assert models.problem("slip").startswith(str(tmp_path))


@pytest.mark.parametrize("name", models.names())
def test_whether_it_has_an_importer_is_reported_without_building_it(name):
    assert models.has_importer(name) == hasattr(models.module(name), "convert")
    assert models.problem(name) is None


def test_what_build_takes_is_reported_without_building_it():
    assert models.settings("vdsr") == ["width", "depth"]
    assert models.settings("bicubic") == []


def test_an_unknown_network_lists_those_there_are():
    with pytest.raises(ValueError, match=r"no super-resolution network 'vdsl'.*vdsr"):
        models.build("vdsl")
    with pytest.raises(ValueError, match="vdsr"):
        models.frames("vdsl")
