"""List a data set's clips and cut it into shards, before anything is decoded."""

import hashlib
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from twinlens.media import sets
from twinlens.media.settings import Source

if TYPE_CHECKING:
    import pandas as pd


def shard(source: Source, part: str, shard: int, shards: int) -> "pd.DataFrame":
    """List the clips of one shard.

    Args:
        source: where the data set's clips come from.
        part: "train", "test" or "corpus".
        shard: 0-based.
        shards: how many the part is cut into.

    Returns:
        Columns clip, class, label, part, path; by label, then by name.

    Raises:
        DataError: the data set's folders can't be used.
    """
    listed = sets.listing(source)
    rows = [
        {
            "clip": each.clip,
            "class": listed.classes[each.label] if listed.classes else "",
            "label": each.label,
            "part": part,
            "path": str(each.path),
        }
        for each in sorted(listed.clips, key=lambda each: (each.label, each.clip))
        if each.part == part and shard_of(each.clip, shards) == shard
    ]
    import pandas as pd  # not for the plan, which lists data sets too

    return pd.DataFrame(rows, columns=["clip", "class", "label", "part", "path"])


def shard_of(clip: str, shards: int) -> int:
    """Hash a clip's name to its shard, so that a new clip moves no other."""
    return zlib.crc32(clip.encode()) % shards


def file_fingerprint(path: Path, ends: int = 1 << 16) -> str:
    """Digest a file's size, time, and first and last bytes; "" if it is not there.

    Another file under its name is noticed, also one whose time was kept.
    """
    if not path.is_file():
        return ""
    status = path.stat()
    digest = hashlib.sha256(f"{status.st_size} {status.st_mtime_ns}".encode())
    with path.open("rb") as file:
        digest.update(file.read(ends))
        file.seek(max(0, status.st_size - ends))
        digest.update(file.read())
    return digest.hexdigest()[:16]


def fingerprints(
    source: Source, shards: Mapping[str, int]
) -> dict[tuple[str, int], str]:
    """Digest each shard's names, sizes and times, for the workflow.

    A clip that was swapped, added or removed changes its own shard's digest. Nothing of
    the files' content is read.

    Raises:
        DataError: the data set's folders can't be used.
    """
    digests = {
        (part, number): hashlib.sha256()
        for part, count in shards.items()
        for number in range(count)
    }
    for each in sets.listing(source).clips:
        if each.part in shards:
            status = each.path.stat(follow_symlinks=each.path.exists())
            line = f"{each.clip} {each.label} {status.st_size} {status.st_mtime_ns}\n"
            key = each.part, shard_of(each.clip, shards[each.part])
            digests[key].update(line.encode())
    return {key: digest.hexdigest()[:16] for key, digest in digests.items()}
