"""Your own videos: a folder with a sub-folder for each class.

    <videos>/<class>/<anything>.mp4

The split is a csv file (`split_file`, columns `clip` and `part`: "class/name" and
"train" or "test"), or drawn from the seed: `test_fraction` of each class. `group` is a
regular expression whose first group (or whole match) in the file name says which scene
a clip shows; clips of one scene stay on one side of the split.
"""

import csv
import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from twinlens import provenance
from twinlens.media.ffmpeg import SUFFIXES
from twinlens.media.sets import DataError, Listed, Listing, chosen, folder_of, videos


def listing(settings: Mapping[str, Any]) -> Listing:
    """List the clips; see `twinlens.media.sets.listing`."""
    root = folder_of(settings, "videos")
    found: dict[str, list[Path]] = defaultdict(list)
    for path in videos(root):
        if path.parent.parent == root:
            found[path.parent.name].append(path)
    classes = chosen(settings, sorted(found))
    _refuse_twins(path for name in classes for path in found[name])
    if settings.get("split_file"):
        return _given(Path(settings["split_file"]), classes, found)
    return _drawn(settings, classes, found)


def _refuse_twins(paths: Any) -> None:
    """Two files of one stem would be one clip."""
    seen: dict[Path, Path] = {}
    for path in paths:
        if twin := seen.get(path.with_suffix("")):
            raise DataError(f"{twin} and {path}: two clips of one name; rename one")
        seen[path.with_suffix("")] = path


def _given(path: Path, classes: list[str], found: Mapping[str, list[Path]]) -> Listing:
    """The split that a csv file gives."""
    if not path.is_file():
        raise DataError(f"{path}: no such file; it is the data set's split_file")
    there = {f"{name}/{each.stem}": each for name in classes for each in found[name]}
    clips: list[Listed] = []
    missing: list[str] = []
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            clip, part = _row(path, row)
            name = clip.split("/")[0]
            if clip in there:
                label = classes.index(name)
                item = Listed(clip=clip, part=part, label=label, path=there[clip])
                clips.append(item)
            elif name in classes or name not in found:
                missing.append(clip)
    return Listing(classes=classes, clips=clips, missing=missing)


def _row(path: Path, row: Mapping[str, str | None]) -> tuple[str, str]:
    clip, part = row.get("clip") or "", row.get("part") or ""
    if part not in {"train", "test"} or "/" not in clip:
        raise DataError(
            f"{path}: {dict(row)}: needs columns clip ('class/name') and part"
            " ('train' or 'test')"
        )
    if Path(clip).suffix.lower() in SUFFIXES:
        clip = str(Path(clip).with_suffix(""))
    return clip, part


def _drawn(
    settings: Mapping[str, Any], classes: list[str], found: Mapping[str, list[Path]]
) -> Listing:
    """A split drawn scene by scene, the same for the same seed and file names."""
    pattern = settings.get("group")
    clips = []
    for label, name in enumerate(classes):
        scenes: dict[str, list[Path]] = defaultdict(list)
        for path in found[name]:
            scenes[_scene(path, pattern)].append(path)
        test = _test_scenes(scenes, name, settings)
        for scene, paths in scenes.items():
            part = "test" if scene in test else "train"
            clips += [
                Listed(clip=f"{name}/{path.stem}", part=part, label=label, path=path)
                for path in paths
            ]
    warnings = []
    if not pattern:
        warnings.append(
            "no `group` pattern: takes of one scene may stand in both train and test,"
            " which makes accuracies too high"
        )
    return Listing(classes=classes, clips=clips, warnings=warnings)


def _scene(path: Path, pattern: str | None) -> str:
    if not pattern:
        return path.stem
    try:
        match = re.search(pattern, path.stem)
    except re.error as error:
        raise DataError(f"`group` pattern {pattern!r}: {error}") from error
    if match is None:
        raise DataError(f"{path}: `group` pattern {pattern!r} does not match its name")
    return match.group(1) if match.groups() else match.group()


def _test_scenes(
    scenes: Mapping[str, list[Path]], name: str, settings: Mapping[str, Any]
) -> set[str]:
    """About `test_fraction` of the clips; at least a scene if there are two."""
    fraction = float(settings.get("test_fraction", 0.3))
    rng = np.random.default_rng(provenance.seed(settings.get("seed", 0), "split", name))
    order = [sorted(scenes)[place] for place in rng.permutation(len(scenes))]
    wanted = fraction * sum(len(paths) for paths in scenes.values())
    test: set[str] = set()
    for scene in order[:-1]:
        if test and sum(len(scenes[each]) for each in test) >= wanted:
            break
        test.add(scene)
    return test
