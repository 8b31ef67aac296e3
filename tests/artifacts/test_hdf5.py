import errno
import fcntl
import hashlib
import random

import h5py
import numpy as np
import pytest

from tests.artifacts.made import (
    ABOUT,
    KIND,
    NAMES,
    another,
    bare,
    content,
    interrupted,
    opened,
    outcome,
    write,
)
from twinlens.artifacts import reader, writer
from twinlens.artifacts.shard import Shard
from twinlens.errors import ArtifactError


@pytest.fixture
def whole(tmp_path):
    path = tmp_path / "whole.h5"
    write(path)
    return path


def test_a_cut_file_is_never_taken_for_whole(whole):
    raw, rng = whole.read_bytes(), random.Random(1)
    for length in rng.sample(range(len(raw)), 50):
        whole.write_bytes(raw[:length])
        with pytest.raises(
            ArtifactError, match="whole.h5.*make it again .*: snakemake"
        ):
            content(whole)


def test_a_file_that_is_not_ours_is_never_to_be_removed(tmp_path):
    video = tmp_path / "mine.avi"
    video.write_bytes(b"RIFF" * 100)
    with pytest.raises(ArtifactError) as error:
        opened(video)
    assert "is not a whole HDF5 file" in str(error.value)
    assert "rm " not in str(error.value)


def test_a_folder_is_named_as_one(tmp_path):
    with pytest.raises(ArtifactError, match="is a folder"):
        opened(tmp_path)


@pytest.mark.slow
def test_a_flipped_bit_is_an_error_and_never_a_number(whole):
    expected, raw, rng = content(whole), whole.read_bytes(), random.Random(2)
    refused = 0
    for place in rng.sample(range(8 * len(raw)), 300):
        damaged = bytearray(raw)
        damaged[place // 8] ^= 1 << place % 8
        whole.write_bytes(damaged)
        found = outcome(whole)
        assert found == expected or str(whole) in found
        refused += found != expected
    assert refused > 200


def test_a_zeroed_block_is_an_error(whole):
    expected, raw, rng = content(whole), whole.read_bytes(), random.Random(3)
    for start in rng.sample(range(len(raw) - 64), 50):
        whole.write_bytes(raw[:start] + bytes(64) + raw[start + 64 :])
        found = outcome(whole)
        assert found == expected or str(whole) in found


def test_of_two_open_files_the_damaged_one_is_named(whole, tmp_path):
    other = tmp_path / "other.h5"
    write(other)
    with h5py.File(whole) as file:
        item = file[f"clip/{NAMES[0]}/frames"]
        place = item.id.get_chunk_info(0).byte_offset
    raw = bytearray(whole.read_bytes())
    raw[place] ^= 1
    whole.write_bytes(raw)
    with (
        pytest.raises(ArtifactError, match="whole.h5: is damaged"),
        reader.open(whole) as first,
        reader.open(other),
    ):
        first.clip(NAMES[0])["frames"][:]


def test_an_error_of_the_reader_itself_goes_through(whole):
    with pytest.raises(RuntimeError, match="mine"), reader.open(whole):
        raise RuntimeError("mine")


def test_a_damaged_part_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("TWINLENS_PART_SECONDS", "0")
    path = tmp_path / "made.h5"
    part = interrupted(path, NAMES[:1]) / "part-0000.h5"
    part.write_bytes(part.read_bytes()[:-100])
    with pytest.raises(ArtifactError, match="part-0000.h5.*rm"):
        write(path)
    part.unlink()
    assert write(path) == NAMES


def test_a_removed_part_is_written_again(tmp_path, monkeypatch):
    monkeypatch.setenv("TWINLENS_PART_SECONDS", "0")
    path = tmp_path / "made.h5"
    (interrupted(path, NAMES) / "part-0001.h5").unlink()
    assert write(path) == [NAMES[1]]
    write(tmp_path / "whole.h5")
    assert content(path) == content(tmp_path / "whole.h5")


def test_an_emptied_file_is_refused(whole):
    whole.write_bytes(b"")
    with pytest.raises(ArtifactError, match="whole.h5: is empty.*make it again"):
        opened(whole)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ArtifactError, match="gone.h5: no such file"):
        opened(tmp_path / "gone.h5")


def test_a_text_file_is_refused(tmp_path):
    path = tmp_path / "text.h5"
    path.write_text("not found")
    with pytest.raises(ArtifactError, match="text.h5: is not a whole HDF5 file"):
        opened(path)


def test_another_format_is_refused(whole):
    with pytest.raises(ArtifactError, match="has format frames/1, not flow/1"):
        opened(whole, "flow/1")


def test_another_version_is_refused(whole):
    with pytest.raises(ArtifactError, match="has format frames/1, not frames/2"):
        opened(whole, "frames/2")


