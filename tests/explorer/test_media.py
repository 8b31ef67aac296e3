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
from twinlens.explorer.media import most_disputed, strip, write_media
from twinlens.explorer.settings import Explorer, MediaJob
from twinlens.tables.accuracy import Scores
from twinlens.tables.settings import FigureJob


def decoded(clip, name):
    picture = cv2.imdecode(clip[name][:], cv2.IMREAD_COLOR)
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


def test_a_clip_has_a_strip_of_frames_and_of_flow_by_every_method(small):
    with reader.open(small.inputs[-1], "media/1") as file:
        assert len(file.clips) == 3
        clip = file.clip("c/two")
        strips = {each for each in clip if each != "index"}
        methods = {"bicubic", "vdsr", "hr"}
        assert strips == {"low", *methods, *(f"{name}-flow" for name in methods)}
        assert clip.index.tolist() == list(range(3, 9))  # six in the middle
        frames, _ = clips.video("c/two")
        shown = decoded(clip, "hr").reshape(6, HEIGHT, WIDTH, 3).astype(float)
        assert np.abs(shown - frames[3:9]).mean() < 6
        assert decoded(clip, "low").shape == (6 * HEIGHT // 4, WIDTH // 4, 3)
        assert decoded(clip, "vdsr-flow").shape == (6 * HEIGHT, WIDTH, 3)
        assert (clip.facts["height"], clip.facts["width"]) == (HEIGHT, WIDTH)
        assert clip.facts["full"] >= 1


def test_a_frame_without_flow_is_white(tmp_path, small):
    out = media(tmp_path, layout("tsn"), small.inputs, frames=TOTAL)
    with reader.open(out) as file:
        flow = decoded(file.clip("c/one"), "hr-flow").reshape(TOTAL, HEIGHT, WIDTH, 3)
    assert flow[-1, 8:].min() > 245  # the last frame has no next one
    assert flow[0].min() < 245


def test_clips_on_which_methods_agree_least_are_chosen():
    names = ["c/0", "c/1", "c/2", "d/0"]
    labels = np.array([0, 0, 0, 1])

    def of(*right):
        taken = np.where(right, labels, 1 - labels)
        return Scores(names, labels, {"spatial": np.eye(2)[taken]})

    rows = {"a": of(1, 0, 0, 1), "b": of(1, 1, 0, 1), "hr": of(1, 1, 0, 1)}
    assert most_disputed(rows, "spatial", 1) == {"c/1", "d/0"}
    assert most_disputed(rows, "spatial", 0) == set()
    assert most_disputed(rows, "spatial", 9) == set(names)


def test_clips_that_are_low_already_have_no_original(tmp_path, small):
    methods = {name: scores.method(name) for name in ("bicubic", "vdsr", "hr")}
    shown = scores.layout(methods, {"one": scores.dataset("One", has_hr=False)})
    job = MediaJob(
        shown=FigureJob(module="", dataset="one", layout=shown), explorer=Explorer()
    )
    stored = [each for each in shards(tmp_path) if each.name != "low-hr.h5"]
    inputs = [*stored, *of_dataset(small.inputs, "one")]
    out = tmp_path / "media.h5"
    write_media([each for each in inputs if each.name != "flow-hr.h5"], job, out)
    with reader.open(out) as file:
        strips = {each for each in file.clip("c/one") if each != "index"}
    assert strips == {"low", "bicubic", "vdsr", "bicubic-flow", "vdsr-flow"}


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
