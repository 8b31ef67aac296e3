"""HMDB51 as its archive unpacks it (Kuehne et al., 2011).

<videos>/<class>/<name>.avi
<splits>/<class>_test_split1.txt   "<name>.avi 1": 1 train, 2 test, 0 unused
"""

from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any

from twinlens.errors import DataError
from twinlens.media.lists import composed, existing, lines
from twinlens.media.sets import Listed, Listing, chosen, folder_of

# The order of the published recognisers' outputs: not alphabetical at kick_ball, kick
# and sword_exercise, sword.
CLASSES = """
brush_hair cartwheel catch chew clap climb climb_stairs dive draw_sword dribble drink
eat fall_floor fencing flic_flac golf handstand hit hug jump kick_ball kick kiss laugh
pick pour pullup punch push pushup ride_bike ride_horse run shake_hands shoot_ball
shoot_bow shoot_gun sit situp smile smoke somersault stand swing_baseball
sword_exercise sword talk throw turn walk wave
""".split()
PARTS = {"1": "train", "2": "test"}


def listing(settings: Mapping[str, Any]) -> Listing:
    """List the clips of one split; see `twinlens.media.sets.listing`."""
    videos, splits = folder_of(settings, "videos"), folder_of(settings, "splits")
    split = int(settings["split"])
    classes = chosen(settings, CLASSES)
    clips: list[Listed] = []
    missing: list[str] = []
    for label, name in enumerate(classes):
        path = splits / f"{name}_test_split{split}.txt"
        for file, part in _parts(path):
            video = existing(videos, PurePath(name, file))
            if video.is_file():
                clip = f"{name}/{composed(video.stem)}"
                clips.append(Listed(clip=clip, part=part, label=label, path=video))
            else:
                missing.append(f"{name}/{file}")
    return Listing(classes=classes, clips=clips, missing=missing)


def _parts(path: Path) -> list[tuple[str, str]]:
    """Read file names with their part; names may hold blanks."""
    pairs = [line.rsplit(maxsplit=1) for line in lines(path)]
    if any(len(pair) != 2 or pair[1] not in {"0", "1", "2"} for pair in pairs):
        raise DataError(f"{path}: lines must read '<file> <0, 1 or 2>'")
    return [(file, PARTS[mark]) for file, mark in pairs if mark in PARTS]
