"""List the files below a folder, all of them or with an error."""

import os
from collections.abc import Iterator
from pathlib import Path

from twinlens.errors import refused


def files(root: Path) -> Iterator[Path]:
    """Yield the files below a folder, which may be missing; links are followed.

    Globs of `pathlib` pass over a folder that can't be listed, and over linked ones.

    Raises:
        ArtifactError: a folder can't be listed.
    """
    entered = set[str]()
    for folder, below, names in os.walk(root, onerror=_refuse, followlinks=True):
        place = os.path.realpath(folder)
        if place in entered:  # a link led back here
            below.clear()
            continue
        entered.add(place)
        yield from (Path(folder, name) for name in names)


def _refuse(error: OSError) -> None:
    if isinstance(error, FileNotFoundError):  # removed while others were listed
        return
    raise refused(error.filename, error, "read") from error
