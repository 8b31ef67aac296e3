import json
import os
import random
import resource
import signal
import sys
from contextlib import contextmanager, suppress
from functools import partial

import h5py
import numpy as np
import pandas as pd
import pytest

from twinlens import formats
from twinlens.formats import ArtifactError, Shard

KIND = "frames/1"
ABOUT = {"id": "0123456789abcdef", "dataset": "yard", "inputs": {}}
FACTS = {"fps": 25.0, "sha1": "0a" * 20, "title": "ü"}
NAMES = ["Wave/a b", "Wave/v_Wave_g01_c02", "Clap/[x]*?", "Clap/c", "d"]


def arrays(name):
    rng = np.random.default_rng(len(name))
    frames = rng.integers(0, 256, (3, 6, 8, 3), dtype=np.uint8)
    return {"frames": frames, "index": np.arange(3, dtype=np.int32)}


def write(path, names=NAMES, about=ABOUT):
    """What a stage does: every clip that is not there yet."""
    with Shard(path, KIND, about, names) as shard:
        todo = shard.missing()
        for name in todo:
            shard.write(name, arrays(name), **FACTS)
    return todo


def content(path):
    """All that an artifact says."""
    with formats.reading(path, KIND) as file:
        found = {"about": formats.about(file), "names": formats.clips(file)}
        for name in formats.clips(file):
            clip = formats.clip(file, name)
            found[name] = formats.facts(clip)
            for key, item in clip.items():
                found[name, key] = item.shape, item.dtype.str, item[:].tobytes()
    return found


def interrupted(path, names, about=ABOUT):
    """A stage that ends after some clips; its parts' folder."""
    shard = Shard(path, KIND, about, NAMES)
    with suppress(KeyboardInterrupt), shard:
        for name in names:
            shard.write(name, arrays(name), **FACTS)
        raise KeyboardInterrupt
    return shard.parts


def outcome(path):
    """What a reader gets: the content, or the words of the refusal."""
    try:
        return content(path)
    except ArtifactError as error:
        return str(error)


def hidden(path):
    return sorted(each.name for each in path.parent.iterdir() if each.name[0] == ".")


@pytest.fixture
def whole(tmp_path):
    path = tmp_path / "whole.h5"
    write(path)
    return path


def bare(path, **attributes):
    """An artifact that no stage wrote: marked whole, without checks."""
    with h5py.File(path, "w", libver="latest") as file:
        file.attrs.update(
            {"format": KIND, "about": json.dumps(ABOUT), "complete": True, **attributes}
        )
    return h5py.File(path, "a", libver="latest")


# --- killed writers -------------------------------------------------------------------


def killed(work, prepare):
    """Run `work` in a child that `prepare` makes die; whether it did die."""
    child = os.fork()
    if child == 0:
        try:
            prepare()
            work()
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def die_at_line(number):
    """Die by SIGKILL at the n-th line that `formats` runs."""
    left = [number]

    def line(*_):
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return line

    def call(frame, *_):
        return line if frame.f_code.co_filename == formats.__file__ else None

    sys.settrace(call)


def die_at_size(size):
    """Die in the middle of the write that makes a file larger than `size`."""
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def deaths():
    rng = random.Random(0)
    lines = [partial(die_at_line, rng.randrange(1, 1750)) for _ in range(70)]
    sizes = [partial(die_at_size, rng.randrange(16000)) for _ in range(30)]
    return lines + sizes


