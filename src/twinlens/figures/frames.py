"""Figure 7: a frame by every method, with what the recogniser takes the clip for."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from scipy import special

from twinlens.arrays import Frames
from twinlens.artifacts.figure import write_figure
from twinlens.figures import sources, style
from twinlens.figures.sources import Sources
from twinlens.progress import say
from twinlens.recognition import SCORES
from twinlens.tables import accuracy, facts
from twinlens.tables.accuracy import Scores
from twinlens.tables.settings import FigureJob

SHARE = 3
"""A detail has this part of the frame's height and width."""


class Verdict(NamedTuple):
    """What a clip is taken for."""

    name: str
    """The class with the largest score."""
    right: bool
    score: float
    """Of the clip's own class after softmax, 0 to 1."""


def figure(inputs: list[Path], job: FigureJob, out: Path) -> None:
    """Draw a clip's frame by each method, a detail, and the clip's verdict.

    The clip is the one on which methods agree least, unless the config or the paper
    names one; the detail is the part of the frame that changes most in the originals.

    Args:
        inputs: HDF5 "frames/1" and "low/1" of one shard's clips, and all score shards.
        job: its layout has the methods.
        out: PNG; PDF and SVG are written beside it.

    Raises:
        ArtifactError: no frame is stored for all methods, or scores are missing.
    """
    scores, head = _scores(inputs, job), job.layout.head
    with sources.open_clips(inputs) as files:
        chosen = sources.choice(files, job)
        name = chosen.clip if chosen else _most_disputed(files[0].clips, scores, head)
        clip = Sources(files, name)
        rows = sources.rows(job, low=True)
        index = sources.frames_in_common(clip, rows)
        at = sources.nearest(index, chosen)
        frames = {r.label: clip.frames[r.frames_of].at("frames", at) for r in rows}
        busy = sources.change(clip.frames[rows[1].frames_of].at("frames", index))
    size = max(1, busy.shape[0] // SHARE), max(1, busy.shape[1] // SHARE)
    corner = sources.busiest(busy, size)
    verdicts = {
        r.label: verdict(scores[r.key], head, name, job.classes)
        for r in rows
        if r.key in scores
    }
    _draw(f"{name}, frame {at}", frames, verdicts, (corner, size), job, out)
    say(f"{name}: {out}")


def _scores(inputs: list[Path], job: FigureJob) -> dict[str, Scores]:
    """Read each method's scores of the first head, by its name in the layout."""
    loaded = accuracy.load(sources.of_kinds(inputs, SCORES))
    return facts.single(loaded, job.layout, job.dataset)


def _most_disputed(clips: list[str], scores: dict[str, Scores], head: str) -> str:
    """Find the clip that nearest to half of the methods get right."""
    facts.same_clips("the figure's data set", *scores.values())
    right = {k: accuracy.is_correct(s.of(head), s.labels) for k, s in scores.items()}
    first = next(iter(scores.values()))
    return facts.most_disputed(right, first, clips, 1)[0]


def verdict(
    scores: Scores, head: str, name: str, classes: Sequence[str] = ()
) -> Verdict:
    """Tell what a clip is taken for by a head, of classes with these names."""
    place = scores.clips.index(name)
    of_classes = scores.of(head)[place]
    label, chosen = int(scores.labels[place]), int(of_classes.argmax())
    names = facts.class_names(scores, classes)
    own = float(special.softmax(of_classes)[label])
    return Verdict(names.get(chosen, f"class {chosen}"), chosen == label, own)


def _draw(
    what: str,
    frames: dict[str, Frames],
    verdicts: dict[str, Verdict],
    detail: tuple[tuple[int, int], tuple[int, int]],
    job: FigureJob,
    out: Path,
) -> None:
    style.use([what, *frames, *(each.name for each in verdicts.values())])
    height, width = next(reversed(frames.values())).shape[:2]
    drawn, columns = style.columns(len(frames), 2, height / width)
    for (label, frame), (above, below) in zip(frames.items(), columns, strict=True):
        (y, x), (tall, wide) = (
            (a * frame.shape[0] // height, b * frame.shape[1] // width)
            for a, b in detail
        )
        tall, wide = max(1, tall), max(1, wide)  # of low resolution
        style.show(above, frame, label)
        style.mark_box(above, (y, x), (tall, wide))
        style.show(below, frame[y : y + tall, x : x + wide])
        if found := verdicts.get(label):
            word = "right" if found.right else f"taken for {found.name}"
            colour = style.RIGHT if found.right else style.WRONG
            below.set_title(f"{word}, {found.score:.2f}", color=colour)
    head = f"the number is its own class's {job.layout.head} score after softmax"
    text = style.title(job.layout, job.dataset, f"{what}; {head}", drawn.get_figwidth())
    drawn.suptitle(text)
    write_figure(out, drawn, style.DPI)
