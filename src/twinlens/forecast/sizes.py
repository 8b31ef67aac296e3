"""Clips, frames and pixels of a world's data sets, before any is decoded."""

import statistics
from collections.abc import Collection
from functools import cache
from typing import NamedTuple

from twinlens.errors import DataError, RejectedError
from twinlens.media import ffmpeg
from twinlens.media.playground import sets
from twinlens.media.settings import Generated
from twinlens.plan import Plan

MOST_LOOKED_AT = 40


class Size(NamedTuple):
    """Of the clips of a part of a data set."""

    clips: int
    frames: int
    """Of a clip, on average."""
    width: int
    height: int

    @property
    def pixels(self) -> float:
        """Millions of a frame."""
        return self.width * self.height / 1e6


class Sizes:
    """The sizes of a world's data sets, each found once."""

    def __init__(self, plan: Plan) -> None:
        """Take the plan of the world."""
        self.plan = plan
        self._look = cache(self._look)  # type: ignore[method-assign]

    def of(self, dataset: str, part: str) -> Size:
        """The size of a part of a data set.

        Raises:
            DataError: none of its videos can be read.
        """
        entry = self.plan.world.datasets[dataset]
        if entry.generated:
            return _generated(entry.generated, part)
        clips = len(self.plan.data.clips(dataset, part))
        frames, width, height = self._look(dataset)
        if entry.short_side and entry.short_side < min(width, height):
            scale = entry.short_side / min(width, height)
            width, height = round(width * scale), round(height * scale)
        return Size(clips, frames, width, height)

    def classes(self, dataset: str) -> int:
        """How many classes a data set of actions has."""
        generated = self.plan.world.datasets[dataset].generated
        if generated:
            return len(_classes(generated))
        return len(self.plan.data.class_names(dataset))

    def _look(self, dataset: str) -> tuple[int, int, int]:
        """Look at some videos, evenly spread: frames, width and height."""
        clips = self.plan.data.clips(dataset)
        looked = []
        for clip in clips[:: -(-len(clips) // MOST_LOOKED_AT)]:
            try:
                limits = self.plan.world.datasets[dataset].limits
                with ffmpeg.stream(clip.path, limits) as video:
                    count = sum(1 for _ in video.frames)
                    looked.append((count, video.width, video.height))
            except RejectedError:
                continue
        if not looked:
            raise DataError(f"datasets.{dataset}: none of its videos can be read")
        frames, width, height = map(statistics.fmean, zip(*looked, strict=True))
        return round(frames), round(width), round(height)


def _classes(settings: Generated) -> Collection[str]:
    return settings.classes or sets.ACTIONS[settings.set]


def _generated(settings: Generated, part: str) -> Size:
    if settings.kind == "action":
        clips = len(_classes(settings)) * (
            settings.train if part == "train" else settings.test
        )
    else:
        clips = settings.clips
    frames = round(sum(settings.frames) / 2)
    return Size(clips, frames, settings.width, settings.height)
