"""Check every artifact of a world: against its own digests, and against its inputs."""

import argparse
import functools
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from twinlens.artifacts import reader
from twinlens.artifacts.table import read_csv
from twinlens.errors import ArtifactError, ConfigError
from twinlens.media.ffmpeg import sha1
from twinlens.plan import overlays
from twinlens.progress import track

MANIFEST = "manifest/1"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what is damaged or stale; 1 if anything is."""
    parser = argparse.ArgumentParser(prog="twinlens verify", description=__doc__)
    parser.add_argument(
        "--config", type=Path, nargs="*", default=[], help="overlays of config.yaml"
    )
    parser.add_argument("--data", help="folder of the data, as the config's `data`")
    options = parser.parse_args(arguments)
    try:
        root = Path(overlays.plan(options.config, options.data).root)
    except ConfigError as error:
        sys.exit(f"twinlens verify: {error}")
    files = artifacts(root)
    found = list(problems(files))
    for line in found:
        print(line)
    print(f"{root}: {len(files)} files looked at, {len(found)} with a fault")
    return int(bool(found))


def artifacts(root: Path) -> list[Path]:
    """List the artifacts of a world that carry a digest, hidden ones left out."""
    return sorted(
        path
        for path in root.rglob("*")
        if not any(part.startswith(".") for part in path.relative_to(root).parts)
        and (path.suffix == ".h5" or (path.suffix == ".csv" and _is_sealed(path)))
    )


def _is_sealed(path: Path) -> bool:
    with path.open("rb") as file:
        first = file.readline()
    return first.startswith(b"# twinlens ") and b" sha256=" in first


def problems(files: Sequence[Path]) -> Iterator[str]:
    """Say in a line each what is damaged, or made from what has changed since.

    Args:
        files: as `artifacts` lists them.
    """
    identity = functools.cache(reader.file_id)
    for path in track(files, "verify", "files"):
        try:
            yield from _csv(path) if path.suffix == ".csv" else _hdf5(path, identity)
        except (ArtifactError, OSError) as error:
            yield str(error)


def _hdf5(path: Path, identity: "functools._lru_cache_wrapper[str]") -> Iterator[str]:
    """Read all of an artifact, and compare its inputs with what lies there now."""
    with reader.open(path) as file:
        file.check_values()
        inputs = dict(file.about.get("inputs", {}))
    for name, then in inputs.items():
        # Files that only passed through are gone; folders stand in their manifests.
        if Path(name).is_file() and (now := identity(Path(name))) != then:
            yield (
                f"{path}: stale: made from another {name} ({then[:12]} then,"
                f" {now[:12]} now)"
            )


def _csv(path: Path) -> Iterator[str]:
    """Read a csv; of a manifest, compare the videos with what was decoded."""
    kind = path.read_bytes().split(b" ", 3)[2].decode()
    rows = read_csv(path, kind)
    if kind != MANIFEST:
        return
    for row in rows.to_dict("records"):
        video = Path(row["path"])
        if not video.is_file():
            yield f"{path}: {video} is gone; {row['clip']} was decoded from it"
        elif row["sha1"] and sha1(video) != row["sha1"]:
            yield f"{path}: {video} has other bytes than those that were decoded"