@pytest.mark.slow
def test_a_killed_writer_leaves_whole_files_only_and_a_rerun_ends_the_same(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("TWINLENS_PART_SECONDS", "0")
    monkeypatch.setattr(os, "fsync", lambda _: None)  # slow; outlives power, not kills
    write(tmp_path / "whole.h5")
    expected = content(tmp_path / "whole.h5")
    died = 0
    for trial, death in enumerate(deaths()):
        path = tmp_path / str(trial) / "made.h5"
        died += killed(partial(write, path), death)
        assert not path.exists() or content(path) == expected
        write(path)
        assert content(path) == expected
        assert hidden(path) == []
    assert died > 80


@pytest.mark.slow
def test_a_killed_writer_of_csv_leaves_the_old_table(tmp_path):
    path = tmp_path / "table.csv"
    old, new = pd.DataFrame({"frames": [1, 2]}), pd.DataFrame({"frames": [3, 4, 5]})
    for number in range(1, 40):
        formats.write_csv(path, "report/1", old)
        killed(
            partial(formats.write_csv, path, "report/1", new),
            partial(die_at_line, number),
        )
        assert len(formats.read_csv(path, "report/1")) in (2, 3)


def test_finished_parts_are_not_made_again(tmp_path, monkeypatch):
    monkeypatch.setenv("TWINLENS_PART_SECONDS", "0")
    path = tmp_path / "made.h5"
    interrupted(path, NAMES[:3])
    assert write(path) == NAMES[3:]


def test_a_clip_that_was_finished_before_an_error_is_kept(tmp_path):
    path = tmp_path / "made.h5"
    interrupted(path, NAMES[:1])
    assert not path.exists()
    assert write(path) == NAMES[1:]


def test_a_clip_whose_writing_failed_is_written_again(tmp_path):
    path = tmp_path / "made.h5"
    with pytest.raises(TypeError), Shard(path, KIND, ABOUT, NAMES) as shard:
        shard.write(NAMES[0], arrays(NAMES[0]), fact=object())
    write(path)
    assert sorted(content(path)["names"]) == sorted(NAMES)


# --- damaged files --------------------------------------------------------------------


def test_a_cut_file_is_never_taken_for_whole(whole):
    raw, rng = whole.read_bytes(), random.Random(1)
    for length in rng.sample(range(len(raw)), 50):
        whole.write_bytes(raw[:length])
        with pytest.raises(
            ArtifactError, match="whole.h5.*remove it and make it again .*: rm"
        ):
            content(whole)


def test_a_file_that_is_not_ours_is_never_to_be_removed(tmp_path):
    video = tmp_path / "mine.avi"
    video.write_bytes(b"RIFF" * 100)
    with pytest.raises(ArtifactError) as error:
        formats.verify(video)
    assert "it is none of our artifacts" in str(error.value)
    assert "rm " not in str(error.value)


def test_a_folder_is_told_to_be_one(tmp_path):
    with pytest.raises(ArtifactError, match="is a folder"):
        formats.verify(tmp_path)


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
    with formats.reading(whole) as file:
        item = formats.clip(file, NAMES[0])["frames"]
        place = item.id.get_chunk_info(0).byte_offset
    raw = bytearray(whole.read_bytes())
    raw[place] ^= 1
    whole.write_bytes(raw)
    with (
        pytest.raises(ArtifactError, match="whole.h5: is damaged"),
        formats.reading(whole) as first,
        formats.reading(other),
    ):
        formats.clip(first, NAMES[0])["frames"][:]


def test_an_error_of_the_reader_itself_goes_through(whole):
    with pytest.raises(RuntimeError, match="mine"), formats.reading(whole):
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


def test_a_removed_part_is_made_again(tmp_path, monkeypatch):
    monkeypatch.setenv("TWINLENS_PART_SECONDS", "0")
    path = tmp_path / "made.h5"
    (interrupted(path, NAMES) / "part-0001.h5").unlink()
    assert write(path) == [NAMES[1]]
    write(tmp_path / "whole.h5")
    assert content(path) == content(tmp_path / "whole.h5")


# --- files that are something else ----------------------------------------------------


def test_an_emptied_file_is_refused(whole):
    whole.write_bytes(b"")
    with pytest.raises(ArtifactError, match="whole.h5: is empty.*rm"):
        formats.verify(whole)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ArtifactError, match="gone.h5: no such file"):
        formats.verify(tmp_path / "gone.h5")


def test_a_text_file_is_refused(tmp_path):
    path = tmp_path / "text.h5"
    path.write_text("not found")
    with pytest.raises(ArtifactError, match="text.h5: is not a whole HDF5 file"):
        formats.verify(path)


def test_another_format_is_refused(whole):
    with pytest.raises(ArtifactError, match="has format frames/1, not flow/1"):
        formats.verify(whole, "flow/1")


