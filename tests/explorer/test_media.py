"""Pictures of clips for the explorer."""

import cv2
import numpy as np
import pytest

from tests.explorer.conftest import layout, media, of_dataset, shards
from tests.figures import clips
from tests.figures.clips import HEIGHT, TOTAL, WIDTH
from tests.tables import scores
from twinlens.artifacts import reader
from twinlens.errors import ArtifactError
from twinlens.explorer.media import strip, write_media
from twinlens.explorer.settings import Explorer, MediaJob
from twinlens.tables.accuracy import Scores
from twinlens.tables.facts import most_disputed

METHODS = ("bicubic", "vdsr", "hr")


def decoded(clip, name):
    picture = cv2.imdecode(clip[name][:], cv2.IMREAD_COLOR)
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


def test_a_clip_has_a_strip_of_frames_and_of_flow_by_every_method(small):
    with reader.open(small.inputs[-1], "media/1") as file:
        assert len(file.clips) == 3
        clip = file.clip("c/two")
        strips = {each for each in clip if not each.endswith("index")}
        kinds = [f"{kind}-{m}" for kind in ("frames", "flow") for m in METHODS]
        assert strips == {"low", *kinds}
        assert clip.index.tolist() == list(range(3, 9))  # six in the middle
        assert clip["flow_index"][:].tolist() == list(range(3, 9))
        frames, _ = clips.video("c/two")
        shown = decoded(clip, "frames-hr").reshape(6, HEIGHT, WIDTH, 3).astype(float)
        assert np.abs(shown - frames[3:9]).mean() < 6
        assert decoded(clip, "low").shape == (6 * HEIGHT // 4, WIDTH // 4, 3)
        assert decoded(clip, "flow-vdsr").shape == (6 * HEIGHT, WIDTH, 3)
        assert (clip.facts["height"], clip.facts["width"]) == (HEIGHT, WIDTH)
        assert clip.facts["full"] >= 1


def test_flow_is_of_those_frames_that_have_it(tmp_path, small):
    out = media(tmp_path, layout("tsn"), small.inputs, frames=TOTAL)
    with reader.open(out) as file:
        clip = file.clip("c/one")
        assert clip.index.tolist() == list(range(TOTAL))
        assert clip["flow_index"][:].tolist() == list(range(TOTAL - 1))
        assert decoded(clip, "flow-hr").shape == ((TOTAL - 1) * HEIGHT, WIDTH, 3)


def test_clips_without_any_flow_in_common_have_frames(tmp_path, small):
    stored = shards(tmp_path)
    few = clips.shard(tmp_path / "few", "flow", "vdsr", [11])
    inputs = [each for each in stored if each.name != "flow-vdsr.h5"] + [few]
    job = MediaJob(dataset="one", layout=layout("tsn"), explorer=Explorer())
    write_media([*inputs, *of_dataset(small.inputs, "one")], job, tmp_path / "m.h5")
    with reader.open(tmp_path / "m.h5") as file:
        clip = file.clip("c/one")
        assert len(clip["flow_index"]) == 0
        assert not [each for each in clip if each.startswith("flow-")]


def test_a_shard_without_clips_has_no_pictures(tmp_path, small):
    stored = [clips.shard(tmp_path, "frames", name, names=[]) for name in METHODS]
    job = MediaJob(dataset="one", layout=layout("tsn"), explorer=Explorer())
    write_media(stored, job, tmp_path / "m.h5")
    with reader.open(tmp_path / "m.h5", "media/1") as file:
        assert file.clips == []


def test_strips_are_no_taller_than_their_format(tmp_path, small, monkeypatch):
    monkeypatch.setattr("twinlens.explorer.media.TALLEST", 5 * HEIGHT + 1)
    out = media(tmp_path, layout("tsn"), small.inputs, frames=TOTAL)
    with reader.open(out) as file:
        assert len(file.clip("c/one").index) == 5


def test_clips_on_which_methods_agree_least_are_chosen():
    names = ["c/0", "c/1", "c/2", "d/0"]
    scores_of = Scores(names, np.array([0, 0, 0, 1]), {})
    right = {"a": [1, 0, 0, 1], "b": [1, 1, 0, 1], "hr": [1, 1, 0, 1]}
    right = {name: np.array(each, bool) for name, each in right.items()}
    assert most_disputed(right, scores_of, names, 1) == ["c/1", "d/0"]
    assert most_disputed(right, scores_of, names, 0) == []
    assert set(most_disputed(right, scores_of, names, 9)) == set(names)
    assert most_disputed(right, scores_of, ["c/2"], 1) == ["c/2"]


def test_clips_that_are_low_already_have_no_original(tmp_path, small):
    methods = {name: scores.method(name) for name in ("bicubic", "vdsr", "hr")}
    shown = scores.layout(methods, {"one": scores.dataset("One", has_hr=False)})
    job = MediaJob(dataset="one", layout=shown, explorer=Explorer())
    stored = [each for each in shards(tmp_path) if each.name != "low-hr.h5"]
    inputs = [*stored, *of_dataset(small.inputs, "one")]
    out = tmp_path / "media.h5"
    write_media([each for each in inputs if each.name != "flow-hr.h5"], job, out)
    with reader.open(out) as file:
        strips = {each for each in file.clip("c/one") if not each.endswith("index")}
    kinds = [f"{kind}-{m}" for kind in ("frames", "flow") for m in ("bicubic", "vdsr")]
    assert strips == {"low", *kinds}


def test_originals_alone_of_low_clips_have_no_scores(tmp_path, small):
    shown = scores.layout(
        {"hr": scores.method("hr")}, {"one": scores.dataset("One", has_hr=False)}
    )
    job = MediaJob(dataset="one", layout=shown, explorer=Explorer())
    inputs = [*shards(tmp_path), *of_dataset(small.inputs, "one")]
    with pytest.raises(ArtifactError, match="one: no row that is selected has scores"):
        write_media(inputs, job, tmp_path / "media.h5")


def test_a_strip_has_its_colours():
    red = np.zeros((2, 32, 32, 3), np.uint8)
    red[..., 0] = 200
    picture = cv2.imdecode(strip(red), cv2.IMREAD_COLOR)
    assert picture.shape == (64, 32, 3)
    assert abs(int(picture[5, 5, 2]) - 200) < 4  # OpenCV has red last
    assert picture[5, 5, 0] < 4


def test_scores_of_other_clips_are_refused(tmp_path, small):
    with pytest.raises(ArtifactError, match="no scores of bicubic on one"):
        media(tmp_path, layout("tsn"), [])
