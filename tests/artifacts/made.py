"""Made-up shards, and writers that die, for the tests of this room."""

import json
import os
import resource
import signal
import sys
from contextlib import contextmanager, suppress
from pathlib import Path

import h5py
import numpy as np

from twinlens import artifacts
from twinlens.artifacts import reader
from twinlens.artifacts.shard import Shard
from twinlens.errors import ArtifactError

KIND = "frames/1"
FOLDER = str(Path(artifacts.__file__).parent)
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
    with reader.open(path, KIND) as file:
        found = {"about": file.about, "names": file.clips}
        for name in file.clips:
            clip = file.clip(name)
            found[name] = clip.facts
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


def opened(path, kind=None, **expected):
    """Open and close an artifact."""
    with reader.open(path, kind, **expected):
        pass


@contextmanager
def bare(path, **attributes):
    """An artifact that no stage wrote, to be filled."""
    with h5py.File(path, "w", libver="latest") as file:
        file.attrs.update({"format": KIND, "about": json.dumps(ABOUT), **attributes})
        yield file


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
    """Die by SIGKILL at the n-th line that `artifacts` runs."""
    left = [number]

    def line(*_):
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return line

    def call(frame, *_):
        return line if frame.f_code.co_filename.startswith(FOLDER) else None

    sys.settrace(call)


def die_at_size(size):
    """Die in the middle of the write that makes a file larger than `size`."""
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


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
