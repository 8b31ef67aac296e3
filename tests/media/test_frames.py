import errno
import json
import os
import shutil
import tracemalloc

import h5py
import numpy as np
import pandas as pd
import pytest

from tests.recognisers.samplers import EVERY, reading, sampler
from twinlens.artifacts import reader
from twinlens.artifacts.table import read_csv
from twinlens.errors import ArtifactError, DecodingError
from twinlens.flow.settings import FlowJob
from twinlens.flow.stage import flow
from twinlens.media import frames as stage
from twinlens.media import survey
from twinlens.media.frames import frames
from twinlens.media.settings import Decoding, Source
from twinlens.recognisers import FlowForm
from twinlens.resample.bicubic import resize
from twinlens.settings import mapping

CORPUS = {"part": "corpus", "source": {"kind": "corpus"}, "reading": EVERY}
LENGTHS = {"jump/a b": 9, "jump/c": 30, "run/d#1": 41, "run/e": 2}


@pytest.fixture(scope="module")
def videos(tmp_path_factory, make_video, noise):
    """Four clips of two classes, all of them tested."""
    root = tmp_path_factory.mktemp("own")
    for seed, (clip, length) in enumerate(LENGTHS.items()):
        make_video(root / "videos" / f"{clip}.avi", noise(length, seed=seed))
    rows = [f"{clip},test\n" for clip in LENGTHS]
    (root / "split.csv").write_text("clip,part\n" + "".join(rows))
    return root


@pytest.fixture
def own(videos, tmp_path):
    """A copy that a test may spoil."""
    shutil.copytree(videos, tmp_path / "own")
    return tmp_path / "own"


def decoding(root, part="test", source=None, seed=0, **settings):
    """The job of decoding a part, of which the frames are kept that TSN reads."""
    own = {
        "kind": "folder",
        "videos": str(root / "videos"),
        "split_file": str(root / "split.csv"),
    }
    fields = {
        "shard": 0,
        "shards": 1,
        "reading": reading(sampler(part, seed=seed)),
        **settings,
    }
    source = Source(**{**own, **(source or {})})
    return Decoding(dataset="own", source=source, part=part, **fields)


def run(root, out, **settings):
    """Decode the test part; the artifact's path and its report."""
    path, report = out / "test-00.h5", out / "test-00.csv"
    frames(decoding(root, **settings), path, report)
    return path, read_csv(report, "report/1").set_index("clip")


def read(path):
    """The arrays and facts of each clip."""
    with reader.open(path, "frames/1") as file:
        return {
            name: {
                "facts": file.clip(name).facts,
                **{key: item[:] for key, item in file.clip(name).items()},
            }
            for name in file.clips
        }


def same(one, other):
    np.testing.assert_equal(read(one), read(other))


# --- what is kept ---------------------------------------------------------------------


def test_every_frame_is_kept_where_asked_for(videos, tmp_path, noise):
    path, report = run(videos, tmp_path, reading=EVERY)
    for seed, (clip, length) in enumerate(LENGTHS.items()):
        found = read(path)[clip]
        np.testing.assert_array_equal(found["frames"], noise(length, seed=seed))
        np.testing.assert_array_equal(found["index"], np.arange(length))
        assert report["kept"][clip] == length


def test_else_those_frames_are_kept_that_the_recogniser_reads(videos, tmp_path):
    every = read(run(videos, tmp_path / "all", reading=EVERY)[0])
    kept = read(run(videos, tmp_path / "kept")[0])
    for clip, length in LENGTHS.items():
        index = kept[clip]["index"]
        expected = sampler().frames(length, clip)
        np.testing.assert_array_equal(index, expected)
        np.testing.assert_array_equal(
            kept[clip]["frames"], every[clip]["frames"][index]
        )
    assert len(kept["run/d#1"]["index"]) < 41


def test_positions_of_training_clips_are_drawn_from_the_seed(videos, tmp_path):
    (videos / "train.csv").write_text("clip,part\nrun/d#1,train\n")
    train = {"part": "train", "source": {"split_file": str(videos / "train.csv")}}
    drawn = []
    for seed in (0, 1):
        path, _ = run(videos, tmp_path / str(seed), seed=seed, **train)
        index = read(path)["run/d#1"]["index"]
        expected = sampler("train", seed=seed).frames(41, "run/d#1")
        np.testing.assert_array_equal(index, expected)
        drawn.append(index.tolist())
    assert drawn[0] != drawn[1]


def test_a_corpus_keeps_every_frame(videos, tmp_path):
    path, report = run(videos, tmp_path, **CORPUS)
    assert {clip: len(each["index"]) for clip, each in read(path).items()} == LENGTHS
    assert set(report["label"]) == {-1}


