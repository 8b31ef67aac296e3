"""Make a playground data set: real video files on disk, from a seed."""

from pathlib import Path

import pandas as pd

from twinlens import folders
from twinlens.artifacts.contents import sha1
from twinlens.artifacts.table import write_csv
from twinlens.errors import message
from twinlens.media import playground
from twinlens.media.settings import Generation
from twinlens.progress import say, teller


def generate(job: Generation, folder: Path, out: Path) -> None:
    """Generate what is missing of a playground data set.

    Args:
        job: what to generate.
        folder: `videos/`, and `splits/` or `flow.h5`, are written there.
        out: csv of all files with size and sha1, written when all are there.

    Raises:
        ArtifactError: the disk refused.
    """
    label = message(f"generate {job.dataset}")
    settings, progress = job.generated, teller(label)
    playground.generate(folder, job.dataset, settings, job.seed, progress=progress)
    files = sorted(folders.files(folder))
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
    say(f"{label}: {settings.kind}, {len(rows)} files in {folder}")
