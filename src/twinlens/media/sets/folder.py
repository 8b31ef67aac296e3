"""Your own videos: a folder with a sub-folder for each class.

    <videos>/<class>/<anything>.mp4

The split is a csv file (`split_file`, columns `clip` and `part`: "class/name" and
"train" or "test"), or drawn from the seed: `test_fraction` of each class. `group` is a
regular expression whose first group (or whole match) in the file name says which scene
a clip shows; clips of one scene stay on one side of the split.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import regex

from twinlens import provenance
from twinlens.errors import DataError, message
from twinlens.media.lists import composed, rows
from twinlens.media.search import search
from twinlens.media.sets import Listed, Listing, chosen, folder_of
from twinlens.media.settings import SUFFIXES

FAR = 0.1
"""Of a class's clips: more than that beside the asked fraction is said."""
SECONDS_TO_MATCH = 1.0
"""For a pattern and a name, which a sound one takes microseconds for."""


def listing(settings: Mapping[str, Any]) -> Listing:
    """List the clips; see `twinlens.media.sets.listing`."""
    root = folder_of(settings, "videos")
    found, by_class = search(root), defaultdict[str, list[Path]](list)
    for path in found.of_classes():
        by_class[composed(path.parent.name)].append(path)
    if not by_class:
        return Listing(classes=[], clips=[], warnings=found.lines())
    classes = chosen(settings, sorted(by_class))
    _refuse_twins((name, path) for name in classes for path in by_class[name])
    if settings.get("split_file"):
        split = _split_from_file(Path(settings["split_file"]), classes, by_class)
    else:
        split = _random_split(settings, classes, by_class)
    split.warnings.extend(found.lines())
    return split


def _refuse_twins(files: Iterable[tuple[str, Path]]) -> None:
    """Refuse two files of a class of one stem: they would be one clip."""
    seen: dict[str, Path] = {}
    for name, path in files:
        if twin := seen.get(_clip(name, path)):
            raise DataError(f"{twin} and {path}: two clips of one name; rename one")
        seen[_clip(name, path)] = path


def _split_from_file(
    path: Path, classes: list[str], by_class: Mapping[str, list[Path]]
) -> Listing:
    """Read the split from a csv file."""
    if not path.is_file():
        raise DataError(f"{path}: no such file; it is the data set's split_file")
    there = {_clip(name, each): each for name in classes for each in by_class[name]}
    clips: list[Listed] = []
    missing: list[str] = []
    for number, row in rows(path):
        clip, part = _row(f"{path}, line {number}", row)
        if clip not in there and Path(clip).suffix.lower() in SUFFIXES:
            clip = str(Path(clip).with_suffix(""))
        name = clip.split("/")[0]
        if clip in there:
            label = classes.index(name)
            item = Listed(clip=clip, part=part, label=label, path=there[clip])
            clips.append(item)
        elif name in classes or name not in by_class:
            missing.append(clip)
    unlisted = len(there) - len(clips)
    warnings = [message(f"{path} leaves out {unlisted} clips")] if unlisted else []
    return Listing(classes=classes, clips=clips, missing=missing, warnings=warnings)


def _clip(name: str, path: Path) -> str:
    return f"{name}/{composed(path.stem)}"


def _row(where: str, row: Mapping[str, str]) -> tuple[str, str]:
    clip, part = composed(row.get("clip", "").strip()), row.get("part", "").strip()
    if part not in {"train", "test"} or "/" not in clip:
        raise DataError(
            f"{where}: {dict(row)}: needs columns clip ('class/name') and part"
            " ('train' or 'test')"
        )
    return clip, part


