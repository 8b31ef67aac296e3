"""Enlarge large frames tile by tile: the same within rounding, in less memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

MOST_PIXELS = 320 * 240
"""Of low resolution that are enlarged at once."""
Side = tuple[int, int]
"""Where something starts and ends, in pixels."""


class Span(NamedTuple):
    """A tile along one side of a frame."""

    read: Side
    """What of the frame is enlarged."""
    kept: Side
    """What of that is kept: further out, the network sees the tile's end."""

    @property
    def placed(self) -> Side:
        """Where that lies in the frame."""
        first = self.read[0]
        return first + self.kept[0], first + self.kept[1]


@dataclass(frozen=True, slots=True)
class Tiles:
    """How frames of one size are cut."""

    rows: tuple[Span, ...]
    columns: tuple[Span, ...]

    def __iter__(self) -> Iterator[tuple[Span, Span]]:
        """Every tile, by its rows and columns."""
        return ((row, column) for row in self.rows for column in self.columns)

    def __len__(self) -> int:
        return len(self.rows) * len(self.columns)


def cut(size: Side, reach: int, most: int = MOST_PIXELS) -> Tiles:
    """Cut frames into as few tiles of at most `most` pixels as there can be.

    Args:
        size: height and width of the frames.
        reach: pixels around a pixel of low resolution that the network reads for it.
        most: pixels of a tile with what is read around it.

    Raises:
        ValueError: no tile is that small.
    """
    height, width = size
    counts = [
        (down, across)
        for down in range(1, height + 1)
        if (across := _across(height, width, down, reach, most))
    ]
    if not counts:
        raise ValueError(f"no tile of {most} pixels has {reach} pixels around it")
    down, across = min(
        counts, key=lambda each: (each[0] * each[1], abs(each[0] - each[1]))
    )
    return Tiles(_spans(height, down, reach), _spans(width, across, reach))


def _across(height: int, width: int, down: int, reach: int, most: int) -> int:
    """How many tiles of a row are small enough; 0 if none are."""
    tall = min(height, -(-height // down) + 2 * reach)
    if tall * width <= most:
        return 1
    core = most // tall - 2 * reach
    return -(-width // core) if core > 0 else 0


def _spans(size: int, count: int, reach: int) -> tuple[Span, ...]:
    """Cut a side into `count` parts of nearly one length, with their surroundings."""
    ends = [size * part // count for part in range(count + 1)]
    spans = []
    for start, stop in zip(ends, ends[1:], strict=False):
        first, last = max(0, start - reach), min(size, stop + reach)
        spans.append(Span((first, last), (start - first, stop - first)))
    return tuple(spans)
