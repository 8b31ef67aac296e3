"""Damaged artifacts: another value is never read, and no reader hangs.

`TWINLENS_TRIALS` sets how many damages of each kind are tried.
"""

import os
import random
import signal
from pathlib import Path

import h5py
import numpy as np
import pytest

from tests.artifacts.made import ABOUT, KIND, content
from twinlens.artifacts.shard import Shard
from twinlens.errors import ArtifactError

pytestmark = pytest.mark.slow
TRIALS = int(os.environ.get("TWINLENS_TRIALS", "60"))
SECONDS = 30
"""A reader may take so long: a damaged HDF5 file can send one round in circles."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A shard with random and constant frames, flow of zeros, and numbers."""
    path, rng = tmp_path_factory.mktemp("whole") / "whole.h5", np.random.default_rng(0)
    names = [f"Class{number % 3}/clip{number}" for number in range(9)]
    with Shard(path, KIND, ABOUT, names) as shard:
        for number, name in enumerate(names):
            frames = rng.integers(0, 256, (4, 24, 32, 3), dtype=np.uint8)
            frames[1] = frames[0] if number % 2 else 0
            arrays = {"frames": frames, "flow": np.zeros((3, 2, 24, 32), np.float16)}
            arrays["index"] = np.arange(4, dtype=np.int32)
            shard.write(name, arrays, frames=4, label=number, sha1=f"{number:040d}")
    return path


def chunks(path):
    """Offset and size of every chunk in the file."""
    found = []

    def look(_, item):
        if isinstance(item, h5py.Dataset):
            for number in range(item.id.get_num_chunks()):
                info = item.id.get_chunk_info(number)
                found.append((info.byte_offset, info.size))

    with h5py.File(path) as file:
        file.visititems(look)
    return found


def flip_a_bit(raw, rng, stored):
    raw[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)


def turn_a_word(raw, rng, stored):
    """0000 to ffff and back: Fletcher's sums take both for the same."""
    at = 2 * rng.randrange(len(raw) // 2)
    raw[at : at + 2] = b"\0\0" if raw[at : at + 2] == b"\xff\xff" else b"\xff\xff"


def lose_a_chunk(raw, rng, stored):
    """A power cut or a hole: all of it zeros."""
    at, size = rng.choice(stored)
    raw[at : at + size] = bytes(size)


def lose_a_block(raw, rng, stored):
    size = rng.choice([16, 512, 4096])
    at = size * rng.randrange(-(-len(raw) // size))
    raw[at : at + size] = bytes(len(raw[at : at + size]))


def exchange_chunks(raw, rng, stored):
    one = rng.choice(stored)
    other = rng.choice([each for each in stored if each[1] == one[1]])
    _exchange(raw, one[0], other[0], one[1])


def exchange_blocks(raw, rng, stored):
    size = rng.choice([16, 512, 4096])
    one, other = (size * rng.randrange(len(raw) // size) for _ in range(2))
    _exchange(raw, one, other, size)


def _exchange(raw, one, other, size):
    kept = bytes(raw[one : one + size])
    raw[one : one + size] = raw[other : other + size]
    raw[other : other + size] = kept


DAMAGES = (
    flip_a_bit,
    turn_a_word,
    lose_a_chunk,
    lose_a_block,
    exchange_chunks,
    exchange_blocks,
)


def outcome(path, expected):
    """How a reader takes a file: "right", "refused", or "wrong"."""
    try:
        return "right" if content(path) == expected else "wrong"
    except ArtifactError as error:
        return "refused" if str(path) in str(error) else "wrong"


def trials(whole, path, damage, seed):
    """Damage copies, each read under a time limit; counts of the outcomes."""
    raw, rng, stored = whole.read_bytes(), random.Random(seed), chunks(whole)
    expected, counts = content(whole), {"right": 0, "refused": 0, "wrong": 0}
    for _ in range(TRIALS):
        damaged = bytearray(raw)
        damage(damaged, rng, stored)
        path.write_bytes(damaged)
        signal.alarm(SECONDS)  # ends this process
        counts[outcome(path, expected)] += 1
        signal.alarm(0)
    return counts


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda each: each.__name__)
def test_another_value_is_never_read(whole, tmp_path, damage):
    report = tmp_path / "report"
    child = os.fork()
    if child == 0:
        try:
            report.write_text(repr(trials(whole, tmp_path / "x.h5", damage, 0)))
        finally:
            os._exit(0)
    assert os.waitpid(child, 0)[1] == 0, "a reader crashed, or hung until its limit"
    counts = eval(Path(report).read_text())
    assert counts["wrong"] == 0
    assert counts["refused"] > TRIALS // 10
