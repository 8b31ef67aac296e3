"""Videos to train super-resolution on: any folder, no classes.

The paper's corpus, CDVL-134, is not public as a whole; any natural videos serve.
"""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from twinlens.errors import DataError
from twinlens.media.lists import composed
from twinlens.media.search import search
from twinlens.media.sets import Listed, Listing, folder_of


def listing(settings: Mapping[str, Any]) -> Listing:
    """List all videos below the folder; see `twinlens.media.sets.listing`."""
    root = folder_of(settings, "videos")
    found = search(root)
    clips = [
        Listed(
            clip=composed(str(path.relative_to(root).with_suffix(""))),
            part="corpus",
            label=-1,
            path=path,
        )
        for path in found.videos
    ]
    names = {each.clip for each in clips}
    if len(names) < len(clips):
        raise DataError(f"{root}: two videos of one name; rename one")
    for each in clips:
        if any(str(parent) in names for parent in PurePath(each.clip).parents):
            raise DataError(f"{each.path}: its folder has a video's name; rename one")
    return Listing(classes=[], clips=clips, warnings=found.lines())
