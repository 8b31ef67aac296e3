"""Hostile weight files: ended in time, within memory, and in words."""

import faulthandler
import gzip
import os
import pickle
import resource
import signal
import struct
import time
import zipfile
import zlib

import h5py
import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from twinlens import weights
from twinlens.errors import ArtifactError
from twinlens.weights import trial

GIB = 1 << 30


@pytest.fixture(autouse=True)
def little_time(monkeypatch):
    """The limit of computing is shorter here; what hangs, hangs all the same."""
    monkeypatch.setattr(trial, "SECONDS", 3.0)


def zip_bomb(path):
    """A record of zeros that unpacks to 1.5 GB."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("a/data.pkl", pickle.dumps({}, 2))
        with archive.open("a/data/0", "w", force_zip64=True) as stream:
            for _ in range(15):
                stream.write(bytes(100 << 20))


def packed_pickle(path):
    """A pickle that unpacks to a gigabyte of zeros."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("a/data.pkl", bytes(GIB))


def nested_without_end(path):
    """Lists of ten references each, thirty deep: 10^30 entries to walk."""
    value = [torch.ones(1)]
    for _ in range(30):
        value = [value] * 10
    torch.save({"state_dict": value}, path)


def deep(path):
    """A million lists in each other."""
    path.write_bytes(b"\x80\x02" + b"]" * 10**6 + b"a" * (10**6 - 1) + b".")


def many_lists(path):
    """Empty lists of one byte each on the stack of the unpickler: 56 times the file."""
    path.write_bytes(b"\x80\x02" + b"]" * 40_000_000 + b".")


def contains_itself(path):
    value = []
    value.append(value)
    torch.save({"state_dict": value, "w": torch.ones(1)}, path)


def wide_view(path):
    """A tensor of 2^42 numbers that is a view of one."""
    torch.save({"w": torch.ones(1).expand(1 << 42)}, path)


def huge_hdf5(path):
    """2^42 numbers, none of them stored."""
    with h5py.File(path, "w") as file:
        file.create_dataset("w", (1 << 42,), "f4", chunks=(1 << 20,))


def packed_hdf5(path):
    """4 GB of zeros, packed to 4 MB."""
    with h5py.File(path, "w") as file:
        data = file.create_dataset(
            "w", (1 << 30,), "f4", chunks=(1 << 24,), compression="gzip"
        )
        block = zlib.compress(bytes(4 << 24), 1)
        for at in range(0, 1 << 30, 1 << 24):
            data.id.write_direct_chunk((at,), block)


def packed_matlab(path):
    """A variable of version 5 that unpacks to 4 GB."""
    head = b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack("<HH", 0x0100, 0x4D49)
    packer = zlib.compressobj(1)
    name, count = b"w".ljust(8, b"\0"), 1 << 29
    body = struct.pack("<IIII", 6, 8, 6, 0)
    body += struct.pack("<IIII", 5, 8, 1, count)
    body += struct.pack("<II", 1, 1) + name
    body += struct.pack("<II", 9, 8 * count & 0xFFFFFFFF)
    content = packer.compress(struct.pack("<II", 14, 0xFFFFFFF0) + body)
    zeros = bytes(64 << 20)
    content += b"".join(packer.compress(zeros) for _ in range(64)) + packer.flush()
    path.write_bytes(head + struct.pack("<II", 15, len(content)) + content)


def gzipped(path):
    """A gigabyte of zeros under gzip, with a weight file's name."""
    path.write_bytes(gzip.compress(bytes(GIB), 1))


def states_much(path):
    """A table of safetensors that states 2^42 numbers."""
    table = b'{"w":{"dtype":"F32","shape":[4398046511104],"data_offsets":[0,4]}}'
    path.write_bytes(struct.pack("<Q", len(table)) + table + bytes(4))


def long_field(path):
    """A protocol buffer whose first field states 2^42 bytes."""
    path.write_bytes(b"\xa2\x06" + b"\x80\x80\x80\x80\x80\x80\x01" + bytes(100))