def test_a_foreign_hdf5_file_is_refused(tmp_path):
    path = tmp_path / "foreign.h5"
    h5py.File(path, "w").close()
    words = "is an HDF5 file of another program, not a twinlens artifact: name"
    with pytest.raises(ArtifactError, match=words):
        opened(path)


def test_a_file_that_was_never_finished_is_refused(tmp_path):
    path = tmp_path / "half.h5"
    with bare(path):
        pass
    with pytest.raises(ArtifactError, match="was never finished"):
        opened(path, KIND)


def test_a_swapped_file_is_refused(whole):
    with pytest.raises(ArtifactError, match="for dataset 'yard', not 'workshop'"):
        opened(whole, KIND, dataset="workshop")


def test_external_links_are_refused(whole, tmp_path):
    path = tmp_path / "linked.h5"
    with bare(path, seal="forged") as file:
        file["clip/x"] = h5py.ExternalLink(whole, "/clip")
    with pytest.raises(
        ArtifactError, match="linked.h5: has other links than its own at clip"
    ):
        opened(path, KIND)


def test_external_storage_is_refused(tmp_path):
    path, other = tmp_path / "outside.h5", tmp_path / "raw.bin"
    other.write_bytes(bytes(64))
    with bare(path, seal="forged") as file:
        file.create_dataset("x", (64,), "u1", external=[(other, 0, 64)])
    with pytest.raises(
        ArtifactError, match="outside.h5: does not keep x as artifacts do"
    ):
        opened(path, KIND)


def test_virtual_datasets_are_refused(whole, tmp_path):
    path = tmp_path / "virtual.h5"
    layout = h5py.VirtualLayout((len(NAMES),), "S30")
    layout[:] = h5py.VirtualSource(whole, "clips", (len(NAMES),))
    with bare(path, seal="forged") as file:
        file.create_virtual_dataset("x", layout)
    with pytest.raises(
        ArtifactError, match="virtual.h5: does not keep x as artifacts do"
    ):
        opened(path, KIND)


# --- what is stored ------------------------------------------------------------------


def test_an_array_without_items_is_kept(tmp_path):
    path = tmp_path / "x.h5"
    with writer.create(path, KIND, ABOUT) as file:
        writer.put(file, "x", np.zeros((0, 4, 3), np.uint8))
    with reader.open(path) as file:
        assert file["x"].shape == (0, 4, 3)


def test_a_single_frame_is_one_read(tmp_path):
    path = tmp_path / "x.h5"
    with writer.create(path, KIND, ABOUT) as file:
        writer.put(file, "frames", np.zeros((5, 48, 64, 3), np.uint8))
        assert file["frames"].chunks == (1, 48, 64, 3)


def test_plain_hdf5_reads_it_and_finds_a_digest_for_each_chunk(whole):
    with h5py.File(whole) as file:
        frames = file[f"clip/{NAMES[0]}/frames"]
        assert frames.shape == (3, 6, 8, 3)
        assert frames.attrs["xxh3"].dtype == np.uint64
        assert len(frames.attrs["xxh3"]) == frames.id.get_num_chunks() == 3
        assert not frames.fletcher32


@pytest.mark.parametrize("key", [2, -1, slice(None), slice(1, 6), slice(5, 1, -2)])
@pytest.mark.parametrize("item", [(), (70, 2), (7,)])
def test_rows_are_read_as_numpy_has_them(tmp_path, key, item):
    rng = np.random.default_rng(0)
    array = rng.integers(0, 256, (2000, *item)).astype(np.int32)
    path = tmp_path / "x.h5"
    with writer.create(path, KIND, ABOUT) as file:
        writer.put(file, "x", array)
    picked = rng.integers(0, 2000, (4, 3))
    with reader.open(path) as file:
        np.testing.assert_array_equal(file["x"][key], array[key])
        np.testing.assert_array_equal(file["x"][picked], array[picked])
        assert file["x"][np.zeros(0, np.int64)].shape == (0, *item)


def test_twenty_thousand_frames_have_their_digests(tmp_path):
    frames = np.arange(20_000 * 128, dtype=np.int64).astype(np.uint8).reshape(-1, 128)
    with writer.create(tmp_path / "x.h5", KIND, ABOUT) as file:
        writer.put(file, "frames", frames)
    with reader.open(tmp_path / "x.h5") as file:
        np.testing.assert_array_equal(file["frames"][:], frames)


