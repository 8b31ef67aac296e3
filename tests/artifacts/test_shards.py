"""Shards of the same clips are read as one, and clips pass their facts on."""

from contextlib import nullcontext

import numpy as np
import pytest

from tests.artifacts.made import ABOUT, KIND
from twinlens.artifacts import reader
from twinlens.artifacts.shard import Shard, map_clips
from twinlens.errors import ArtifactError

NAMES = ["Wave/a", "Clap/b"]
FIRST, SECOND = [0, 3, 4, 9], [1, 2, 7]


def frames(name, indices):
    """Frames of a clip, which show their index."""
    shown = np.asarray(indices, np.uint8)[..., None, None, None]
    return np.broadcast_to(shown + len(name), (*np.shape(indices), 2, 3, 3)).copy()


def shard(path, index, names=NAMES, **facts):
    with Shard(path, KIND, ABOUT, names) as output:
        for name in names:
            arrays = {"frames": frames(name, index), "index": np.array(index, np.int32)}
            output.write(name, arrays, **facts)
    return path


@pytest.fixture
def both(tmp_path):
    """Two shards that store different frames of the same clips."""
    facts = {"frames": 10, "label": 3, "fps": 25.0}
    return [
        shard(tmp_path / "first.h5", FIRST, **facts),
        shard(tmp_path / "second.h5", SECOND),
    ]


@pytest.mark.parametrize(
    "wanted",
    [0, [9, 0, 7, 2], [[1, 1, 3], [4, 2, 0]], [0, 3], [7], []],
    ids=["one", "any order", "any shape", "of the first", "of the second", "none"],
)
def test_frames_of_several_shards_are_found_by_their_index(both, wanted):
    wanted = np.array(wanted, int)
    with reader.open_shards(both, KIND) as source:
        assert source.clips == NAMES
        for name in NAMES:
            found = source.clip(name).at("frames", wanted)
            assert found.dtype == np.uint8
            np.testing.assert_array_equal(found, frames(name, wanted))


def test_a_shard_without_frames_of_a_clip_adds_none(both, tmp_path):
    none = shard(tmp_path / "none.h5", [])
    with reader.open_shards([none, *both], KIND) as source:
        clip = source.clip(NAMES[0])
        assert (clip.at("frames", [9, 2]) == frames(NAMES[0], [9, 2])).all()


def test_the_order_of_the_shards_does_not_matter(both):
    with reader.open_shards(both[::-1]) as source:
        found = source.clip("Clap/b").at("frames", [9, 1])
    np.testing.assert_array_equal(found, frames("Clap/b", [9, 1]))


def test_the_index_of_several_shards_is_their_union(both):
    with reader.open_shards(both) as source:
        assert source.clip("Wave/a").index.tolist() == sorted(FIRST + SECOND)
        assert source.clip("Wave/a").shape("frames") == (2, 3, 3)


def test_a_frame_that_two_shards_store_is_the_same(both, tmp_path):
    both.append(shard(tmp_path / "third.h5", [0, 1, 5]))
    with reader.open_shards(both) as source:
        clip = source.clip("Wave/a")
        assert clip.index.tolist() == [0, 1, 2, 3, 4, 5, 7, 9]
        found = clip.at("frames", [1, 5, 0])
    np.testing.assert_array_equal(found, frames("Wave/a", [1, 5, 0]))


@pytest.mark.parametrize("wanted", [8, [0, 8, 7], [[8, 1], [0, 8]], [8, 10]])
def test_a_frame_that_neither_stores_is_named_and_never_another(both, wanted):
    lacking = sorted(set(np.ravel(wanted)) - {*FIRST, *SECOND})
    words = f"Wave/a is stored without {', '.join(map(str, lacking))} "
    with (
        reader.open_shards(both) as source,
        pytest.raises(ArtifactError, match=words),
    ):
        source.clip("Wave/a").at("frames", wanted)