def _random_split(
    settings: Mapping[str, Any], classes: list[str], by_class: Mapping[str, list[Path]]
) -> Listing:
    """Draw a split scene by scene, the same for the same seed and file names."""
    pattern = settings.get("group")
    scenes: dict[str, list[Path]] = defaultdict(list)
    for name in classes:
        for path in by_class[name]:
            scenes[_scene(path, name, settings)].append(path)
    test = _test_clips(scenes, settings)
    clips = [
        Listed(
            clip=_clip(name, path),
            part="test" if path in test else "train",
            label=label,
            path=path,
        )
        for label, name in enumerate(classes)
        for path in by_class[name]
    ]
    if scenes and not test:
        raise DataError(
            f"{settings['videos']}: nothing is left to test: a class needs two scenes"
            " (`group`), or two clips, or give a split_file"
        )
    warnings = []
    tested = {composed(path.parent.name) for path in test}
    if untested := [name for name in classes if name not in tested]:
        warnings.append(message(f"too few scenes to test {', '.join(untested)}"))
    warnings += _far_from_asked(by_class, classes, scenes, test, settings)
    if not pattern:
        advice = message(
            "no `group` pattern: takes of one scene may stand in both train and test,"
            " which makes accuracies too high"
        )
        warnings.append(advice)
    return Listing(classes=classes, clips=clips, warnings=warnings)


def _far_from_asked(
    by_class: Mapping[str, list[Path]],
    classes: list[str],
    scenes: Mapping[str, list[Path]],
    test: set[Path],
    settings: Mapping[str, Any],
) -> list[str]:
    """Say which classes whole scenes brought far from the fraction to test."""
    fraction, reached = settings["test_fraction"], []
    for name in classes:
        tested, total = len(test.intersection(by_class[name])), len(by_class[name])
        if abs(tested - fraction * total) > max(1, FAR * total):
            reached.append(f"{name} {tested} of {total}")
    if not reached:
        return []
    advice = "a finer `group`, or a split_file, divides them better"
    if any(len({each.parent for each in paths}) > 1 for paths in scenes.values()):
        advice = "`group_within_class: true` keeps scenes of classes apart"
    return [
        message(
            f"test_fraction asks for {fraction:g}, and whole scenes are tested:"
            f" {', '.join(reached)}; {advice}"
        )
    ]


def _scene(path: Path, name: str, settings: Mapping[str, Any]) -> str:
    """The scene of a clip of a class: what `group` finds in its file's name."""
    pattern = settings.get("group")
    if not pattern:
        return _clip(name, path)
    found = _matched(path, pattern)
    return f"{name}/{found}" if settings["group_within_class"] else found


def _matched(path: Path, pattern: str) -> str:
    try:
        match = regex.search(pattern, composed(path.stem), timeout=SECONDS_TO_MATCH)
    except regex.error as error:
        raise DataError(f"`group` pattern {pattern!r}: {error}") from error
    except TimeoutError as error:
        raise DataError(
            f"{path}: `group` pattern {pattern!r} takes more than"
            f" {SECONDS_TO_MATCH:g} s on its name: repeat nothing within a repetition,"
            " as (a+)+ does"
        ) from error
    if match is None:
        raise DataError(f"{path}: `group` pattern {pattern!r} does not match its name")
    return str((match.groups() and match.group(1)) or match.group())


def _test_clips(
    scenes: Mapping[str, list[Path]], settings: Mapping[str, Any]
) -> set[Path]:
    """Draw whole scenes until each class has about `test_fraction` of its clips.

    A scene is taken while one of its classes still lacks test clips, but never one that
    holds the last training clips of a class.
    """
    fraction = float(settings["test_fraction"])
    lacking, training = Counter[str](), Counter[str]()
    for paths in scenes.values():
        training.update(composed(path.parent.name) for path in paths)
    for name, count in training.items():
        lacking[name] = max(1, round(fraction * count))
    seed = settings["seed"] or 0
    test: set[Path] = set()
    # Ranked by a hash of their own, scenes of one class move none of another.
    for scene in sorted(scenes, key=lambda each: provenance.seed(seed, "split", each)):
        paths = scenes[scene]
        own = Counter(composed(path.parent.name) for path in paths)
        wanted = any(lacking[name] > 0 for name in own)
        if wanted and all(training[name] > count for name, count in own.items()):
            test.update(paths)
            training.subtract(own)
            lacking.subtract(own)
    return test
