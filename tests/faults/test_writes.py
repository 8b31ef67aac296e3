"""A disk that refuses a write, a sync or a rename: nothing wrong is ever published."""

import errno
import os
import resource
import signal
from contextlib import suppress

import numpy as np
import pytest

from tests.artifacts.made import ABOUT, KIND, NAMES, arrays, content, hidden, write
from twinlens.artifacts import reader, writer
from twinlens.artifacts.shard import Shard
from twinlens.errors import ArtifactError

pytestmark = pytest.mark.slow
CALLS = ("pwrite", "ftruncate", "fsync", "rename")
REFUSALS = (errno.ENOSPC, errno.EDQUOT, errno.EIO)


class Refusal:
    """Let the k-th call of a kind fail, and those after it too where the disk is full.

    `Path.replace` calls `os.replace`; HDF5 writes through `os.pwrite`.
    """

    def __init__(self, call, number, k, lasting):
        self.call = "replace" if call == "rename" else call
        self.real = getattr(os, self.call)
        self.number, self.k, self.lasting, self.count = number, k, lasting, 0

    def __enter__(self):
        setattr(os, self.call, self._refuse)
        return self

    def __exit__(self, *_):
        setattr(os, self.call, self.real)

    def _refuse(self, *arguments, **options):
        if self.call == "pwrite" and len(arguments[1]) < 8:
            return self.real(*arguments, **options)  # the lock's note of its process
        self.count += 1
        if self.count == self.k or (self.lasting and self.count > self.k):
            raise OSError(self.number, os.strerror(self.number))
        return self.real(*arguments, **options)

    @property
    def happened(self):
        return self.count >= self.k


def six_arrays(path):
    rng = np.random.default_rng(0)
    with writer.create(path, KIND, ABOUT) as file:
        for number in range(6):
            writer.put(file, f"a{number}", rng.integers(0, 256, (9, 40, 50, 3)))


def values(path):
    with reader.open(path, KIND) as file:
        return {array.name: array[:].tobytes() for array in file.arrays()}


@pytest.mark.parametrize("lasting", [False, True], ids=["once", "from then on"])
@pytest.mark.parametrize("number", REFUSALS, ids=errno.errorcode.get)
@pytest.mark.parametrize("call", CALLS)
def test_a_refused_write_publishes_nothing_else(tmp_path, call, number, lasting):
    six_arrays(tmp_path / "whole.h5")
    expected = values(tmp_path / "whole.h5")
    path = tmp_path / "folder/x.h5"
    for k in range(1, 200):
        with Refusal(call, number, k, lasting) as refusal:
            with suppress(OSError, ArtifactError):
                six_arrays(path)
            outcome = path.exists()
        assert not outcome or values(path) == expected
        if not refusal.happened:
            break
        # Only a folder's sync fails after the file is in place, where it is whole.
        assert not outcome or call == "fsync"
        path.unlink(missing_ok=True)
        assert list(path.parent.iterdir()) == []
    assert outcome
    assert k > 1


def test_what_was_refused_is_said_with_the_file_and_the_reason(tmp_path):
    words = r"x\.h5: can't be written: No space left on device; make room, then"
    for k in (1, 3, 8):
        with (
            Refusal("pwrite", errno.ENOSPC, k, lasting=True),
            pytest.raises(ArtifactError, match=words),
        ):
            six_arrays(tmp_path / "x.h5")


def test_a_shard_goes_on_after_each_refusal_to_the_same_values(tmp_path, monkeypatch):
    monkeypatch.setenv("TWINLENS_PART_SECONDS", "0")
    write(tmp_path / "whole.h5")
    expected, path = content(tmp_path / "whole.h5"), tmp_path / "folder/x.h5"
    for k in range(1, 400, 7):
        with Refusal("pwrite", errno.ENOSPC, k, lasting=False) as refusal:
            with suppress(ArtifactError):
                write(path)
            assert not path.exists() or content(path) == expected
        write(path)
        assert content(path) == expected
        assert hidden(path) == []
        path.unlink()
    assert not refusal.happened


def _limited(size, path):
    """Write in a process of its own whose files may not grow beyond `size` bytes."""
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # writes then fail with EFBIG
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        status = 1
        with suppress(ArtifactError, OSError):
            six_arrays(path)
            status = 0
        os._exit(status)
    return os.waitpid(child, 0)[1]


def test_a_file_over_its_limit_ends_in_an_error_and_no_crash(tmp_path):
    six_arrays(tmp_path / "whole.h5")
    size, path = (tmp_path / "whole.h5").stat().st_size, tmp_path / "x.h5"
    for limit in range(0, size, size // 40):
        status = _limited(limit, path)
        assert os.WIFEXITED(status)
        assert os.waitstatus_to_exitcode(status) == 1
        assert not path.exists()
    assert os.waitstatus_to_exitcode(_limited(size, path)) == 0
    assert values(path) == values(tmp_path / "whole.h5")


def test_a_disk_that_gives_other_values_back_publishes_nothing(tmp_path, monkeypatch):
    real = os.pwrite

    def lose(handle, data, at):
        return real(handle, bytes(len(data)) if len(data) == 6000 * 8 else data, at)

    monkeypatch.setattr(os, "pwrite", lose)
    with pytest.raises(
        ArtifactError, match=r"is damaged \(other values at /a0, rows 0"
    ):
        six_arrays(tmp_path / "x.h5")
    assert list(tmp_path.iterdir()) == []


def test_a_part_that_was_damaged_is_named_before_any_work(tmp_path, monkeypatch):
    monkeypatch.setenv("TWINLENS_PART_SECONDS", "0")
    path = tmp_path / "x.h5"
    with suppress(KeyboardInterrupt), Shard(path, KIND, ABOUT, NAMES) as shard:
        shard.write(NAMES[0], arrays(NAMES[0]))
        raise KeyboardInterrupt
    part = shard.parts / "part-0000.h5"
    frames = arrays(NAMES[0])["frames"][1].tobytes()
    part.write_bytes(part.read_bytes().replace(frames, bytes(len(frames))))
    with pytest.raises(ArtifactError, match=r"part-0000\.h5: is damaged .*: rm"):
        write(path)
