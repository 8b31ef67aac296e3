"""Shards of low-resolution clips."""

import numpy as np
import pytest

from twinlens import provenance
from twinlens.artifacts import reader
from twinlens.artifacts.shard import Shard
from twinlens.degrade.settings import Degradation
from twinlens.degrade.stage import degrade
from twinlens.errors import ArtifactError
from twinlens.resample import downscale

INDEX = np.array([1, 4, 9], np.int32)


@pytest.fixture
def originals(tmp_path, noise):
    about = provenance.about("frames", [], {}, dataset="own", method="hr", part="test")
    with Shard(tmp_path / "hr.h5", "frames/1", about, ["a", "b"]) as shard:
        arrays = {"frames": noise(3, height=22, width=30), "index": INDEX}
        shard.write("a", arrays, frames=10, label=2, fps=25.0)
        none = {"frames": arrays["frames"][:0], "index": INDEX[:0]}
        shard.write("b", none, frames=12, label=0)
    return tmp_path / "hr.h5"


def test_every_frame_is_shrunk_and_keeps_its_place(originals, tmp_path, noise):
    degrade(originals, Degradation(dataset="own"), tmp_path / "low.h5")
    with reader.open(tmp_path / "low.h5", "low/1", dataset="own", part="test") as file:
        clip = file.clip("a")
        assert clip.index.tolist() == INDEX.tolist()
        expected = downscale(noise(3, height=22, width=30))
        np.testing.assert_array_equal(clip["frames"][:], expected)
        sides = {"height": 22, "width": 30}
        assert clip.facts == {"frames": 10, "label": 2, **sides}
        assert file.about["scale"] == 4


def test_a_clip_of_which_no_frame_is_stored_stays_one(originals, tmp_path):
    degrade(originals, Degradation(dataset="own"), tmp_path / "low.h5")
    with reader.open(tmp_path / "low.h5") as file:
        assert file.clip("b")["frames"].shape == (0, 6, 8, 3)
        assert file.clip("b").facts["frames"] == 12


def test_frames_of_another_data_set_are_refused(originals, tmp_path):
    with pytest.raises(ArtifactError, match="made for dataset 'own', not 'yard'"):
        degrade(originals, Degradation(dataset="yard"), tmp_path / "low.h5")
