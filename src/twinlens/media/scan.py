"""List a data set's clips and cut it into shards, before anything is decoded."""

import hashlib
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from twinlens.artifacts.contents import Contents
from twinlens.errors import DataError
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


def fingerprints(
    clips: Sequence[sets.Listed], shards: int, contents: Contents, label: str, most: int
) -> list[str]:
    """Digest the names, labels and bytes of each shard of a part, for the workflow.

    A clip that was swapped, added or removed changes its own shard's digest.

    Args:
        clips: of the part.
        shards: how many it is cut into.
        contents: digests of files' bytes.
        label: what the clips are, for the progress.
        most: bytes of a file that is read; of a larger one only the size counts.

    Raises:
        DataError: a file can't be read.
    """
    digests = [hashlib.sha256() for _ in range(shards)]
    try:
        found = contents.of([each.path for each in clips], label, most)
    except OSError as error:
        raise DataError(
            f"{error.filename}: can't be read: {error.strerror or error}"
        ) from error
    for each, content in zip(clips, found, strict=True):
        line = f"{each.clip} {each.label} {content}\n"
        digests[shard_of(each.clip, shards)].update(line.encode())
    return [digest.hexdigest()[:16] for digest in digests]
