"""Make a playground data set: real video files on disk, from a seed."""

from dataclasses import asdict
from pathlib import Path

import pandas as pd

from twinlens.artifacts.table import write_csv
from twinlens.media import playground
from twinlens.media.ffmpeg import sha1
from twinlens.progress import say, teller


def generate(
    dataset: str, settings: playground.Settings, seed: int, folder: Path, out: Path
) -> None:
    """Make what is missing of a playground data set.

    Args:
        dataset: its name; another name gives other clips.
        settings: what to make.
        seed: of everything.
        folder: `videos/`, and `splits/` or `flow.h5`, are written there.
        out: csv of all files with size and sha1, written when all are there.
    """
    label = f"generate {dataset}"
    playground.generate(folder, dataset, settings, seed, progress=teller(label))
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    rows = [
        {
            "file": str(path.relative_to(folder)),
            "bytes": path.stat().st_size,
            "sha1": sha1(path),
        }
        for path in files
        if not path.name.startswith(".") and path != out
    ]
    write_csv(out, "generated/1", pd.DataFrame(rows))
    say(f"{label}: {asdict(settings)['kind']}, {len(rows)} files in {folder}")
