"""Check every artifact of a world: against its own digests, and against its inputs."""

import functools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from twinlens import cli, folders
from twinlens.artifacts import reader
from twinlens.artifacts.contents import sha1
from twinlens.artifacts.table import read_csv
from twinlens.errors import ArtifactError
from twinlens.networks import live
from twinlens.plan import overlays
from twinlens.progress import track

HEAD = b"# twinlens "
MANIFEST = "manifest/1"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what is damaged or stale; 1 if anything is, or there is nothing.

    Raises:
        ConfigError: the config can't be used.
    """
    options = cli.config_options("verify", __doc__).parse_args(arguments)
    root = Path(overlays.plan(options.config, options.data).root)
    files, faults = artifacts(root), 0
    for faults, line in enumerate(problems(files), 1):  # noqa: B007
        print(line, flush=True)
    print(f"{root}: {len(files)} files looked at, {faults} faults")
    return int(bool(faults) or not files)


def artifacts(root: Path) -> list[Path]:
    """List the artifacts of a world; hidden files and those of loggers are none.

    Raises:
        ArtifactError: a folder can't be listed.
    """

    def is_other(part: str) -> bool:
        return part.startswith(".") or part.endswith(live.LOGGED)

    return sorted(
        path
        for path in folders.files(root)
        if path.suffix in {".h5", ".csv"}
        and not any(map(is_other, path.relative_to(root).parts))
    )


def problems(files: Sequence[Path]) -> Iterator[str]:
    """Say in a line each what is damaged, or made from what has changed since.

    Args:
        files: as `artifacts` lists them.
    """
    identity = functools.cache(reader.file_id)
    for path in track(files, "verify", "files"):
        try:
            yield from _csv(path) if path.suffix == ".csv" else _hdf5(path, identity)
        except (ArtifactError, OSError, ValueError) as error:
            where = "" if str(path) in str(error) else f"{path}: "
            yield f"{where}{error}"


def _hdf5(path: Path, identity: Callable[[Path], str]) -> Iterator[str]:
    """Read all of an artifact, and compare its inputs with what lies there now."""
    with reader.open(path) as file:
        file.check_values()
        inputs = dict(file.about.get("inputs", {}))
    for name, then in inputs.items():
        # Files that only passed through are gone; folders stand in their manifests.
        if Path(name).is_file():
            yield from _compared(path, name, then, identity)


def _compared(
    path: Path, name: str, then: str, identity: Callable[[Path], str]
) -> Iterator[str]:
    try:
        now = identity(Path(name))
    except ArtifactError as error:
        yield f"{path}: made from what can't be used now: {error}"
        return
    if now != then:
        yield (
            f"{path}: stale: made from another {name} ({then[:12]} then, {now[:12]}"
            " now)"
        )


def _csv(path: Path) -> Iterator[str]:
    """Read a csv; of a manifest, compare the videos with what was decoded."""
    first = path.read_bytes().partition(b"\n")[0]
    if not first.startswith(HEAD):
        yield f"{path}: does not begin as a file of twinlens: emptied or replaced"
    elif b" sha256=" in first:  # tables have none, and are written again in a moment
        kind = first.split(b" ")[2].decode()
        rows = read_csv(path, kind)
        if kind == MANIFEST:
            yield from _videos(path, rows[rows["status"] == "ok"].to_dict("records"))


def _videos(path: Path, rows: Sequence[dict[Any, Any]]) -> Iterator[str]:
    """Compare the videos that were decoded with their files."""
    for row in track(rows, f"verify videos of {path.parent.name}", "videos"):
        video = Path(row["path"])
        if not video.is_file():
            yield f"{path}: {video} is gone; {row['clip']} was decoded from it"
        elif row["sha1"] and sha1(video) != row["sha1"]:
            yield f"{path}: {video} has other bytes than those that were decoded"
