"""Bring the files that a world needs and that are published."""

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from tabulate import tabulate

from twinlens import cli, errors
from twinlens.artifacts.publish import locked
from twinlens.assets import published
from twinlens.assets.download import Part, download
from twinlens.assets.needs import Need, needs
from twinlens.assets.published import Asset
from twinlens.assets.unpack import DamagedError, check_tool, unpack
from twinlens.errors import ArtifactError
from twinlens.plan import overlays
from twinlens.progress import say

DOWNLOADS = ".downloads"
"""Folder of archives beside what is unpacked from them; an unpacked one is removed."""
ROOM = 1.2
"""Disk for what is unpacked from an archive, in sizes of the archive."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Bring what is missing; 1 if something is missing still.

    Raises:
        ConfigError: the config can't be used.
    """
    parser = cli.config_options("fetch", __doc__)
    parser.add_argument(
        "--list", action="store_true", help="only list all that the config names"
    )
    options = parser.parse_args(arguments)
    plan = overlays.plan(options.config, options.data)
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
    kept: dict[str | None, Need] = {}
    for need in found:
        kept.setdefault(need.path, need)
    return list(kept.values())


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
        out = Path(str(need.path))
        out.parent.mkdir(parents=True, exist_ok=True)
        with locked(out, ".fetch"):
            if need.missing:  # else another command brought it
                _fetch(asset, out)
    except (ArtifactError, OSError) as error:
        if isinstance(error, OSError):
            error = errors.refused(error.filename or need.path, error)
        by_hand = f"; by hand: {asset.by_hand}" if asset.by_hand else ""
        return f"{need.path}: {error}{by_hand}"
    say(f"{need.path}: there; licence: {asset.licence}")
    return ""


def _fetch(asset: Asset, out: Path) -> None:
    """Download a file, or an archive and unpack it."""
    if asset.inside is None:
        _check_room(asset.megabytes, Part(out).size, out.parent)
        download(asset.urls, out, asset.digest)
        return
    archive = out.parent / DOWNLOADS / asset.urls[0].rpartition("/")[2]
    check_tool(archive.name)
    here = archive.stat().st_size if archive.exists() else Part(archive).size
    _check_room((1 + ROOM) * asset.megabytes, here, out.parent)
    if not archive.is_file():
        download(asset.urls, archive, asset.digest)
    try:
        unpack(archive, asset.inside, out, asset.files)
    except DamagedError:
        if not asset.digest:  # else it is what was published, and would come again
            archive.unlink()
        raise
    archive.unlink()
    if not any(archive.parent.iterdir()):
        archive.parent.rmdir()


def _check_room(megabytes: float, here: int, folder: Path) -> None:
    """Refuse to begin what the disk can't take.

    Args:
        megabytes: that are needed in all.
        here: bytes of it that lie there already.
        folder: of the disk.

    Raises:
        ArtifactError: the disk has too little room.
    """
    need = megabytes - here / 1e6
    free = shutil.disk_usage(folder).free / 1e6
    if free < need:
        raise ArtifactError(
            f"needs {need:,.0f} MB at {folder}, where {free:,.0f} MB are free"
        )
