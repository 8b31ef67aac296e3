"""Errors whose text is for the user: the command line shows them without a traceback.

They say which file or setting is at fault and what to do about it.
"""

import errno
import os
import re
from collections.abc import Sequence
from pathlib import Path

UNFINISHED = re.compile(r"\.[0-9a-f]{12}\.(parts/part-\d+\.h5|checkpoint)$")
"""Hidden files of interrupted jobs: only twinlens writes these names."""


class ArtifactError(RuntimeError):
    """A file that is not what its reader needs, or that cannot be written."""


class ConfigError(ValueError):
    """A config that can't be used; a line for each of its faults."""

    def __init__(self, lines: Sequence[str]) -> None:
        """Take the lines."""
        super().__init__("\n  ".join(["the config can't be used:", *lines]))
        self.lines = list(lines)


class PlanError(ValueError):
    """Something that a world can't have; the text says why and what to change."""


class DataError(ValueError):
    """Folders or lists of a data set that can't be used."""


class RejectedError(ValueError):
    """A video that gives no usable clip, whoever decodes it; the text is the reason."""


class DecodingError(RuntimeError):
    """A decoder that was stopped or could not read: it says nothing about its video."""


def message(text: str) -> str:
    """Mark the words of a message that is composed here and raised or shown elsewhere.

    Code digests leave out what messages say (see `provenance`); of other text every
    letter counts.
    """
    return text


REMEDIES = {
    errno.ENOSPC: "make room",
    errno.EDQUOT: "make room, or ask for a larger quota",
    errno.EIO: "the disk or its connection fails: repair it",
    errno.EROFS: "it is mounted read-only: mount it for writing, or take another disk",
    errno.EFBIG: "its file system takes no file of that size: take another disk",
    errno.EACCES: "you may not: have its owner allow it, or take a folder of your own",
    errno.EPERM: "you may not: have its owner allow it, or take a folder of your own",
    errno.ENAMETOOLONG: "shorten the name of the folder, data set or method",
    errno.EMFILE: "allow more open files (ulimit -n)",
    errno.ENOTCONN: "the network drive is gone: mount it again",
    errno.ESTALE: "the network drive has changed: mount it again",
}
"""What to do about a disk that refuses, by the number of its error."""


def refused(path: object, error: OSError, what: str = "written") -> ArtifactError:
    """Make an error in words of a disk that refused.

    Args:
        path: what it refused to take or give.
        error: best with a number of `REMEDIES`.
        what: "written", or "read or written" where that is not known.
    """
    remedy = REMEDIES.get(error.errno or 0, "repair the disk")
    return ArtifactError(
        f"{path}: can't be {what}: {error.strerror or error}; {remedy}, then run the"
        " same command again"
    )


NUMBER = re.compile(r"errno = (\d+)")


def disk_error(error: Exception) -> OSError | None:
    """Find the refusal of a disk that a library's error tells of.

    HDF5 gives its number in an error of any type, and in words alone: "errno = 5".

    Returns:
        An error with a number of `REMEDIES`; None if it tells of something else.
    """
    found = NUMBER.search(str(error))
    number = getattr(error, "errno", None) or int(found[1] if found else 0)
    return OSError(number, os.strerror(number)) if number in REMEDIES else None


def raise_refusal(path: object, error: Exception) -> None:
    """Raise what a disk refused while a file was read; do nothing for other errors.

    Raises:
        ArtifactError: the error tells of a disk that refused (see `disk_error`).
    """
    if failed := disk_error(error):
        raise refused(path, failed, "read") from error


def unusable(path: Path, what: str) -> ArtifactError:
    """Make an error on a file, with advice that never costs a user's own file."""
    if UNFINISHED.search(str(path)):
        return ArtifactError(
            f"{path}: {what}; it is the unfinished part of a job: remove it and run the"
            f" same command again: rm {str(path)!r}"
        )
    return ArtifactError(
        f"{path}: {what}; if the workflow made it, make it again (with the same"
        f" --configfile): snakemake --cores all --force {str(path)!r}"
    )
