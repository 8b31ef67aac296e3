"""Time artifacts beside plain h5py with Fletcher32, in one run.

    python benchmarks/artifacts.py [--clips 40] [--frames 50] [--rounds 5]

Prints what digests cost (XXH3, SHA-256, BLAKE2b), then writing a shard of frames (with
digests, read back, synced, renamed) and reading it (in order, and single frames) beside
h5py's own `create_dataset(..., fletcher32=True)` and reads: medians of the rounds. The
peer neither reads back nor syncs.
"""

import argparse
import hashlib
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import xxhash
from numpy.typing import NDArray

from twinlens.artifacts import reader
from twinlens.artifacts.shard import Shard

ABOUT = {"id": "0123456789abcdef", "inputs": {}}
DIGESTS: dict[str, Callable[[NDArray[np.uint8]], object]] = {
    "xxh3_64": xxhash.xxh3_64_digest,
    "sha256": lambda chunk: hashlib.sha256(chunk).digest(),
    "blake2b": lambda chunk: hashlib.blake2b(chunk).digest(),
}
Clips = dict[str, NDArray[np.uint8]]


def write(path: Path, clips: Clips) -> None:
    """A shard as stages write it."""
    with Shard(path, "frames/1", ABOUT, list(clips)) as shard:
        for name, frames in clips.items():
            index = np.arange(len(frames), dtype=np.int32)
            shard.write(name, {"frames": frames, "index": index}, frames=len(frames))


def write_plain(path: Path, clips: Clips) -> None:
    """The same arrays by h5py, with its checksum."""
    with h5py.File(path, "w", libver="latest") as file:
        for name, frames in clips.items():
            chunks = (1, *frames.shape[1:])
            stored = {"data": frames, "chunks": chunks, "fletcher32": True}
            file.create_dataset(f"clip/{name}/frames", **stored)


def read(path: Path, clips: Clips, frame: int | None) -> None:
    """All frames of all clips, or one of each."""
    with reader.open(path, "frames/1") as file:
        for name in clips:
            file.clip(name)["frames"][:] if frame is None else file.clip(name).at(
                "frames", frame
            )


def read_plain(path: Path, clips: Clips, frame: int | None) -> None:
    """The same by h5py."""
    with h5py.File(path) as file:
        for name in clips:
            file[f"clip/{name}/frames"][slice(None) if frame is None else frame]


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def digests(rng: np.random.Generator) -> None:
    """Print the speed of each digest on a frame of 320x240."""
    chunk = rng.integers(0, 256, 3 * 240 * 320, dtype=np.uint8)
    for name, digest in DIGESTS.items():
        took = min(
            seconds(lambda: [digest(chunk) for _ in range(100)])  # noqa: B023
            for _ in range(5)
        )
        print(f"{name}: {100 * chunk.nbytes / took / 1e9:.2f} GB/s")


def main() -> None:
    """Time and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=40)
    parser.add_argument("--frames", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    rng = np.random.default_rng(0)
    digests(rng)
    shape = (given.frames, 240, 320, 3)
    clips = {
        f"Class/clip{number}": rng.integers(0, 256, shape, dtype=np.uint8)
        for number in range(given.clips)
    }
    size = sum(frames.nbytes for frames in clips.values()) / 1e9
    with tempfile.TemporaryDirectory() as name:
        ours, plain = Path(name) / "ours.h5", Path(name) / "plain.h5"
        work = {
            "write": (lambda: write(ours, clips), lambda: write_plain(plain, clips)),
            "read all": (
                lambda: read(ours, clips, None),
                lambda: read_plain(plain, clips, None),
            ),
            "read one frame of each clip": (
                lambda: read(ours, clips, given.frames // 2),
                lambda: read_plain(plain, clips, given.frames // 2),
            ),
        }
        for what, pair in work.items():
            times = [[seconds(each) for each in pair] for _ in range(given.rounds)]
            own, peer = (statistics.median(each) for each in zip(*times, strict=True))
            print(
                f"{what}: {own:.3f} s, h5py {peer:.3f} s ({own / peer:.2f} times;"
                f" {size:.2f} GB in {given.clips} clips)"
            )


if __name__ == "__main__":
    main()
