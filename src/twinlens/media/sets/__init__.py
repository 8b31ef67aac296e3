"""Kinds of data sets: one file each, looked up by its name.

A kind's file has `listing(settings: Mapping) -> Listing`; the mapping holds the fields
of `twinlens.media.settings.Source`.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from twinlens.errors import DataError
from twinlens.media.settings import SUFFIXES, Source
from twinlens.named import Package

PACKAGE = Package("media.sets", "kind of data set")
names = PACKAGE.names


@dataclass(frozen=True, kw_only=True, slots=True)
class Listed:
    """A clip that a data set lists and that is there."""

    clip: str
    """`"<Class>/<file stem>"`."""
    part: str
    """`"train"`, `"test"` or `"corpus"`."""
    label: int
    """0-based index of its class in `Listing.classes`; -1 without classes."""
    path: Path


@dataclass(frozen=True, kw_only=True, slots=True)
class Listing:
    """What a data set holds."""

    classes: list[str]
    clips: list[Listed]
    missing: list[str] = field(default_factory=list)
    """Files that the split names and the folder lacks."""
    warnings: list[str] = field(default_factory=list)


def listing(source: Source) -> Listing:
    """List the clips of a data set.

    Args:
        source: where they come from; its kind is one of `names()`.

    Raises:
        DataError: a folder or split file is missing or can't be read.
    """
    try:
        module = PACKAGE.module(source.kind)
    except ValueError as error:
        raise DataError(str(error)) from error
    listed: Listing = module.listing(asdict(source))
    if not listed.clips:
        raise DataError(
            f"no clip of {source.classes or 'any class'} found in {source.videos};"
            f" {len(listed.missing)} files are listed"
        )
    _refuse_odd_names(each.clip for each in listed.clips)
    return listed


def _refuse_odd_names(clips: Iterable[str]) -> None:
    """Refuse names that can't be HDF5 paths: each is UTF-8 and used once."""
    seen: set[str] = set()
    for clip in clips:
        if clip in seen:
            raise DataError(f"{clip}: listed twice; a split lists each clip once")
        try:
            clip.encode()
        except UnicodeEncodeError as error:
            raise DataError(f"{clip!r}: its name is not UTF-8; rename it") from error
        seen.add(clip)


def folder_of(settings: Mapping[str, Any], key: str) -> Path:
    """Return the folder that a setting names.

    Raises:
        DataError: the key is not set or the folder is not there.
    """
    if not settings.get(key):
        raise DataError(f"the data set's entry in the config lacks {key!r}: a folder")
    path = Path(settings[key]).expanduser()
    if not path.is_dir():
        raise DataError(
            f"{path}: no such folder; put the data set's {key} there, or set"
            f" its {key!r} in the config"
        )
    return path


def chosen(settings: Mapping[str, Any], classes: Iterable[str]) -> list[str]:
    """Select the data set's classes, restricted to the config's `classes` in its order.

    Raises:
        DataError: a chosen class does not exist.
    """
    known = list(classes)
    wanted = settings.get("classes") or known
    if unknown := [name for name in wanted if name not in known]:
        raise DataError(f"unknown classes {unknown}; there are: {known}")
    return [name for name in known if name in set(wanted)]


def lines(path: Path) -> list[str]:
    """Read the non-empty lines of a text file, whatever its line ends.

    Raises:
        DataError: there is no such file.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such file; it belongs to the official splits")
    text = path.read_text(encoding="utf-8", errors="replace")
    return [line.strip() for line in text.splitlines() if line.strip()]


def videos(root: Path) -> list[Path]:
    """List all video files below a folder, by name; links are followed."""
    paths = [
        Path(folder) / name
        for folder, folders, names in _walk(root)
        for name in [*folders, *names]
        if not name.startswith(".")
    ]
    return sorted(path for path in paths if path.suffix.lower() in SUFFIXES)


def _walk(root: Path) -> Iterator[tuple[str, list[str], list[str]]]:
    """Walk as `os.walk`, through links, but not into one to a folder around it."""
    for folder, folders, names in os.walk(root, followlinks=True):
        around = Path(folder).resolve()
        yield folder, list(folders), names
        folders[:] = [
            name
            for name in folders
            if not around.is_relative_to((around / name).resolve())
        ]