def sparse(path):
    """A file that is a hole of 40 GB."""
    path.touch()
    os.truncate(path, 40 * GIB)


HOSTILE = {
    "bomb.pth": zip_bomb,
    "pickle.pth": packed_pickle,
    "nested.pth": nested_without_end,
    "deep.pth": deep,
    "lists.pth": many_lists,
    "itself.pth": contains_itself,
    "view.pth": wide_view,
    "huge.h5": huge_hdf5,
    "packed.h5": packed_hdf5,
    "packed.mat": packed_matlab,
    "huge.mat": huge_hdf5,
    "gzip.caffemodel": gzipped,
    "gzip.pth": gzipped,
    "gzip.mat": gzipped,
    "states.safetensors": states_much,
    "field.caffemodel": long_field,
    "sparse.h5": sparse,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_within_limits(tmp_path, name):
    path = tmp_path / name
    HOSTILE[name](path)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    with pytest.raises(ArtifactError) as caught:
        weights.read(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    taken = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert taken * 1024 < trial.TIMES * path.stat().st_size + trial.BYTES
    assert time.process_time() - start < 60  # of this process: the other's end in time


@pytest.mark.parametrize("ending", ["pth", "safetensors"])
@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
def test_a_large_file_of_half_precision_fits(tmp_path, ending, kind):
    state = {f"w{number}": torch.ones(4 << 20, dtype=kind) for number in range(40)}
    path = tmp_path / f"half.{ending}"
    (torch.save if ending == "pth" else save_file)(state, path)
    assert path.stat().st_size > 300e6
    found = weights.read(path)
    assert found["w3"].dtype == torch.float32
    assert float(found["w39"].sum()) == 4 << 20


def test_pipes_and_devices_are_no_weights(tmp_path):
    os.mkfifo(tmp_path / "pipe.pth")
    (tmp_path / "zero.h5").symlink_to("/dev/zero")
    for name in ("pipe.pth", "zero.h5"):
        with pytest.raises(ArtifactError, match=f"{name}: not a regular file"):
            weights.read(tmp_path / name)


def endless(_):
    while True:
        pass


def sleep(_):
    time.sleep(3600)


def crash(_):
    faulthandler.disable()
    os.kill(os.getpid(), signal.SIGSEGV)


def fill(_):
    return np.ones(1 << 40, np.uint8)


@pytest.mark.parametrize(
    ("read", "words"),
    [
        (endless, "to read it takes more than 3 s"),
        (crash, "its reader was ended by SIGSEGV"),
        (fill, "to read it takes more than 500,000,004 bytes of memory"),
        (sleep, "its reader gave nothing in 2 s: is its disk there"),
        (lambda _: {}["missing"], "'missing'"),
    ],
)
def test_a_reader_that_fails_is_named_in_words(tmp_path, monkeypatch, read, words):
    monkeypatch.setattr(trial, "MOST_SECONDS", 2.0 if read is sleep else 600.0)
    path = tmp_path / "a.h5"
    path.write_bytes(b"x")
    with pytest.raises(ValueError, match=words):
        trial.run(read, path)


@pytest.mark.parametrize("kept", [True, False], ids=["checksums", "without"])
def test_a_flipped_bit_in_a_zip_record_is_noticed(tmp_path, kept):
    """Where the file has checksums, which PyTorch does not compare."""
    torch.serialization.set_crc32_options(kept)
    try:
        torch.save({"w": torch.arange(1000.0)}, tmp_path / "a.pth")
    finally:
        torch.serialization.set_crc32_options(True)
    assert len(weights.read(tmp_path / "a.pth")["w"]) == 1000
    raw = bytearray((tmp_path / "a.pth").read_bytes())
    at = raw.find(np.float32(500).tobytes() + np.float32(501).tobytes())
    raw[at] ^= 1
    (tmp_path / "a.pth").write_bytes(raw)
    if kept:
        with pytest.raises(ArtifactError, match="Bad CRC-32"):
            weights.read(tmp_path / "a.pth")
    else:
        assert weights.read(tmp_path / "a.pth")["w"][500] != 500
