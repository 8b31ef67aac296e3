"""Kinds of data sets: one file each, looked up by its name.

A kind's file has `listing(settings: Mapping) -> Listing`; the mapping holds the fields
of `twinlens.media.settings.Source`.
"""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from twinlens.errors import DataError
from twinlens.media.lists import composed
from twinlens.media.settings import Source
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
        more = "".join(f"; {line}" for line in listed.warnings)
        raise DataError(
            f"no clip of {source.classes or 'any class'} found in {source.videos};"
            f" {len(listed.missing)} files are listed{more}"
        )
    _refuse_odd_names(each.clip for each in listed.clips)
    return listed


def _refuse_odd_names(clips: Iterable[str]) -> None:
    """Refuse names that lists can't hold: each is UTF-8 in a line, and used once."""
    seen: set[str] = set()
    for clip in clips:
        if clip in seen:
            raise DataError(f"{clip}: listed twice; a split lists each clip once")
        try:
            clip.encode()
        except UnicodeEncodeError as error:
            raise DataError(f"{clip!r}: its name is not UTF-8; rename it") from error
        if any(unicodedata.category(letter) == "Cc" for letter in clip):
            raise DataError(f"{clip!r}: its name has a control character; rename it")
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
    wanted = [composed(name) for name in settings.get("classes") or known]
    if unknown := [name for name in wanted if name not in known]:
        raise DataError(f"unknown classes {unknown}; there are: {known}")
    return [name for name in known if name in set(wanted)]
