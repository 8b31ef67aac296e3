"""Bring the files that a world needs and that are published."""

import argparse
import shutil
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from tabulate import tabulate

from twinlens.assets import published
from twinlens.assets.download import download
from twinlens.assets.needs import Need, needs
from twinlens.assets.published import Asset
from twinlens.assets.unpack import check_tool, unpack
from twinlens.errors import ArtifactError, ConfigError
from twinlens.plan import overlays
from twinlens.progress import say

DOWNLOADS = ".downloads"
"""Folder of archives beside what is unpacked from them; emptied by and by."""
ROOM = 2.2
"""Disk for an archive and what is unpacked from it, in sizes of the archive."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Bring what is missing; 1 if something is missing still."""
    parser = argparse.ArgumentParser(prog="twinlens fetch", description=__doc__)
    parser.add_argument(
        "--config", type=Path, nargs="*", default=[], help="overlays of config.yaml"
    )
    parser.add_argument("--data", help="folder of the data, as the config's `data`")
    parser.add_argument(
        "--list", action="store_true", help="only list all that the config names"
    )
    options = parser.parse_args(arguments)
    try:
        plan = overlays.plan(options.config, options.data)
    except ConfigError as error:
        sys.exit(f"twinlens fetch: {error}")
    named = _distinct(need for need in needs(plan) if need.path)
    print(_listed(named))
    if options.list:
        return 0
    problems = [text for need in named if need.missing and (text := _bring(need))]
    for text in problems:
        print(f"MISSING {text}")
    return int(bool(problems))


def _distinct(found: Iterable[Need]) -> list[Need]:
    """Keep the first need of each path."""
    return list({need.path: need for need in reversed(list(found))}.values())[::-1]


def _listed(named: Sequence[Need]) -> str:
    """List all files with size, terms, and whether they are there."""
    rows = []
    for need in named:
        asset = published.find(str(need.path))
        rows.append(
            {
                "file": need.path,
                "": _state(need, asset),
                "MB": asset.megabytes if asset else "",
                "licence": asset.licence if asset else "",
                "digest": asset.digest[:22] if asset else "",
            }
        )
    return tabulate(rows, headers="keys") if rows else "the config names no files"


def _state(need: Need, asset: Asset | None) -> str:
    if not need.missing:
        return "there"
    return "to fetch" if asset and asset.urls else "by hand"


def _bring(need: Need) -> str:
    """Bring a file or folder; what to do if that can't be, "" if it was brought."""
    asset = published.find(str(need.path))
    if asset is None:
        return f"{need.path}: {need.what}, no published file is known: {need.remedy}"
    if not asset.urls:
        return f"{need.path}: {asset.by_hand}"
    try:
        _fetch(asset, Path(str(need.path)))
    except ArtifactError as error:
        by_hand = f"; by hand: {asset.by_hand}" if asset.by_hand else ""
        return f"{need.path}: {error}{by_hand}"
    say(f"{need.path}: there; licence: {asset.licence}")
    return ""


def _fetch(asset: Asset, out: Path) -> None:
    """Download a file, or an archive and unpack it."""
    out.parent.mkdir(parents=True, exist_ok=True)
    _check_room(asset, out.parent)
    if asset.inside is None:
        download(asset.urls, out, asset.digest)
        return
    archive = out.parent / DOWNLOADS / asset.urls[0].rpartition("/")[2]
    check_tool(archive.name)
    if not archive.is_file():
        download(asset.urls, archive, asset.digest)
    unpack(archive, asset.inside, out, asset.files)
    archive.unlink()
    if not any(archive.parent.iterdir()):
        archive.parent.rmdir()


def _check_room(asset: Asset, folder: Path) -> None:
    """Refuse to begin what the disk can't take.

    Raises:
        ArtifactError: the disk has too little room.
    """
    need = asset.megabytes * (1 if asset.inside is None else ROOM)
    free = shutil.disk_usage(folder).free / 1e6
    if free < need:
        raise ArtifactError(
            f"needs {need:,.0f} MB at {folder}, where {free:,.0f} MB are free"
        )