def test_what_is_kept_beyond_another_recogniser_s_completes_it(videos, tmp_path):
    few, many = sampler(), sampler(snippets=9, stack=4)
    choices = {
        "few": reading(few),
        "rest": reading(many, excluded=[few]),
        "both": reading(few, many),
    }
    few, rest, both = (
        run(videos, tmp_path / name, reading=each)[0] for name, each in choices.items()
    )
    whole = read(both)
    with reader.open_shards([few, rest], "frames/1") as parts:
        for name in parts.clips:
            index = whole[name]["index"]
            np.testing.assert_array_equal(parts.clip(name).index, index)
            found = parts.clip(name).at("frames", index)
            np.testing.assert_array_equal(found, whole[name]["frames"])
    assert read(rest)["run/e"]["frames"].shape == (0, 24, 32, 3)


def test_shards_together_hold_every_clip_once(videos, tmp_path):
    found = []
    for shard in range(3):
        path, report = run(videos, tmp_path / str(shard), shard=shard, shards=3)
        assert list(report.index) == list(read(path))
        found += list(report.index)
    assert sorted(found) == sorted(LENGTHS)


def test_the_artifact_says_where_it_comes_from(videos, tmp_path):
    path, _ = run(videos, tmp_path, seed=5, around=1)
    with reader.open(path, "frames/1", dataset="own", part="test") as file:
        about = file.about
    assert about["reading"] == json.loads(json.dumps(mapping(reading(sampler(seed=5)))))
    assert about["around"] == 1
    assert list(about["inputs"]) == [str(videos / "videos")]


def test_a_swapped_video_gives_another_identity(own, tmp_path, make_video, noise):
    before = reader.file_id(run(own, tmp_path / "1")[0])
    make_video(own / "videos/jump/c.avi", noise(30, seed=99))
    assert reader.file_id(run(own, tmp_path / "2")[0]) != before


def test_a_moved_folder_gives_the_same_identity(own, tmp_path):
    before = reader.file_id(run(own, tmp_path / "1")[0])
    moved = own.rename(tmp_path / "moved")
    assert reader.file_id(run(moved, tmp_path / "2")[0]) == before


# --- the size of a corpus -------------------------------------------------------------


def corpus(short_side):
    source = {"kind": "corpus", "short_side": short_side}
    return {**CORPUS, "source": source}


def test_a_large_clip_is_brought_to_the_papers_size(tmp_path, make_video, noise):
    large = noise(2, height=720, width=1280)
    make_video(tmp_path / "videos/a.avi", large)
    path, report = run(tmp_path, tmp_path / "out", **corpus(240))
    kept = read(path)["a"]["frames"]
    assert kept.shape == (2, 240, 427, 3)
    np.testing.assert_array_equal(kept, resize(large, (240, 427)))
    assert (report["width"]["a"], report["height"]["a"]) == (427, 240)


def test_an_upright_clip_keeps_its_aspect(tmp_path, make_video, noise):
    make_video(tmp_path / "videos/a.avi", noise(2, height=64, width=36))
    path, _ = run(tmp_path, tmp_path / "out", **corpus(18))
    assert read(path)["a"]["frames"].shape == (2, 32, 18, 3)


def test_a_small_clip_is_not_enlarged(tmp_path, make_video, noise):
    make_video(tmp_path / "videos/a.avi", noise(2))
    path, _ = run(tmp_path, tmp_path / "out", **corpus(240))
    np.testing.assert_array_equal(read(path)["a"]["frames"], noise(2))


# --- clips that can't be used ---------------------------------------------------------


def test_clips_carry_their_frames_and_label(videos, tmp_path):
    facts = {
        clip: each["facts"] for clip, each in read(run(videos, tmp_path)[0]).items()
    }
    assert {clip: each["frames"] for clip, each in facts.items()} == LENGTHS
    assert [each["label"] for each in facts.values()] == [0, 0, 1, 1]


def test_the_report_has_a_row_a_clip(videos, tmp_path):
    path, report = run(videos, tmp_path)
    row = report.loc["run/d#1"]
    assert (row["status"], row["note"], row["class"]) == ("ok", "", "run")
    assert (row["label"], row["part"], row["frames"]) == (1, "test", 41)
    assert (row["width"], row["height"], row["fps"]) == (32, 24, 10.0)
    assert row["end"] == "whole"
    assert row["sha1"] == read(path)["run/d#1"]["facts"]["sha1"]
    assert row["path"] == str(videos / "videos/run/d#1.avi")
    assert list(report.index) == list(LENGTHS)


