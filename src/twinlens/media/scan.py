"""List a data set's clips and cut it into shards, before anything is decoded."""

import hashlib
import zlib
from collections.abc import Mapping
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
    source: Source, shards: Mapping[str, int], contents: Contents, label: str
) -> dict[tuple[str, int], str]:
    """Digest each shard's names, labels and bytes, for the workflow.

    A clip that was swapped, added or removed changes its own shard's digest.

    Args:
        source: where the data set's clips come from.
        shards: how many each part is cut into.
        contents: digests of files' bytes.
        label: the data set's name, for the progress.

    Raises:
        DataError: the data set's folders or one of its files can't be read.
    """
    digests = {
        (part, number): hashlib.sha256()
        for part, count in shards.items()
        for number in range(count)
    }
    clips = [each for each in sets.listing(source).clips if each.part in shards]
    paths = [each.path for each in clips]
    try:
        bytes_of = contents.of(paths, f"videos of {label}", source.limits.bytes)
    except OSError as error:
        raise DataError(
            f"{error.filename}: can't be read: {error.strerror or error}"
        ) from error
    for each, digest in zip(clips, bytes_of, strict=True):
        key = each.part, shard_of(each.clip, shards[each.part])
        digests[key].update(f"{each.clip} {each.label} {digest}\n".encode())
    return {key: digest.hexdigest()[:16] for key, digest in digests.items()}
