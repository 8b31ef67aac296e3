import numpy as np
import pytest

from tests.patches.clips import moving
from twinlens import provenance
from twinlens.artifacts import reader
from twinlens.artifacts.shard import Shard
from twinlens.artifacts.table import read_csv
from twinlens.errors import ArtifactError
from twinlens.flow.motion import motion
from twinlens.protocol import Protocol, read_frames
from twinlens.quality.stage import judge

PROTOCOL = Protocol(snippets=3, stack=2, segments=1, positions=1)


def _frames(path, method, change=0):
    video, _ = moving(0)
    video = (video + np.uint8(change)).astype(np.uint8)
    index = read_frames(len(video), "test", PROTOCOL, "c/a", 0)
    about = provenance.about("made", [], {}, method=method, dataset="made", part="test")
    with Shard(path, "frames/1", about, ["c/a"]) as shard:
        arrays = {"frames": video[index], "index": index}
        shard.write("c/a", arrays, frames=len(video))
    return path


@pytest.fixture
def originals(tmp_path):
    return _frames(tmp_path / "hr.h5", "hr")


@pytest.fixture
def flows(tmp_path, originals):
    motion(originals, tmp_path / "motion.h5", PROTOCOL, pairs=2)
    return tmp_path / "motion.h5"


def test_motion_of_test_clips_goes_both_ways(flows):
    with reader.open(flows, "motion/1") as file:
        clip = file.clip("c/a")
        assert clip["index"][:].tolist() == [0, 12]
        forward, backward = clip["forward"][0], clip["backward"][0]
    assert np.median(forward[0]) == pytest.approx(2, abs=0.2)
    assert np.median(backward[0]) == pytest.approx(-2, abs=0.2)


def test_a_method_is_measured_clip_by_clip(tmp_path, originals, flows):
    made = _frames(tmp_path / "sr.h5", "mine", change=20)
    out = tmp_path / "q.csv"
    judge(made, originals, flows, "mine", PROTOCOL, out)
    (row,) = read_csv(out, "quality/2").to_dict("records")
    assert row["clip"] == "c/a"
    assert row["psnr"] == pytest.approx(20 * np.log10(255 / (20 * 219 / 255)), abs=0.01)
    assert row["frames"] == 3
    assert row["pairs"] == 2
    assert 0 <= row["warping_error"] < 0.003


def test_originals_have_a_warping_error_of_their_own(tmp_path, originals, flows):
    out = tmp_path / "q.csv"
    judge(originals, originals, flows, "hr", PROTOCOL, out)
    (row,) = read_csv(out, "quality/2").to_dict("records")
    assert row["psnr"] == np.inf
    assert row["warping_error"] < 0.003


def test_one_stream_s_frames_have_no_warping_error(tmp_path, originals, flows):
    out = tmp_path / "q.csv"
    judge(originals, originals, flows, "hr", PROTOCOL, out, steadiness=False)
    (row,) = read_csv(out, "quality/2").to_dict("records")
    assert row["frames"] == 3
    assert row["warping_error"] == ""


def test_another_method_s_frames_are_refused(tmp_path, originals, flows):
    with pytest.raises(ArtifactError, match="made for method 'hr'"):
        judge(originals, originals, flows, "mine", PROTOCOL, tmp_path / "q.csv")
