"""UCF101 as its archive unpacks it (Soomro, Zamir, Shah, 2012).

    <videos>/<Class>/v_<Class>_gXX_cYY.avi
    <splits>/classInd.txt      "1 ApplyEyeMakeup": numbers count from 1
    <splits>/trainlist01.txt   "Class/v_x.avi 1"
    <splits>/testlist01.txt    "Class/v_x.avi"

A clip's class is its folder: the files of HandstandPushups spell it differently.
"""

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from twinlens.errors import DataError
from twinlens.media.lists import composed, existing, lines
from twinlens.media.sets import Listed, Listing, chosen, folder_of


def listing(settings: Mapping[str, Any]) -> Listing:
    """List the clips of one split; see `twinlens.media.sets.listing`."""
    videos, splits = folder_of(settings, "videos"), folder_of(settings, "splits")
    split = int(settings["split"])
    known = _classes(splits / "classInd.txt")
    classes = chosen(settings, known)
    clips: list[Listed] = []
    missing: list[str] = []
    for part in ("train", "test"):
        path = splits / f"{part}list{split:02d}.txt"
        for line in lines(path):
            name = PurePosixPath(_file(line))
            if name.parent.name not in known:
                raise DataError(f"{path}: {line}: its class is not in classInd.txt")
            if name.parent.name not in classes:
                continue
            video = existing(videos, name)
            if video.is_file():
                clips.append(_listed(name, part, classes, video))
            else:
                missing.append(str(name))
    return Listing(classes=classes, clips=clips, missing=missing)


def _file(line: str) -> str:
    """The file that a line names, which may have blanks, without a label behind it."""
    file, *label = line.rsplit(maxsplit=1)
    return composed(file if label and label[0].isdigit() else line)


def _listed(name: PurePosixPath, part: str, classes: list[str], path: Path) -> Listed:
    label = classes.index(name.parent.name)
    return Listed(clip=str(name.with_suffix("")), part=part, label=label, path=path)


def _classes(path: Path) -> list[str]:
    """Read class names in the official order, which is not Python's."""
    pairs = [composed(line).split(maxsplit=1) for line in lines(path)]
    if any(len(pair) != 2 or not pair[0].isdigit() for pair in pairs):
        raise DataError(f"{path}: lines must read '<number> <class>'")
    return [name for _, name in sorted(pairs, key=lambda pair: int(pair[0]))]