SPOILT = {
    "emptied": (lambda path: path.write_bytes(b""), "the file is empty"),
    "text": (lambda path: path.write_text("not found" * 99), "ffmpeg: "),
    "cut": (
        lambda path: os.truncate(path, path.stat().st_size // 2),
        r"truncated: the file ends \d+ bytes before",
    ),
    "dangling": (
        lambda path: (path.unlink(), path.symlink_to("/nowhere.avi")),
        "no such file",
    ),
    "folder": (lambda path: (path.unlink(), path.mkdir()), "not a regular file"),
}


@pytest.mark.parametrize("how", SPOILT)
def test_a_clip_that_can_not_be_used_is_reported(own, tmp_path, capsys, how):
    spoil, reason = SPOILT[how]
    bad = own / "videos/jump/c.avi"
    spoil(bad)
    path, report = run(own, tmp_path)
    assert list(report.index) == list(LENGTHS)
    assert report["status"].to_dict() == {
        clip: "rejected" if clip == "jump/c" else "ok" for clip in LENGTHS
    }
    assert np.all(report["note"].str.match(reason) == (report.index == "jump/c"))
    assert "jump/c" not in read(path)
    assert f"REJECTED {bad}: " in capsys.readouterr().err


def test_a_single_frame_is_rejected(own, tmp_path, make_video, noise):
    make_video(own / "videos/jump/c.avi", noise(1))
    _, report = run(own, tmp_path)
    assert report["note"]["jump/c"] == "one frame only: flow needs two"


def test_a_shard_of_which_every_clip_is_rejected_is_whole(own, tmp_path):
    for path in (own / "videos").rglob("*.avi"):
        path.write_text("not found")
    path, report = run(own, tmp_path)
    assert read(path) == {}
    assert set(report["status"]) == {"rejected"}


def test_a_shard_without_clips_is_whole(videos, tmp_path):
    (videos / "one.csv").write_text("clip,part\nrun/e,test\n")
    source = {"split_file": str(videos / "one.csv")}
    reports = [
        run(videos, tmp_path / str(number), source=source, shard=number, shards=9)[1]
        for number in range(9)
    ]
    assert sorted(map(len, reports)) == [0] * 8 + [1]


def test_numbers_stay_whole_beside_a_rejected_clip(own, tmp_path):
    """And flow is computed of the others."""
    (own / "videos/jump/c.avi").write_bytes(b"")
    path, report = run(own, tmp_path)
    assert report["frames"]["run/e"] == "2"
    job = FlowJob(
        dataset="own",
        method="hr",
        sampler=sampler(),
        form=FlowForm(flow="tvl1"),
        estimator={"kind": "tvl1", "preset": "fast"},
    )
    flow([path], job, tmp_path / "flow.h5")
    with reader.open(tmp_path / "flow.h5", "flow/1") as file:
        assert file.clips == [clip for clip in LENGTHS if clip != "jump/c"]


def test_what_ffmpeg_conceals_is_noted(own, tmp_path, make_video, noise):
    spoilt = own / "videos/run/d#1.avi"
    make_video(spoilt, noise(41), encoding="-c:v mpeg4")
    data = bytearray(spoilt.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 400] = bytes(400)
    spoilt.write_bytes(data)
    _, report = run(own, tmp_path)
    assert report["note"]["jump/c"] == ""
    assert report["status"]["run/d#1"] == "ok"
    assert report["note"]["run/d#1"].startswith("ffmpeg concealed errors: ")


def test_a_header_that_states_another_number_is_noted(own, tmp_path):
    path = own / "videos/jump/c.avi"
    data = bytearray(path.read_bytes())
    at = data.index(b"strh") + 40
    assert data[at : at + 4] == (30).to_bytes(4, "little")
    data[at : at + 4] = (34).to_bytes(4, "little")
    path.write_bytes(data)
    _, report = run(own, tmp_path)
    assert report["note"]["jump/c"] == "its header states 34 frames"
    assert report["note"]["run/d#1"] == ""
    assert set(report["status"]) == {"ok"}


# --- long clips -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "settings", [{}, {"reading": EVERY, "detail_at": 2}, {"around": 2}, CORPUS]
)
def test_a_long_clip_gives_the_same_as_if_it_was_held(
    videos, tmp_path, settings, monkeypatch
):
    held, expected = run(videos, tmp_path / "held", **settings)
    monkeypatch.setattr(survey, "HELD", 0)
    passed, report = run(videos, tmp_path / "passed", **settings)
    same(held, passed)
    pd.testing.assert_frame_equal(report, expected)


