"""Write a config for a folder of videos, after a look at them."""

import hashlib
import re
import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from string import Template

import yaml

from twinlens.artifacts.publish import publish
from twinlens.errors import DataError, RejectedError
from twinlens.media import ffmpeg
from twinlens.media.lists import composed
from twinlens.media.search import Found, search
from twinlens.media.settings import Limits
from twinlens.progress import say, track

MOST_LOOKED_AT = 200
SHORT, CROP, STEP = 192, 160, 32
"""Pixels: short side and crop of what a recogniser sees, steps of its long side."""
LONGEST_NAME, LONGEST_LABEL = 40, 100
"""Characters of a world's name that are the folder's, and of a label."""
WIDEST = 2.0
"""Aspect of what it sees; the rest of wider frames is squeezed."""
TEMPLATE = """\
# snakemake --cores all results/table3.csv --configfile $out
#
$summary

world: $world
note: $note
select:
  datasets: [$world]
  # Add st_resnet for Table 4, with `views` of its own below.
  recognisers: [tsn]
  # Rows: add vdsr, tosr2, sosr_tosr2, rrn, ... (config.yaml has them all), which are
  # trained. Without this line there are twelve.
  methods: [bicubic, sosr, hr]
datasets:
  $world:
    label: $label
    kind: folder
    videos: $videos
$scenes
    test_fraction: 0.3
    # Or a csv with the columns clip (class/name) and part (train or test):
    # split_file: split.csv
  # Super-resolution learns from the playground's generated videos. To let it learn
  # from natural ones, whose classes don't matter, take these lines, too:
  # films: {label: Films, kind: corpus, videos: /data/films, short_side: 240, pairs: 40}
# patches:
#   spatial: {corpus: films}
recognisers:
  tsn:
    # All videos are brought to this size, of which the network sees squares.
    views: {size: $size, crop: $crop}
"""
SCENES = """\
    # Takes of one scene stay on one side of the split: _g01_c02 is take 2 of scene 1
    # of its class.
    group: "_g(\\\\d+)_c"
    group_within_class: true"""
ANY_SCENES = """\
    # Are there several takes of a scene? Then say what of a file's name, without folder
    # and ending, names the scene, so that they stay on one side of the split:
    # group: "scene(\\\\d+)\""""
GROUPED = re.compile(r"_g\d+_c\d+$")
"""Names that say a scene, as UCF101's."""


def init(folder: Path, out: Path = Path("mine.yaml")) -> None:
    """Write a commented config for your own videos, to be read and run.

    Args:
        folder: with a sub-folder of videos for each class.
        out: the config.

    Raises:
        DataError: the folder has no such sub-folders, one class only, or `out` exists.
    """
    if out.exists():
        raise DataError(f"{out}: exists; name another file, or move it away")
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder")
    root = folder.resolve()
    found = search(root)
    videos = _of_classes(found)
    looked = _look(videos)
    for line in found.lines():
        say(f"WARNING {line}")
    with publish(out) as temporary:
        temporary.write_text(_config(root, out, videos, looked), encoding="utf-8")
    say(f"{out}: read it, then run")
    say(f"snakemake --cores all results/table3.csv --configfile {out}")


def _of_classes(found: Found) -> list[Path]:
    """Choose the videos that lie in a folder of a class; leave out the others.

    Raises:
        DataError: there are fewer than two classes.
    """
    videos = found.of_classes()
    if len(_counts(videos)) < 2:
        there = ", ".join(_counts(videos)) or "none"
        raise DataError(
            f"{found.root}: a recogniser needs two classes or more, each a sub-folder"
            f" with its videos; here are: {there}"
        )
    return videos


def _counts(videos: Sequence[Path]) -> Counter[str]:
    """Count the clips of each class."""
    return Counter(composed(path.parent.name) for path in videos)


def _look(videos: Sequence[Path]) -> list[ffmpeg.Video]:
    """Read the size, rate and length of some videos, evenly spread."""
    looked = []
    step = -(-len(videos) // MOST_LOOKED_AT)
    for path in track(videos[::step], "look", "videos"):
        try:
            with ffmpeg.stream(path, Limits()) as video:
                looked.append(video)
        except RejectedError as reason:
            say(f"WARNING {path}: {reason}")
    if not looked:
        raise DataError(f"{videos[0].parent.parent}: none of its videos can be read")
    return looked


def _config(
    root: Path, out: Path, videos: Sequence[Path], looked: Sequence[ffmpeg.Video]
) -> str:
    """Write the config's text."""
    width, height = _seen(looked)
    grouped = all(GROUPED.search(path.stem) for path in videos)
    return Template(TEMPLATE).substitute(
        out=out,
        summary="\n".join(_summary(_counts(videos), looked)),
        world=_world(root),
        note=_quoted(f"own videos of {root.name}"),
        label=_quoted(root.name[:LONGEST_LABEL]),
        videos=_quoted(str(root)),
        scenes=SCENES if grouped else ANY_SCENES,
        size=f"[{width}, {height}]",
        crop=CROP,
    )


def _world(root: Path) -> str:
    """Name the world after a folder: never as one of the default config.

    Some digits of the folder's path tell folders apart whose letters are no ASCII, and
    one whose name an earlier world has.
    """
    name = re.sub(r"\W+", "_", root.name, flags=re.ASCII).strip("_").lower()
    world = f"my_{name[:LONGEST_NAME] or 'videos'}"
    if root.name.isascii() and not Path("results", world).exists():
        return world
    return f"{world}_{hashlib.sha256(str(root).encode()).hexdigest()[:6]}"


def _quoted(text: str) -> str:
    """Write text as YAML reads it, whatever it contains."""
    line = yaml.safe_dump(text, allow_unicode=True, default_style='"', width=10**6)
    return str(line).strip()


def _summary(classes: Counter[str], looked: Sequence[ffmpeg.Video]) -> Iterator[str]:
    """Say what was found, in comments."""
    yield f"# {sum(classes.values())} videos of {len(classes)} classes:"
    for name, count in sorted(classes.items()):
        few = "" if count > 3 else "   <- too few to train and test on"
        yield f"#   {count:5} {_quoted(name)[1:-1]}{few}"
    sizes = Counter((each.width, each.height) for each in looked)
    (width, height), most = sizes.most_common(1)[0]
    yield f"# Looked at {len(looked)}: {most} of {width}x{height}" + (
        f", others of {len(sizes) - 1} sizes" if len(sizes) > 1 else ""
    )
    upright = sum(each.height > each.width for each in looked)
    if 0 < upright < len(looked):
        yield f"# {upright} are upright and will be squeezed to the size of the others."
    seconds = [each.seconds for each in looked if each.seconds]
    if seconds:
        yield f"# They last {min(seconds):.1f} to {max(seconds):.1f} s."


def _seen(looked: Sequence[ffmpeg.Video]) -> tuple[int, int]:
    """Choose the width and height that a recogniser sees, by most videos' aspect."""
    aspect = statistics.median(each.width / each.height for each in looked)
    longer = min(WIDEST, max(aspect, 1 / aspect))
    long = max(SHORT, round(longer * SHORT / STEP) * STEP)
    return (long, SHORT) if aspect >= 1 else (SHORT, long)
