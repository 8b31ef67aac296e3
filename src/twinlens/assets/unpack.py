"""Unpack archives of data sets: zip, tar and rar, also rar in rar as HMDB51's."""

import hashlib
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import rarfile

from twinlens.errors import REMEDIES, ArtifactError, refused
from twinlens.progress import say, track

DAMAGED = (
    *(rarfile.Error, zipfile.BadZipFile, tarfile.TarError, shutil.ReadError),
    *(zlib.error, EOFError, ValueError),
)
"""What the readers of archives raise."""


class DamagedError(ArtifactError):
    """An archive that can't be unpacked, whoever tries."""


TOOLS = "unrar, unar, 7z or bsdtar"


def check_tool(archive: str) -> None:
    """Check that an archive can be unpacked, before it is downloaded.

    Raises:
        ArtifactError: there is no tool for rar files.
    """
    if not archive.endswith(".rar"):
        return
    try:
        rarfile.tool_setup()
    except rarfile.RarCannotExec as error:
        raise _no_tool(archive) from error


def _no_tool(archive: object) -> ArtifactError:
    return ArtifactError(
        f"{archive}: to unpack .rar files, one of {TOOLS} is needed: install one, then"
        " run the same command again"
    )


def unpack(archive: Path, inside: str, out: Path, least: int | None = None) -> None:
    """Take a folder or file out of an archive; it appears whole or not at all.

    Args:
        archive: .zip, .tar.gz or .rar; rar files in it are unpacked too.
        inside: path in the archive; "" for all of it.
        out: where to put it; nothing lies there yet.
        least: files that a folder must have.

    Raises:
        DamagedError: the archive is damaged, or lacks what is wanted; of rar and tar,
            has a file that would lie outside (of zip, such a file is left out).
        ArtifactError: there is no tool for rar files, or the disk refused.
    """
    with _beside(out) as folder:
        _extract(archive, folder)
        _extract_inner(folder)
        found = folder / inside
        if not found.exists():
            raise DamagedError(f"{archive}: has no {inside}")
        count = sum(each.is_file() for each in found.rglob("*"))
        if least is not None and count < least:
            raise DamagedError(
                f"{archive}: {count} files where {least} or more were published"
            )
        found.replace(out)


@contextmanager
def _beside(out: Path) -> Iterator[Path]:
    """Make a hidden folder beside `out`; one of a killed run is emptied first."""
    folder = out.with_name(f".{out.name}.unpacking")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _extract(archive: Path, folder: Path) -> None:
    say(f"unpacking {archive.name}")
    try:
        if archive.suffix == ".rar":
            return _extract_rar(archive, folder)
        if archive.suffix == ".zip":
            return shutil.unpack_archive(archive, folder)
        shutil.unpack_archive(archive, folder, filter="data")
    except rarfile.RarCannotExec as error:
        raise _no_tool(archive) from error
    except DAMAGED as error:
        _read_whole(archive)
        raise DamagedError(f"{archive}: can't be unpacked: {error}") from error
    except OSError as error:
        if error.errno in REMEDIES:
            what = "read or written"
            raise refused(error.filename or folder, error, what) from error
        raise DamagedError(f"{archive}: can't be unpacked: {error}") from error


def _read_whole(archive: Path) -> None:
    """Read an archive once: libraries take a failing disk for a damaged file."""
    try:
        with archive.open("rb") as file:
            hashlib.file_digest(file, "sha1")
    except OSError as error:
        raise refused(archive, error, "read") from error


def _extract_rar(archive: Path, folder: Path) -> None:
    rarfile.HACK_TMP_DIR = str(folder)  # its own files go with the folder, not to /tmp
    with rarfile.RarFile(archive) as file:
        if file.is_solid():  # its files can't be had one by one
            raise ArtifactError(
                f"{archive}: is a solid archive: unpack it by hand: unrar x {archive}"
            )
        file.extractall(folder)


def _extract_inner(folder: Path) -> None:
    """Unpack rar files where they lie, and remove them."""
    archives = sorted(folder.rglob("*.rar"))
    if not archives:
        return
    for archive in track(archives, "unpack", "archives"):
        _extract(archive, archive.parent)
        archive.unlink()
