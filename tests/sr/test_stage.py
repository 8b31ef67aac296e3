"""Super-resolution of a shard: frames, sizes, provenance."""

import numpy as np
import pytest

from tests.recognisers.samplers import EVERY, reading, sampler
from tests.training import runs
from twinlens import models, provenance
from twinlens.artifacts import reader
from twinlens.artifacts.shard import Shard
from twinlens.degrade.settings import Degradation
from twinlens.degrade.stage import degrade
from twinlens.errors import ArtifactError
from twinlens.recognisers import with_neighbours
from twinlens.sr.settings import Enlargement
from twinlens.sr.stage import super_resolve

TSN = sampler(snippets=3, stack=5)
LENGTHS = {"a/clip0": 40, "a/clip1": 33}


def low_shard(path, choice, around=0):
    """A low-resolution shard of two clips of noise: the frames that are chosen."""
    originals = path.with_suffix(".hr.h5")
    about = provenance.about(
        "made", [], {}, dataset="made", method="hr", part="test", file=path.name
    )
    with Shard(originals, "frames/1", about, list(LENGTHS)) as shard:
        for label, (name, total) in enumerate(LENGTHS.items()):
            rng = np.random.default_rng(label)
            video = rng.integers(0, 256, (total, 40, 48, 3), dtype=np.uint8)
            index = with_neighbours(choice.frames(total, name), around, total)
            arrays = {"frames": video[index], "index": index}
            shard.write(name, arrays, frames=total, label=label)
    degrade(originals, Degradation(dataset="made"), path)
    return path


@pytest.fixture(scope="module")
def low(tmp_path_factory):
    return low_shard(tmp_path_factory.mktemp("low") / "low.h5", reading(TSN))


def enlargement(method="b", model="bicubic", dataset="made", **fields):
    """The job of enlarging what TSN reads."""
    fields = {"settings": {}, "reading": reading(TSN), **fields}
    return Enlargement(dataset=dataset, method=method, model=model, **fields)


def _read(path):
    with reader.open(path, "frames/1") as file:
        return {
            name: {
                "facts": file.clip(name).facts,
                **{key: item[:] for key, item in file.clip(name).items()},
            }
            for name in file.clips
        }


def test_frames_have_the_original_s_size_and_places(low, tmp_path):
    super_resolve([low], enlargement(), tmp_path / "sr.h5")
    output = _read(tmp_path / "sr.h5")["a/clip0"]
    wanted = TSN.frames(40, "a/clip0")
    assert output["index"].tolist() == wanted.tolist()
    assert output["frames"].shape == (len(wanted), 40, 48, 3)


def test_a_head_s_frames_alone_are_the_same_and_fewer(low, tmp_path):
    super_resolve([low], enlargement(), tmp_path / "both.h5")
    spatial = reading(sampler(inputs=["frames"], **TSN.sampling))
    super_resolve([low], enlargement(reading=spatial), tmp_path / "one.h5")
    both, one = (_read(tmp_path / f"{n}.h5")["a/clip1"] for n in ("both", "one"))
    assert len(one["index"]) == 3 < len(both["index"])
    places = np.searchsorted(both["index"], one["index"])
    np.testing.assert_array_equal(one["frames"], both["frames"][places])


def test_without_samplers_every_frame_there_is_is_enlarged(low, tmp_path):
    super_resolve([low], enlargement(reading=EVERY), tmp_path / "sr.h5")
    for name, clip in _read(tmp_path / "sr.h5").items():
        expected = TSN.frames(LENGTHS[name], name)
        np.testing.assert_array_equal(clip["index"], expected)


def test_clips_keep_their_frames_and_label(low, tmp_path):
    super_resolve([low], enlargement(), tmp_path / "sr.h5")
    facts = [clip["facts"] for clip in _read(tmp_path / "sr.h5").values()]
    assert facts == [{"frames": 40, "label": 0}, {"frames": 33, "label": 1}]


