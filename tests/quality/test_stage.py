from dataclasses import replace

import numpy as np
import pytest

from tests.patches.clips import moving
from tests.recognisers.samplers import sampler
from twinlens import provenance
from twinlens.artifacts import reader
from twinlens.artifacts.shard import Shard
from twinlens.artifacts.table import read_csv
from twinlens.errors import ArtifactError
from twinlens.flow.motion import motion
from twinlens.flow.settings import MotionJob
from twinlens.quality import measures
from twinlens.quality.settings import Measurement
from twinlens.quality.stage import measure

TSN = sampler(segments=1)
JOB = Measurement(
    dataset="made", method="hr", flow="tvl1", sampler=TSN, consistency=True
)
MINE = replace(JOB, method="mine")


def _frames(path, method, change=0, index=None):
    video, _ = moving(0)
    video = (video + np.uint8(change)).astype(np.uint8)
    index = TSN.frames(len(video), "c/a") if index is None else index
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
    job = MotionJob(
        dataset="made",
        flow="tvl1",
        estimator={"kind": "tvl1", "preset": "fast"},
        pairs=2,
        gap=1,
        sampler=TSN,
        seed=0,
    )
    motion([originals], job, tmp_path / "motion.h5")
    return tmp_path / "motion.h5"


def _measured(frames, originals, flows, job):
    """The line of the clip."""
    out = flows.with_name("q.csv")
    measure(frames, [originals], flows, job, out)
    (row,) = read_csv(out, "quality/2").to_dict("records")
    return row


def test_motion_of_test_clips_goes_both_ways(flows):
    with reader.open(flows, "motion/1") as file:
        clip = file.clip("c/a")
        assert clip["index"][:].tolist() == [0, 12]
        forward, backward = clip["forward"][0], clip["backward"][0]
    assert np.median(forward[0]) == pytest.approx(2, abs=0.2)
    assert np.median(backward[0]) == pytest.approx(-2, abs=0.2)


def test_a_method_is_measured_clip_by_clip(tmp_path, originals, flows):
    output = _frames(tmp_path / "sr.h5", "mine", change=20)
    row = _measured([output], originals, flows, MINE)
    assert row["clip"] == "c/a"
    assert (row["dataset"], row["method"]) == ("made", "mine")
    assert row["psnr"] == pytest.approx(20 * np.log10(255 / (20 * 219 / 255)), abs=0.01)
    assert row["frames"] == 3
    assert row["pairs"] == 2
    assert 0 <= row["warping_error"] < 0.003


def test_frames_of_a_method_may_lie_in_two_shards(tmp_path, originals, flows):
    whole = _frames(tmp_path / "sr.h5", "mine", change=20)
    every = TSN.frames(16, "c/a")
    halves = [
        _frames(tmp_path / f"{start}.h5", "mine", 20, every[start::2])
        for start in (0, 1)
    ]
    expected = _measured([whole], originals, flows, MINE)
    assert _measured(halves, originals, flows, MINE) == expected


def test_originals_have_a_warping_error_of_their_own(originals, flows):
    row = _measured([originals], originals, flows, JOB)
    assert row["psnr"] == measures.EXACT
    assert row["warping_error"] < 0.003


def test_without_the_frames_of_flow_there_is_no_warping_error(originals, flows):
    job = replace(JOB, consistency=False)
    row = _measured([originals], originals, flows, job)
    assert row["frames"] == 3
    assert row["warping_error"] == ""


def test_another_method_s_frames_are_refused(originals, flows):
    with pytest.raises(ArtifactError, match="made for method 'hr'"):
        _measured([originals], originals, flows, MINE)


def test_a_frame_to_compare_that_is_not_stored_is_named(tmp_path, originals, flows):
    output = _frames(tmp_path / "sr.h5", "mine", index=TSN.frames(16, "c/a")[1:-1])
    with pytest.raises(ArtifactError, match=r"sr\.h5: c/a is stored without"):
        _measured([output], originals, flows, MINE)
