import numpy as np
import pytest
import torch

from twinlens.networks import checkpoint
from twinlens.networks.trainer import Trainer
from twinlens.perceptual import vgg
from twinlens.perceptual.glyphs import GLYPHS, picture
from twinlens.perceptual.recipe import PerceptualTraining, Recipe
from twinlens.perceptual.train import train_perceptual


def test_pictures_are_bytes_and_differ():
    rng = np.random.default_rng(0)
    made = np.stack([picture(glyph, 48, rng) for glyph in GLYPHS])
    assert made.dtype == np.uint8
    assert made.shape[1:] == (48, 48, 3)
    assert len({each.tobytes() for each in made}) == len(GLYPHS)


@pytest.mark.slow
def test_it_learns_to_tell_glyphs(tmp_path, capsys):
    how = Recipe(widths=(4, 8, 16), steps=150, lr=4e-3, side=32)
    _train(tmp_path / "p.h5", how)
    said = capsys.readouterr().err
    right = float(said.split("perceptual: ")[-1].split(" %")[0])
    assert right > 60
    assert vgg.load(tmp_path / "p.h5").conv3_3.out_channels == 16


def _train(out, how):
    train_perceptual(PerceptualTraining(network="p", recipe=how), out)
    return vgg.load(out).state_dict()


class KilledError(Exception):
    """Stands for SIGKILL."""


def test_a_killed_training_resumes_to_the_same_bits(tmp_path, monkeypatch):
    how = Recipe(widths=(2, 3, 4), steps=6, batch=4, side=16)
    whole = _train(tmp_path / "whole.h5", how)
    monkeypatch.setattr(checkpoint, "SECONDS_BETWEEN", -1.0)
    update = Trainer.update

    def killed(self, batch):
        if self.step == 3:
            raise KilledError
        update(self, batch)

    with monkeypatch.context() as during:
        during.setattr(Trainer, "update", killed)
        with pytest.raises(KilledError):
            _train(tmp_path / "p.h5", how)
    resumed = _train(tmp_path / "p.h5", how)
    assert all(torch.equal(resumed[key], each) for key, each in whole.items())
    assert not list(tmp_path.glob(".*checkpoint"))


def test_the_rate_is_torch_s_cosine_to_the_last_bit():
    how = Recipe(steps=37, lr=3e-3)
    optimizer = torch.optim.Adam([torch.zeros(1, requires_grad=True)], how.lr)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, how.steps)
    for step in range(how.steps):
        assert how.rate(step) == optimizer.param_groups[0]["lr"]
        optimizer.step()
        schedule.step()
