"""Super-resolution of a shard: frames, sizes, provenance."""

import numpy as np
import pytest

from tests.recognition.clips import PROTOCOL, shard
from tests.training import runs
from twinlens.artifacts import reader
from twinlens.artifacts.shard import Shard
from twinlens.degrade.stage import degrade
from twinlens.errors import ArtifactError
from twinlens.protocol import read_frames, with_neighbours
from twinlens.sr.stage import super_resolve


@pytest.fixture
def low(tmp_path):
    """A low-resolution shard of two made-up clips."""
    files = shard(tmp_path, lengths=[40, 33])
    with reader.open(files["frames"]) as file:
        about = file.about
    _with_totals(files["frames"], about, {"a/clip0": 40, "a/clip1": 33})
    degrade(files["frames"], tmp_path / "low.h5")
    return tmp_path / "low.h5"


def _with_totals(path, about, totals):
    with reader.open(path) as file:
        clips = {
            name: {key: item[:] for key, item in file.clip(name).items()}
            for name in file.clips
        }
    with Shard(path, "frames/1", about, list(clips)) as frames:
        for name, arrays in clips.items():
            frames.write(name, arrays, frames=totals[name])


def _made(path):
    with reader.open(path, "frames/1") as file:
        return {
            name: {key: item[:] for key, item in file.clip(name).items()}
            for name in file.clips
        }


def test_frames_have_the_original_s_size_and_places(low, tmp_path):
    super_resolve(low, "bicubic", "bicubic", tmp_path / "sr.h5", PROTOCOL)
    made = _made(tmp_path / "sr.h5")["a/clip0"]
    wanted = read_frames(40, "test", PROTOCOL, "a/clip0", 0)
    assert made["index"].tolist() == wanted.tolist()
    assert made["frames"].shape == (len(wanted), 40, 48, 3)


def test_a_stream_s_frames_alone_are_the_same_and_fewer(low, tmp_path):
    super_resolve(low, "b", "bicubic", tmp_path / "both.h5", PROTOCOL)
    files = tmp_path / "one.h5"
    super_resolve(low, "b", "bicubic", files, PROTOCOL, streams=["spatial"])
    both, one = _made(tmp_path / "both.h5")["a/clip1"], _made(files)["a/clip1"]
    assert len(one["index"]) == PROTOCOL.snippets < len(both["index"])
    places = np.searchsorted(both["index"], one["index"])
    np.testing.assert_array_equal(one["frames"], both["frames"][places])


def test_a_trained_network_is_used_and_named(low, tmp_path):
    runs.train(tmp_path / "net", name="vdsr")
    weights = tmp_path / "net/vdsr.h5"
    out = tmp_path / "sr.h5"
    super_resolve(
        low,
        "vdsr",
        "vdsr",
        out,
        PROTOCOL,
        settings=runs.SETTINGS["vdsr"],
        weights=weights,
    )
    with reader.open(out) as file:
        about = file.about
    assert about["method"] == "vdsr"
    assert about["inputs"][str(weights)] == reader.file_id(weights)


def test_frames_of_another_data_set_are_refused(low, tmp_path):
    with pytest.raises(ArtifactError, match="made for dataset 'made', not 'yard'"):
        super_resolve(low, "b", "bicubic", tmp_path / "x.h5", PROTOCOL, dataset="yard")


def test_enlarged_frames_are_not_enlarged_again(low, tmp_path):
    once = tmp_path / "once.h5"
    super_resolve(low, "bicubic", "bicubic", once, PROTOCOL)
    with pytest.raises(ArtifactError, match="made for method 'bicubic', not 'hr'"):
        super_resolve(once, "bicubic", "bicubic", tmp_path / "x.h5", PROTOCOL)


def test_a_network_of_another_model_is_refused(low, tmp_path):
    runs.train(tmp_path / "net")
    with pytest.raises(ArtifactError, match="made for settings"):
        super_resolve(
            low,
            "vdsr",
            "vdsr",
            tmp_path / "sr.h5",
            PROTOCOL,
            settings={"width": 5, "depth": 3},
            weights=tmp_path / "net/net.h5",
        )


def test_the_network_of_another_method_is_refused(low, tmp_path):
    runs.train(tmp_path / "net", name="sosr")
    with pytest.raises(ArtifactError, match="made for network 'sosr', not 'vdsr'"):
        super_resolve(
            low,
            "vdsr",
            "vdsr",
            tmp_path / "sr.h5",
            PROTOCOL,
            settings=runs.SETTINGS["vdsr"],
            weights=tmp_path / "net/sosr.h5",
        )
    assert not (tmp_path / "sr.h5").exists()


def test_neighbours_stay_within_the_clip():
    wanted = np.array([0, 5, 9])
    assert with_neighbours(wanted, 0, 10).tolist() == [0, 5, 9]
    assert with_neighbours(wanted, 2, 10).tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert with_neighbours(wanted, 1, 10).tolist() == [0, 1, 4, 5, 6, 8, 9]
