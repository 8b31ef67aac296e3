import numpy as np
import pytest

from twinlens.losses import vgg
from twinlens.training.glyphs import GLYPHS, picture, train_perceptual
from twinlens.training.recipe import GlyphRecipe


def test_pictures_are_bytes_and_differ():
    rng = np.random.default_rng(0)
    made = np.stack([picture(glyph, 48, rng) for glyph in GLYPHS])
    assert made.dtype == np.uint8
    assert made.shape[1:] == (48, 48, 3)
    assert len({each.tobytes() for each in made}) == len(GLYPHS)


@pytest.mark.slow
def test_it_learns_to_tell_glyphs(tmp_path, capsys):
    how = GlyphRecipe(widths=(4, 8, 16), steps=150, lr=4e-3, side=32)
    train_perceptual(how, tmp_path / "p.h5")
    said = capsys.readouterr().err
    right = float(said.split("perceptual: ")[-1].split(" %")[0])
    assert right > 60
    assert vgg.load(tmp_path / "p.h5").conv3_3.out_channels == 16
