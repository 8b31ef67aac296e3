"""Errors whose text is for the user: the command line shows them without a traceback.

They say which file or setting is at fault and what to do about it.
"""

import re
from pathlib import Path

UNFINISHED = re.compile(r"\.[0-9a-f]{12}\.(parts/part-\d+\.h5|checkpoint)$")
"""Hidden files of interrupted jobs: only twinlens writes these names."""


class ArtifactError(RuntimeError):
    """A file that is not what its reader needs, or that cannot be written."""


class DataError(ValueError):
    """Folders or lists of a data set that can't be used."""


class RejectedError(ValueError):
    """A video that gives no usable clip, whoever decodes it; the text is the reason."""


class DecodingError(RuntimeError):
    """A decoder that was stopped or could not read: it says nothing about its video."""


def unusable(path: Path, what: str) -> ArtifactError:
    """An error on a file, with advice that never costs a user's own file."""
    if UNFINISHED.search(str(path)):
        return ArtifactError(
            f"{path}: {what}; it is the unfinished part of a job: remove it and run the"
            f" same command again: rm {str(path)!r}"
        )
    return ArtifactError(
        f"{path}: {what}; if the workflow made it, make it again (with the same"
        f" --configfile): snakemake --cores all --force {str(path)!r}"
    )