def test_another_version_is_refused(whole):
    with pytest.raises(ArtifactError, match="has format frames/1, not frames/2"):
        formats.verify(whole, "frames/2")


def test_a_foreign_hdf5_file_is_refused(tmp_path):
    path = tmp_path / "foreign.h5"
    h5py.File(path, "w").close()
    with pytest.raises(ArtifactError, match="has format unknown"):
        formats.verify(path)


def test_a_file_that_was_never_finished_is_refused(tmp_path):
    path = tmp_path / "half.h5"
    bare(path, complete=False).close()
    with pytest.raises(ArtifactError, match="was never finished"):
        formats.verify(path, KIND)


def test_a_swapped_file_is_refused(whole):
    with pytest.raises(ArtifactError, match="for dataset 'yard', not 'workshop'"):
        formats.verify(whole, KIND, dataset="workshop")


def test_external_links_are_refused(whole, tmp_path):
    path = tmp_path / "linked.h5"
    with bare(path) as file:
        file["clip/x"] = h5py.ExternalLink(whole, "/clip")
    with pytest.raises(ArtifactError, match="linked.h5: links to another file at"):
        formats.verify(path, KIND)


def test_external_storage_is_refused(tmp_path):
    path, other = tmp_path / "outside.h5", tmp_path / "raw.bin"
    other.write_bytes(bytes(64))
    with bare(path) as file:
        file.create_dataset("x", (64,), "u1", external=[(other, 0, 64)])
    with pytest.raises(ArtifactError, match="outside.h5: keeps x in another file"):
        formats.verify(path, KIND)


def test_virtual_datasets_are_refused(whole, tmp_path):
    path = tmp_path / "virtual.h5"
    layout = h5py.VirtualLayout((len(NAMES),), "S30")
    layout[:] = h5py.VirtualSource(whole, "clips", (len(NAMES),))
    with bare(path) as file:
        file.create_virtual_dataset("x", layout)
    with pytest.raises(ArtifactError, match="virtual.h5: keeps x in another file"):
        formats.verify(path, KIND)


# --- publishing -----------------------------------------------------------------------


def test_a_failed_block_keeps_the_old_file_and_leaves_nothing(tmp_path):
    path = tmp_path / "x.txt"
    path.write_text("old")
    with suppress(KeyboardInterrupt), formats.publish(path) as temporary:
        temporary.write_text("new")
        raise KeyboardInterrupt
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_check_keeps_the_old_file(tmp_path):
    def check(path):
        raise ArtifactError(path.read_text())

    path = tmp_path / "x.txt"
    path.write_text("old")
    with pytest.raises(ArtifactError, match="new"):  # noqa: SIM117
        with formats.publish(path, check) as temporary:
            temporary.write_text("new")
    assert path.read_text() == "old"


def test_a_block_that_writes_nothing_is_told(tmp_path):
    path = tmp_path / "x.txt"
    with pytest.raises(ArtifactError, match="without writing"), formats.publish(path):
        pass
    assert not path.exists()


def test_the_temporary_file_has_the_suffix(tmp_path):
    with formats.publish(tmp_path / "x.png") as temporary:
        assert temporary.suffix == ".png"
        temporary.touch()


def test_what_a_killed_writer_left_is_removed(tmp_path):
    def stop():
        with formats.publish(tmp_path / "x[1].h5") as temporary:
            temporary.write_text("half")
            os.kill(os.getpid(), signal.SIGKILL)

    assert killed(stop, lambda: None)
    assert len(hidden(tmp_path / "x")) == 2
    with formats.publish(tmp_path / "x[1].h5") as temporary:
        temporary.write_text("whole")
    assert [each.name for each in tmp_path.iterdir()] == ["x[1].h5"]


def test_a_file_of_a_longer_name_is_left_alone(tmp_path):
    with formats.publish(tmp_path / "x.h5.png") as temporary:
        temporary.write_text("whole")
        with formats.publish(tmp_path / "x.h5") as other:
            other.write_text("also")
    assert (tmp_path / "x.h5.png").read_text() == "whole"