class Across(models.build("bicubic").__class__):
    """Reads three frames: each picture is the mean of its neighbours, enlarged."""

    frames = 3

    def forward(self, low):
        return super().forward(low.mean(1, keepdim=True))


@pytest.mark.parametrize("wide", [False, True], ids=["a frame", "three frames"])
@pytest.mark.parametrize("turned", [False, True], ids=["in order", "turned"])
def test_two_low_shards_are_enlarged_as_one(tmp_path, monkeypatch, wide, turned):
    first, second = TSN, sampler(snippets=9, stack=2)
    if wide:
        monkeypatch.setattr("twinlens.sr.stage.load", lambda *_: Across().eval())
    whole = low_shard(tmp_path / "whole.h5", reading(first, second), around=wide)
    parts = [
        low_shard(tmp_path / "first.h5", reading(first), around=wide),
        low_shard(
            tmp_path / "second.h5", reading(second, excluded=[first]), around=wide
        ),
    ]
    job = enlargement(reading=reading(second, first))
    super_resolve([whole], job, tmp_path / "expected.h5")
    super_resolve(parts[::-1] if turned else parts, job, tmp_path / "sr.h5")
    expected, found = (_read(tmp_path / f"{n}.h5") for n in ("expected", "sr"))
    np.testing.assert_equal(found, expected)
    with reader.open(tmp_path / "sr.h5") as file:
        assert file.about["inputs"] == reader.ids(*parts)


def test_low_frames_that_are_not_stored_are_named(tmp_path, low):
    job = enlargement(reading=reading(TSN, sampler(snippets=9)))
    with pytest.raises(ArtifactError, match=r"b: a/clip0 of .*low\.h5: frames that"):
        super_resolve([low], job, tmp_path / "sr.h5")


def test_a_trained_network_is_used_and_named(low, tmp_path):
    runs.train(tmp_path / "net", name="vdsr")
    weights, out = tmp_path / "net/vdsr.h5", tmp_path / "sr.h5"
    job = enlargement("vdsr", "vdsr", settings=runs.SETTINGS["vdsr"])
    super_resolve([low], job, out, weights)
    with reader.open(out) as file:
        about = file.about
    assert about["method"] == "vdsr"
    assert about["inputs"][str(weights)] == reader.file_id(weights)


def test_frames_of_another_data_set_are_refused(low, tmp_path):
    with pytest.raises(ArtifactError, match="made for dataset 'made', not 'yard'"):
        super_resolve([low], enlargement(dataset="yard"), tmp_path / "x.h5")


def test_enlarged_frames_are_not_enlarged_again(low, tmp_path):
    once, job = tmp_path / "once.h5", enlargement("bicubic")
    super_resolve([low], job, once)
    with pytest.raises(ArtifactError, match="made for method 'bicubic', not 'hr'"):
        super_resolve([once], job, tmp_path / "x.h5")
    with pytest.raises(ArtifactError, match="made for method 'bicubic', not 'hr'"):
        super_resolve([low, once], job, tmp_path / "x.h5")


def test_a_network_of_another_model_is_refused(low, tmp_path):
    runs.train(tmp_path / "net")
    job = enlargement("vdsr", "vdsr", settings={"width": 5, "depth": 3})
    with pytest.raises(ArtifactError, match="made for settings"):
        super_resolve([low], job, tmp_path / "sr.h5", tmp_path / "net/net.h5")


def test_the_network_of_another_method_is_refused(low, tmp_path):
    runs.train(tmp_path / "net", name="sosr")
    job = enlargement("vdsr", "vdsr", settings=runs.SETTINGS["vdsr"])
    with pytest.raises(ArtifactError, match="made for network 'sosr', not 'vdsr'"):
        super_resolve([low], job, tmp_path / "sr.h5", tmp_path / "net/sosr.h5")
    assert not (tmp_path / "sr.h5").exists()