@pytest.mark.parametrize(
    "value", [5, -1, 10**12, True, 0.5, "größe", ["mse", "größe"], np.zeros((0, 2))]
)
def test_every_attribute_is_sealed(tmp_path, value):
    path = tmp_path / "x.h5"
    with writer.create(path, KIND, ABOUT) as file:
        file.attrs["fact"] = value
    opened(path)
    with h5py.File(path, "r+") as file:
        file.attrs["fact"] = 6 if isinstance(value, int) else "another"
    with pytest.raises(ArtifactError, match="its seal is of other contents"):
        opened(path)


# --- items by their index in the clip -------------------------------------------------


@pytest.fixture
def sparse(tmp_path):
    path, frames = tmp_path / "sparse.h5", np.arange(3)[:, None] + np.zeros((3, 5))
    with Shard(path, KIND, ABOUT, ["a/b"]) as shard:
        index = np.array([1, 18, 35], np.int32)
        shard.write("a/b", {"frames": frames, "index": index}, frames=36)
    with reader.open(path) as file:
        yield file.clip("a/b")


def test_items_are_found_by_their_index_in_the_clip(sparse):
    assert sparse.at("frames", [[35, 1], [18, 18]])[..., 0].tolist() == [[2, 0], [1, 1]]
    assert sparse.at("frames", 18)[0] == 1


@pytest.mark.parametrize("wanted", [[0], [2, 18], [36], 17, [[1, 2], [3, 35]]])
def test_an_item_that_is_not_stored_is_named_and_never_another(sparse, wanted):
    lacking = sorted(set(np.ravel(wanted)) - {1, 18, 35})
    words = f"sparse.h5: a/b is stored without {', '.join(map(str, lacking))} "
    with pytest.raises(ArtifactError, match=words):
        sparse.at("frames", wanted)


def test_a_clip_of_another_shard_is_named(sparse, tmp_path):
    with (
        pytest.raises(ArtifactError, match=r"sparse\.h5: holds no clip a/c"),
        reader.open(tmp_path / "sparse.h5") as file,
    ):
        file.clip("a/c")


# --- others that have it open ---------------------------------------------------------


def test_a_file_that_a_notebook_reads_is_read(whole):
    with h5py.File(whole):
        assert content(whole)["names"] == NAMES


def test_a_file_that_a_notebook_writes_to_is_said_to_be_open(whole):
    def notebook(wait):
        with h5py.File(whole, "r+"):
            wait()

    with another(notebook), pytest.raises(ArtifactError) as error:
        opened(whole)
    assert "is open for writing in another program" in str(error.value)
    assert "rm " not in str(error.value)
    assert content(whole)["names"] == NAMES


def test_a_file_that_is_locked_is_read(whole, monkeypatch):
    """No lock is asked for, so that a disk without any does not matter either."""
    monkeypatch.setenv("HDF5_USE_FILE_LOCKING", "TRUE")
    with whole.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert content(whole)["names"] == NAMES


def test_a_read_only_file_is_read(whole):
    whole.chmod(0o444)
    assert content(whole)["names"] == NAMES


# --- identities -----------------------------------------------------------------------


def test_the_identity_of_an_artifact_is_its_own(whole):
    assert reader.file_id(whole) == ABOUT["id"]


def test_the_identity_of_another_file_is_of_its_bytes(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(b"same")
    two.write_bytes(b"same")
    assert reader.ids(one) == {str(one): reader.file_id(two)}


def test_the_identity_of_another_program_s_hdf5_is_of_its_bytes(tmp_path):
    path = tmp_path / "params.h5"
    with h5py.File(path, "w") as file:
        file["conv1/W"] = np.zeros(3)
    assert reader.file_id(path) == hashlib.sha256(path.read_bytes()).hexdigest()[:32]


def refused_to_open(*_, **__):
    raise OSError(errno.EIO, "Unable to open file")


def refused_to_look(*_):  # HDF5 has the number in words alone
    raise KeyError("Can't find it (read failed: errno = 5, error message = 'I/O')")


@pytest.mark.parametrize(
    ("owner", "name", "refuse"),
    [
        (h5py, "File", refused_to_open),
        (h5py.AttributeManager, "__contains__", refused_to_look),
    ],
    ids=["opened", "read"],
)
def test_an_artifact_that_a_disk_refuses_is_neither_damaged_nor_another_file(
    whole, monkeypatch, owner, name, refuse
):
    monkeypatch.setattr(owner, name, refuse)
    for read in (reader.file_id, reader.is_artifact, content):
        with pytest.raises(ArtifactError, match=r"whole\.h5: can't be read: .*repair"):
            read(whole)


def test_an_array_that_a_disk_refuses_is_not_lacking(whole, monkeypatch):
    with reader.open(whole) as file:
        monkeypatch.setattr(h5py.Group, "__getitem__", refused_to_look)
        for find in (file.__getitem__, file.clip):
            with pytest.raises(ArtifactError, match="can't be read: .*repair"):
                find(NAMES[0])
