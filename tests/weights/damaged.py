"""Published weight files, damaged at random, by hand or from a test.

    python -m tests.weights.damaged FOLDER [--trials 500] [--seed 0]

Each trial damages a file of one of the published layouts and reads it: it is refused in
a line that names it, or read. Printed are the trials that raised anything else, took
longer than the limit, or wrote a file: there must be none.
"""

import argparse
import random
import time
from pathlib import Path

import torch
from safetensors.torch import save_file

from tests.workflow.published import SIZES, SR, known
from twinlens import models, weights
from twinlens.errors import ArtifactError

SECONDS = 120
"""For a trial, on a slow machine; readers have limits of their own."""


def write_all(folder: Path) -> list[Path]:
    """Write whole files: those of the super-resolution networks, and one more kind."""
    for name, write in SR.items():
        kind = name.partition(".")[0]
        write(known(models.build(kind, **SIZES[kind])), folder / name)
    state = known(models.build("vdsr", **SIZES["vdsr"])).state_dict()
    save_file(
        {k: v.contiguous() for k, v in state.items()}, folder / "vdsr.safetensors"
    )
    old = folder / "old.pth"
    torch.save(state, old, _use_new_zipfile_serialization=False)
    return sorted(folder.iterdir())


def damaged(raw: bytes, rng: random.Random) -> bytes:
    """One damage, of six kinds."""
    at = rng.randrange(len(raw))
    size = rng.choice([1, 8, 64, 4096])
    found = bytearray(raw)
    match rng.randrange(6):
        case 0:  # cut off
            del found[at:]
        case 1:  # a bit, rather in the head, where the structure is
            found[min(at, rng.randrange(len(raw)))] ^= 1 << rng.randrange(8)
        case 2:  # a block of another content
            found[at : at + size] = rng.randbytes(len(found[at : at + size]))
        case 3:  # a lost block
            del found[at : at + size]
        case 4:  # a doubled block
            found[at:at] = found[at : at + size]
        case _:  # the largest number where a length may be
            found[at : at + 8] = b"\xff" * 7 + b"\x7f"
    return bytes(found)


def trial(file: Path, folder: Path, seed: int) -> str:
    """What went wrong with a damaged file; "" if nothing did."""
    rng = random.Random(f"{file.name} {seed}")
    path = folder / file.name
    path.write_bytes(damaged(file.read_bytes(), rng))
    start = time.monotonic()
    wrong = _refusal(path)
    path.unlink()
    if time.monotonic() - start > SECONDS:
        wrong += f" took {time.monotonic() - start:.0f} s"
    if others := sorted(folder.iterdir()):
        wrong += f" wrote {others}"
    return f"{file.name} {seed}: {wrong}" if wrong else ""


def _refusal(path: Path) -> str:
    """What is wrong with the words by which a file is refused."""
    try:
        weights.read(path)
    except ArtifactError as error:
        is_line = str(path) in str(error) and "\n" not in str(error)
        return "" if is_line else f"not a line that names it: {error}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


def main() -> None:
    """Run the trials and print what went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="an empty one")
    parser.add_argument("--trials", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    whole, tried = given.folder / "whole", given.folder / "tried"
    for each in (whole, tried):
        each.mkdir(parents=True)
    files, wrong = write_all(whole), 0
    for number in range(given.trials):
        if found := trial(files[number % len(files)], tried, given.seed + number):
            wrong += 1
            print(found, flush=True)
    print(f"{given.trials} damaged files of {len(files)} kinds, {wrong} went wrong")


if __name__ == "__main__":
    main()