@pytest.mark.parametrize("settings", [{}, CORPUS])
def test_memory_does_not_grow_with_a_clip(tmp_path, make_video, monkeypatch, settings):
    """Of 69 MB of frames 8 are held, whether few of them are read or all."""
    make_video(tmp_path / "videos/c/a.avi", np.zeros((300, 240, 320, 3), np.uint8))
    (tmp_path / "split.csv").write_text("clip,part\nc/a,test\n")
    monkeypatch.setattr(survey, "HELD", 8 << 20)
    tracemalloc.start()
    try:
        run(tmp_path, tmp_path, **settings)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 24 << 20


def test_a_file_that_changes_between_decodings_is_no_clip(
    own, tmp_path, make_video, noise, monkeypatch
):
    monkeypatch.setattr(survey, "HELD", 0)
    real = stage.keep

    def keep(path, *words):
        make_video(path, noise(3, seed=9))
        return real(path, *words)

    monkeypatch.setattr(stage, "keep", keep)
    with pytest.raises(DecodingError, match="changed while it was decoded"):
        run(own, tmp_path)


def test_frames_that_are_read_are_within_the_limit(own, tmp_path):
    """Else the job ends: another reader may keep the clip, and rows would differ."""
    frame = 24 * 32 * 3
    source = {"limits": {"bytes": max(LENGTHS.values()) * frame}}
    _, report = run(own, tmp_path, reading=EVERY, source=source)
    assert set(report["status"]) == {"ok"}
    source = {"limits": {"bytes": 9 * frame}}
    with pytest.raises(ArtifactError, match=r"limit of 20736: raise limits\.bytes"):
        run(own, tmp_path / "few", reading=EVERY, source=source)


def test_a_full_disk_is_a_clear_error(videos, tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(survey, "HELD", 0)
    monkeypatch.setattr(os, "posix_fallocate", refuse)
    with pytest.raises(ArtifactError, match="No space left on device"):
        run(videos, tmp_path)


# --- killed and resumed ---------------------------------------------------------------


def test_a_resumed_run_ends_as_an_uninterrupted_one(videos, tmp_path, monkeypatch):
    whole, expected = run(videos, tmp_path / "whole")
    decode, left = stage.decode, [2]

    def interrupted(path, limits, consume):
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return decode(path, limits, consume)

    monkeypatch.setattr(stage, "decode", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(videos, tmp_path / "resumed")
    left[0] = 2
    resumed, report = run(videos, tmp_path / "resumed")
    same(whole, resumed)
    assert reader.file_id(whole) == reader.file_id(resumed)
    assert report.equals(expected)
    assert left == [0]


def test_a_resumed_run_reports_the_same_rejected_clips(own, tmp_path, monkeypatch):
    (own / "videos/jump/a b.avi").write_bytes(b"")
    _, expected = run(own, tmp_path / "whole")
    decode, seen = stage.decode, []

    def interrupted(path, limits, consume):
        seen.append(path)
        if len(seen) == 3:
            raise KeyboardInterrupt
        return decode(path, limits, consume)

    monkeypatch.setattr(stage, "decode", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(own, tmp_path / "resumed")
    _, report = run(own, tmp_path / "resumed")
    assert report.equals(expected)


def test_the_file_is_read_by_plain_hdf5(videos, tmp_path):
    path, _ = run(videos, tmp_path)
    with h5py.File(path) as file:
        assert file["clip/run/d#1/frames"].dtype == np.uint8
        assert file["clip/run/d#1/index"].dtype == np.int32


def test_the_report_says_what_a_clip_shows_and_which_have_the_same_frames(
    own, tmp_path, make_video, noise
):
    """The same frames in another container are the same, whatever the file's bytes."""
    moving, black = noise(12), np.zeros((12, 24, 32, 3), np.uint8)
    lossless = "-c:v ffv1 -pix_fmt bgr0 -f matroska"
    make_video(own / "videos/jump/c.avi", moving)
    (own / "videos/run/d#1.avi").unlink()
    make_video(own / "videos/run/d#1.mkv", moving, encoding=lossless)
    make_video(own / "videos/jump/a b.avi", black)
    make_video(own / "videos/run/e.avi", np.repeat(moving[:1], 12, axis=0))
    _, report = run(own, tmp_path)
    assert report["sha1"]["jump/c"] != report["sha1"]["run/d#1"]
    assert report["content"]["jump/c"] == report["content"]["run/d#1"]
    assert report["content"].nunique() == 3
    assert dict(report["look"]) == {
        "jump/a b": "one colour",
        "jump/c": "",
        "run/d#1": "",
        "run/e": "still",
    }