@pytest.mark.parametrize("name", ["[ab].h5", "a*.h5", "a?.h5", "-a b'&#.h5", "ä.h5"])
def test_odd_names_are_published(tmp_path, name):
    neighbour = tmp_path / "ab.h5"
    write(neighbour)
    write(tmp_path / name)
    assert content(tmp_path / name) == content(neighbour)


# --- two writers ----------------------------------------------------------------------


@contextmanager
def another(work):
    """A child in the middle of `work(wait)`; it goes on when the block ends."""
    begun, go = os.pipe(), os.pipe()

    def wait():
        os.write(begun[1], b".")
        os.read(go[0], 1)

    child = os.fork()
    if child == 0:
        status = 1
        try:
            work(wait)
            status = 0
        finally:
            os._exit(status)
    os.read(begun[0], 1)
    yield child
    os.write(go[1], b".")
    assert os.waitpid(child, 0)[1] == 0


def test_a_second_writer_is_told_of_the_first(tmp_path):
    path = tmp_path / "x.txt"

    def work(wait):
        with formats.publish(path) as temporary:
            temporary.write_text("first")
            wait()

    with another(work) as first:
        with pytest.raises(ArtifactError, match=f"x.txt: process {first} is writing"):
            formats.write_csv(path, "report/1", pd.DataFrame({"clip": ["a"]}))
        assert not path.exists()
    assert path.read_text() == "first"


@pytest.mark.parametrize("seconds", ["0", "60"])
def test_a_second_writer_of_a_shard_is_told_of_the_first(
    tmp_path, monkeypatch, seconds
):
    monkeypatch.setenv("TWINLENS_PART_SECONDS", seconds)
    path = tmp_path / "x.h5"

    def work(wait):
        with Shard(path, KIND, ABOUT, NAMES) as shard:
            for name in NAMES:
                shard.write(name, arrays(name))
                if name == NAMES[2]:
                    wait()

    with another(work) as first:  # noqa: SIM117
        with pytest.raises(ArtifactError, match=f"x.h5: process {first} is writing"):
            write(path)
    assert content(path)["names"] == NAMES


# --- shards ---------------------------------------------------------------------------


def test_no_seconds_between_parts_publishes_each_clip(tmp_path, monkeypatch):
    monkeypatch.setenv("TWINLENS_PART_SECONDS", "0")
    with Shard(tmp_path / "x.h5", KIND, ABOUT, NAMES) as shard:
        for name in NAMES:
            shard.write(name, arrays(name))
        assert len(list(shard.parts.glob("part-*.h5"))) == len(NAMES)
    assert content(tmp_path / "x.h5")["names"] == NAMES


def test_parts_of_another_id_are_dropped(tmp_path):
    path = tmp_path / "x.h5"
    interrupted(path, NAMES[:1], {**ABOUT, "id": "other"})
    assert write(path) == NAMES
    assert hidden(path) == []


def test_a_skipped_clip_is_left_out(tmp_path):
    path = tmp_path / "x.h5"
    with Shard(path, KIND, ABOUT, NAMES) as shard:
        for name in NAMES[1:]:
            shard.write(name, arrays(name))
        shard.skip(NAMES[0])
    assert content(path)["names"] == NAMES[1:]


def test_a_shard_of_which_all_is_skipped_is_whole(tmp_path):
    path = tmp_path / "x.h5"
    with Shard(path, KIND, ABOUT, ["a"]) as shard:
        shard.skip("a")
    assert content(path)["names"] == []


def test_a_part_that_vanishes_while_others_are_made_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setenv("TWINLENS_PART_SECONDS", "0")
    path = tmp_path / "x.h5"

    def lose_one():
        with Shard(path, KIND, ABOUT, NAMES) as shard:
            for name in NAMES:
                shard.write(name, arrays(name), **FACTS)
            (shard.parts / "part-0000.h5").unlink()

    with pytest.raises(ArtifactError, match=r"x.h5: its parts lack \['Wave/a b'\]"):
        lose_one()
    assert not path.exists()
    assert write(path) == NAMES[:1]


