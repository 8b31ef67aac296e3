"""Videos to train super-resolution on: any folder, no classes.

The paper's corpus, CDVL-134, is not public as a whole; any natural videos serve.
"""

from collections.abc import Mapping
from typing import Any

from twinlens.media.sets import DataError, Listed, Listing, folder, videos


def listing(settings: Mapping[str, Any]) -> Listing:
    """List all videos below the folder; see `twinlens.media.sets.listing`."""
    root = folder(settings, "videos")
    clips = [
        Listed(
            clip=str(path.relative_to(root).with_suffix("")),
            part="corpus",
            label=-1,
            path=path,
        )
        for path in videos(root)
    ]
    if len({each.clip for each in clips}) < len(clips):
        raise DataError(f"{root}: two videos of one name; rename one")
    return Listing(classes=[], clips=clips)
