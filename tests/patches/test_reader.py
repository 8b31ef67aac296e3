import multiprocessing
import pickle

import h5py
import numpy as np
import pandas as pd
import pytest
from torch.utils.data import DataLoader

from tests.patches.clips import NAME, patch_set
from twinlens.artifacts.table import read_csv, write_csv
from twinlens.errors import ArtifactError
from twinlens.patches.counts import count_patches
from twinlens.patches.reader import Patches
from twinlens.patches.settings import Counting, Split
from twinlens.patches.split import held_out, is_held_out
from twinlens.patches.stage import CLIP_COUNTS, COUNTS

WANTED = ["high", "speed"]


def _patches(path, validation=False, split=None):
    split = split or Split(share=0.25)
    return Patches([path], NAME, split, 0, validation=validation, wanted=WANTED)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return patch_set(tmp_path_factory.mktemp("patches"))[0]


def test_training_and_validation_share_no_clip(path):
    training, validation = _patches(path), _patches(path, validation=True)
    sides = [{clip for _, clip, _ in each._entries} for each in (training, validation)]
    assert not sides[0] & sides[1]
    assert len(sides[0]) == 3
    assert len(sides[1]) == 1
    assert len(training) + len(validation) == 16


def test_a_patch_has_what_was_asked_for(path):
    patch = _patches(path)[0]
    assert list(patch) == WANTED
    assert patch["high"].shape == (1, 32, 32, 3)


def test_several_workers_read_the_same(path):
    patches = _patches(path)
    patches[0]  # opened here, before the workers are forked
    loader = DataLoader(patches, batch_size=2, num_workers=2)
    read = np.concatenate([batch["high"].numpy() for batch in loader])
    one = np.stack([patches[index]["high"] for index in range(len(patches))])
    np.testing.assert_array_equal(read, one)


@pytest.mark.slow
def test_spawned_workers_read_the_same(path):
    patches = _patches(path)
    patches[0]
    copy = pickle.loads(pickle.dumps(patches))
    np.testing.assert_array_equal(copy[3]["high"], patches[3]["high"])
    loader = DataLoader(
        patches,
        num_workers=1,
        batch_size=4,
        multiprocessing_context=multiprocessing.get_context("spawn"),
    )
    assert next(iter(loader))["high"].shape == (4, 1, 32, 32, 3)


def test_a_flipped_bit_is_named(tmp_path):
    path, _ = patch_set(tmp_path)
    with h5py.File(path) as file:
        where = file["clip/clip0/high"].id.get_chunk_info(1).byte_offset
    with path.open("r+b") as raw:
        raw.seek(where + 20)
        byte = raw.read(1)[0]
        raw.seek(where + 20)
        raw.write(bytes([byte ^ 1]))
    patches = Patches(
        [path], NAME, Split(by="pair", share=0.01), 0, validation=False, wanted=WANTED
    )
    with pytest.raises(ArtifactError, match=r"patches\.h5: is damaged"):
        [patches[index] for index in range(len(patches))]


def test_patches_of_another_set_are_refused(tmp_path):
    path, _ = patch_set(tmp_path)
    with pytest.raises(ArtifactError, match="made for patches 'made', not 'other'"):
        Patches([path], "other", Split(), 0, validation=False, wanted=WANTED)


def test_pairs_where_single_frames_are_wanted_are_reported(tmp_path):
    path, _ = patch_set(tmp_path, pair=True)
    with pytest.raises(ArtifactError, match="its patches have no speed; pairs"):
        _patches(path)[0]


def test_no_patch_left_is_reported(tmp_path):
    path, _ = patch_set(tmp_path, least_variance=1.0)
    with pytest.raises(ArtifactError, match="no training patch is left"):
        _patches(path)


# --- splits ---------------------------------------------------------------------------


def test_a_split_by_clip_holds_out_at_least_one_and_leaves_one():
    clips = {f"clip{index}": 5 for index in range(30)}
    assert len(held_out(clips, Split(share=0.1), 0)) == 3
    assert len(held_out(clips, Split(share=0.001), 0)) == 1
    assert len(held_out({"a": 5, "b": 5}, Split(share=0.99), 0)) == 1
    assert held_out(clips, Split(), 0) != held_out(clips, Split(), 1)


def test_sets_of_one_corpus_hold_out_the_same_clips():
    clips = {f"clip{index}": 5 for index in range(30)}
    held = held_out(clips, Split(share=0.2), 0)
    lost = min(set(clips) - held)
    assert held_out(clips | {lost: 0}, Split(share=0.2), 0) == held
    assert len(held & held_out(clips | {min(held): 0}, Split(share=0.2), 0)) == 5


def test_one_clip_cannot_be_split():
    with pytest.raises(ArtifactError, match=r"training\.split\.by: pair"):
        held_out({"one": 3, "small": 0}, Split(), 0)


def test_a_split_by_pair_holds_out_about_its_share_and_whole_pairs():
    frames = np.repeat(np.arange(4000, dtype=np.int32), 2)
    mine = is_held_out("clip", frames, set(), Split(by="pair", share=0.0655), 0)
    assert mine.mean() == pytest.approx(0.0655, abs=0.012)
    np.testing.assert_array_equal(mine[::2], mine[1::2])


# --- counts ---------------------------------------------------------------------------


def _counted(folder, paper=None, split=None):
    path, counts = patch_set(folder)
    out = folder / "set.csv"
    split = split or Split(share=0.25)
    job = Counting(patches=NAME, corpus="Corpus", paper=paper, split=split, seed=0)
    count_patches([path], [counts], job, out)
    return read_csv(out, "counts/1")


def test_a_corpus_without_a_clip_is_reported(tmp_path):
    counts = tmp_path / "none.csv"
    write_csv(counts, CLIP_COUNTS, pd.DataFrame(columns=COUNTS))
    job = Counting(patches=NAME, corpus="Corpus", paper=None, split=Split(), seed=0)
    with pytest.raises(ArtifactError, match="Corpus: none of its clips can be used"):
        count_patches([], [counts], job, tmp_path / "set.csv")


def test_counts_are_joined_by_side_of_the_split(tmp_path):
    rows = _counted(tmp_path).set_index("part")
    assert rows.loc["training", "clips"] == 3
    assert rows.loc["validation", "clips"] == 1
    assert rows["kept"].tolist() == [12, 4]
    assert rows["published"].tolist() == ["", ""]


def test_published_counts_stand_beside_those_of_cdvl_alone(tmp_path):
    rows = _counted(tmp_path, paper="CDVL-134")
    assert rows["published"].tolist() == [136_950, 9_830]


def test_a_leaky_split_is_reported(tmp_path, capsys):
    rows = _counted(tmp_path, split=Split(by="pair", share=0.3))
    assert "WARNING Corpus: clips stand on both sides" in capsys.readouterr().err
    assert rows["kept"].sum() == 16
    assert rows["split"].tolist() == ["pair", "pair"]


def test_clips_without_patches_are_never_held_out():
    clips = {f"clip{number}": number % 2 for number in range(20)}
    for seed in range(20):
        held = held_out(clips, Split(share=0.2), seed)
        assert len(held) == 2
        assert all(clips[name] for name in held)
