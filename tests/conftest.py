import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from tests.workflow.checkout import TINY, copy, snakemake
from twinlens.media import ffmpeg

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def done(tmp_path_factory, worker_id):
    """A checkout in which every table of the tiny world stands.

    It is made once. Where several processes test (`pytest -n`), each takes a copy: some
    tests edit its source.
    """
    folder = tmp_path_factory.mktemp("tiny") / "checkout"
    if worker_id == "master":
        return _finished(folder)
    first = tmp_path_factory.getbasetemp().parent / "tiny"
    with FileLock(first.with_suffix(".lock")):
        if not (first / "said").exists():
            shutil.rmtree(first, ignore_errors=True)  # of one that failed
            _finished(first)
    return Path(shutil.copytree(first, folder, symlinks=True))


def _finished(folder):
    copy(folder)
    folder.joinpath("said").write_text(snakemake(folder, "all", *TINY))
    return folder


@pytest.fixture
def axes(monkeypatch):
    """The panels of what is drawn, kept open."""
    from matplotlib import pyplot  # heavy, and few tests draw

    kept = []
    monkeypatch.setattr(pyplot, "close", lambda figure: kept.extend(figure.axes))
    yield kept
    monkeypatch.undo()
    pyplot.close("all")


@pytest.fixture(scope="session")
def realdata_folder():
    """The folder of real clips, there or not."""
    folder = os.environ.get("TWINLENS_REALDATA", ROOT.parent / "shared/realdata")
    return Path(folder)


@pytest.fixture(scope="session")
def realdata(realdata_folder):
    """The folder of real clips, for tests that need some."""
    if not realdata_folder.is_dir():
        pytest.skip(f"no real clips at {realdata_folder} (set TWINLENS_REALDATA)")
    return realdata_folder


@pytest.fixture(scope="session")
def make_video():
    """Write frames (T, H, W, 3) to a video, lossless by default."""

    def make(path, frames, fps=10, encoding="-c:v rawvideo -pix_fmt bgr24 -f avi"):
        size = f"{frames.shape[2]}x{frames.shape[1]}"
        source = f"-v error -y -f rawvideo -pix_fmt rgb24 -s {size} -r {fps} -i -"
        command = [ffmpeg.binary(), *source.split(), *encoding.split(), f"file:{path}"]
        path.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(command, input=frames.tobytes(), check=True)
        return path

    return make


@pytest.fixture(scope="session")
def noise():
    """Frames (T, H, W, 3) of noise."""

    def draw(count, height=24, width=32, seed=0):
        rng = np.random.default_rng(seed)
        return rng.integers(0, 256, (count, height, width, 3), dtype=np.uint8)

    return draw