def test_rows_are_of_all_that_is_stored_and_refuse_what_is_not(both):
    with reader.open_shards(both, KIND) as shards:
        clip = shards.clip(shards.clips[0])
        assert clip.rows(clip.index).tolist() == list(range(len(clip.index)))
        lacking = int(clip.index.max()) + 1
        with pytest.raises(ArtifactError, match=f"is stored without {lacking}"):
            clip.rows([lacking])


def test_one_shard_is_read_as_itself(both):
    with reader.open_shards(both[:1]) as source:
        clip = source.clip("Wave/a")
        np.testing.assert_array_equal(clip.at("frames", 9), frames("Wave/a", 9))
        with pytest.raises(ArtifactError, match="stored without 1 "):
            clip.at("frames", 1)


@pytest.mark.parametrize("names", [["Wave/a"], ["Wave/a", "Clap/c"], NAMES[::-1]])
def test_shards_of_other_clips_are_refused(both, tmp_path, names):
    both[1] = shard(tmp_path / "other.h5", SECOND, names)
    with (
        pytest.raises(ArtifactError, match=r"other.h5: is not of the clips of .*first"),
        reader.open_shards(both),
    ):
        pass


def test_each_shard_must_be_what_its_reader_needs(both):
    with (
        pytest.raises(ArtifactError, match="second.h5: has format"),
        reader.open_shards([both[0], shard_of_flow(both[1])], KIND),
    ):
        pass
    with (
        pytest.raises(ArtifactError, match="made for dataset 'yard', not 'shed'"),
        reader.open_shards(both, KIND, dataset="shed"),
    ):
        pass


def shard_of_flow(path):
    path.unlink()
    with Shard(path, "flow/1", ABOUT, NAMES) as output:
        for name in NAMES:
            output.write(name, {"index": np.zeros(1, np.int32)})
    return path


# --- facts ----------------------------------------------------------------------------


def mapped(paths, out, facts):
    """A shard that is computed from others: the facts of its clips."""
    with reader.open_shards(paths, KIND) as source:
        about = {**ABOUT, "id": "fedcba9876543210"}

        def compute(name, clip):
            return {"index": clip.index}, facts

        map_clips(source, out, "flow/1", about, compute, "mapped")
    with reader.open(out, "flow/1") as file:
        assert file.clips == NAMES
        return [file.clip(name).facts for name in NAMES]


def test_clips_pass_on_their_frames_and_label_alone(both, tmp_path):
    expected = {"frames": 10, "label": 3}
    assert mapped(both[:1], tmp_path / "one.h5", {}) == [expected] * 2
    assert mapped(both, tmp_path / "two.h5", {}) == [expected] * 2


def test_facts_that_are_computed_come_beside_those_that_are_inherited(both, tmp_path):
    found = mapped(both, tmp_path / "x.h5", {"height": 9, "label": 4})
    assert found == [{"frames": 10, "label": 4, "height": 9}] * 2


def test_clips_of_one_artifact_pass_their_facts_on_too(both, tmp_path):
    with reader.open(both[0], KIND) as source:
        map_clips(source, tmp_path / "x.h5", KIND, ABOUT, lambda *_: ({}, {}), "mapped")
    with reader.open(tmp_path / "x.h5") as file:
        assert file.clip("Wave/a").inherited == {"frames": 10, "label": 3}


def test_a_mapping_that_was_interrupted_computes_the_rest_alone(
    both, tmp_path, monkeypatch
):
    monkeypatch.setenv("TWINLENS_PART_SECONDS", "0")
    seen = []

    def compute(name, clip):
        seen.append(name)
        if len(seen) == 2:
            raise KeyboardInterrupt
        return {"index": clip.index}, {}

    for ends in (pytest.raises(KeyboardInterrupt), nullcontext()):
        with ends, reader.open_shards(both) as source:
            map_clips(source, tmp_path / "x.h5", KIND, ABOUT, compute, "mapped")
    assert seen == [NAMES[0], NAMES[1], NAMES[1]]