def test_a_forgotten_clip_is_an_error(tmp_path):
    path = tmp_path / "x.h5"
    with pytest.raises(ArtifactError, match="x.h5: 4 clips were never written"):  # noqa: SIM117
        with Shard(path, KIND, ABOUT, NAMES) as shard:
            shard.write(NAMES[0], arrays(NAMES[0]))
    assert not path.exists()


def test_clips_keep_the_order_of_their_names(tmp_path):
    path = tmp_path / "x.h5"
    with Shard(path, KIND, ABOUT, NAMES) as shard:
        for name in reversed(NAMES):
            shard.write(name, arrays(name))
    assert content(path)["names"] == NAMES


def test_an_array_without_items_is_kept(tmp_path):
    path = tmp_path / "x.h5"
    with formats.create(path, KIND, ABOUT) as file:
        formats.put(file, "x", np.zeros((0, 4, 3), np.uint8))
    with formats.reading(path) as file:
        assert file["x"].shape == (0, 4, 3)


def test_a_single_frame_is_one_read(tmp_path):
    path = tmp_path / "x.h5"
    with formats.create(path, KIND, ABOUT) as file:
        formats.put(file, "frames", np.zeros((5, 48, 64, 3), np.uint8))
        assert file["frames"].chunks == (1, 48, 64, 3)


def test_plain_hdf5_reads_it_and_finds_checksums_only(whole):
    filters = []

    def look(_, item):
        if isinstance(item, h5py.Dataset):
            settings = item.id.get_create_plist()
            count = settings.get_nfilters()
            filters.append([settings.get_filter(place)[0] for place in range(count)])

    with h5py.File(whole) as file:
        file.visititems(look)
    assert len(filters) == 1 + 2 * len(NAMES)
    assert all(each == [h5py.h5z.FILTER_FLETCHER32] for each in filters)


def test_the_identity_of_an_artifact_is_its_own(whole):
    assert formats.file_id(whole) == ABOUT["id"]


def test_the_identity_of_another_file_is_of_its_bytes(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(b"same")
    two.write_bytes(b"same")
    assert formats.ids(one) == {str(one): formats.file_id(two)}


# --- csv ------------------------------------------------------------------------------

ROWS = pd.DataFrame(
    {"clip": ["a/1", 'ü, "b"\r\n'], "class": ["007", "NA"], "value": [0.1 + 0.2, 1e-9]}
)


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "table.csv"
    formats.write_csv(path, "report/1", ROWS)
    return path


def test_a_table_is_read_as_it_was_written(table):
    pd.testing.assert_frame_equal(
        formats.read_csv(table, "report/1"), ROWS, check_exact=True
    )


def test_a_table_without_rows_keeps_its_columns(tmp_path):
    formats.write_csv(tmp_path / "x.csv", "missing/1", pd.DataFrame({"file": []}))
    assert list(formats.read_csv(tmp_path / "x.csv", "missing/1")) == ["file"]


def test_a_cut_table_is_refused(table):
    raw = table.read_bytes()
    for length in range(len(raw)):
        table.write_bytes(raw[:length])
        with pytest.raises(ArtifactError, match="table.csv.*rm"):
            formats.read_csv(table, "report/1")


def test_a_flipped_bit_in_a_table_is_an_error(table):
    raw = table.read_bytes()
    for place in range(8 * len(raw)):
        damaged = bytearray(raw)
        damaged[place // 8] ^= 1 << place % 8
        table.write_bytes(damaged)
        with suppress(ArtifactError):
            assert formats.read_csv(table, "report/1").equals(ROWS)


def test_an_edited_table_is_refused(table):
    table.write_bytes(table.read_bytes().replace(b"007", b"008"))
    with pytest.raises(ArtifactError, match="was cut off or edited"):
        formats.read_csv(table, "report/1")


def test_a_table_of_another_kind_is_refused(table):
    with pytest.raises(ArtifactError, match="is not a whole manifest/1 file"):
        formats.read_csv(table, "manifest/1")


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(ArtifactError, match="gone.csv: no such file"):
        formats.read_csv(tmp_path / "gone.csv", "report/1")
