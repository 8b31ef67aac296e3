"""Whether printed numbers are k of n test clips, and under which metric.

Arithmetic is exact, by `fractions`. A number of two decimals fits n if it is 100 k / n
rounded, for a whole k.
"""

import functools
import math
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from twinlens.tables import published

STEP = Fraction(1, 100)
"""Of the printed digits."""


class Cell(NamedTuple):
    """A printed number."""

    table: str
    row: str
    dataset: str
    column: str
    """Stream, or class."""
    value: Fraction
    """In percent."""

    @property
    def source(self) -> str:
        """Where it stands."""
        parts = [f"Table {self.table}", self.row, self.dataset, self.column]
        return ", ".join(filter(None, parts))


class Metric(NamedTuple):
    """What an accuracy may have counted."""

    name: str
    n: int


class Fit(NamedTuple):
    """The nearest k of n to a printed number."""

    cell: Cell
    metric: Metric
    k: int
    verdict: str
    """"k of n", "k of n, cut off" or "no k of n"."""

    @property
    def exact(self) -> Fraction:
        """100 k / n."""
        return Fraction(100 * self.k, self.metric.n)


def cells() -> Iterator[Cell]:
    """All numbers that Tables 1 to 5 print."""
    for table in ("1", "5"):
        methods, rows = published.CLASSES[table]
        for name, (_, values) in rows.items():
            for method, value in zip(methods, values, strict=True):
                yield Cell(table, method, published.CLASSES_OF, name, _exact(value))
    for loss, values in published.TABLE2.items():
        for dataset, value in zip(published.DATASETS, values, strict=True):
            yield Cell("2", loss, dataset, "Spatial", _exact(value))
    for table, rows_ in (("3", published.TABLE3), ("4", published.TABLE4)):
        for method in rows_:
            for dataset in published.DATASETS:
                for stream in published.STREAMS:
                    value_ = published.accuracy(rows_, method, dataset, stream)
                    if value_ is not None:
                        yield Cell(table, method, dataset, stream, _exact(value_))


def _exact(value: float) -> Fraction:
    """The printed number itself: floats are read as their shortest decimals."""
    return Fraction(Decimal(str(value)))


def metrics(cell: Cell) -> list[Metric]:
    """What may have been counted, of the official first split's test clips."""
    if cell.table in {"1", "5"}:
        return [Metric("clips of the class", published.CLASS_CLIPS[cell.column])]
    clips, _ = published.COMPLETE[cell.dataset]
    found = [Metric("clips", clips)]
    if cell.table == "4" and cell.column != "Fusion":
        found.append(Metric("views", 2 * clips))
    return found


def counts_clips(cell: Cell) -> bool:
    """Whether a number counts clips or views, by what all digits of its column say.

    UCF101's of Tables 2 and 3 do not: they are means over classes.
    """
    return cell.table not in {"2", "3"} or cell.dataset == "HMDB51"


def fit(cell: Cell, metric: Metric) -> Fit:
    """Find the nearest k of n, and whether the printed digits are its."""
    k = round(cell.value * metric.n / 100)
    verdict = "k of n" if _is_rounded(cell.value, k, metric.n) else "no k of n"
    if verdict == "no k of n":
        cut = math.ceil(cell.value * metric.n / 100)
        if Fraction(100 * cut, metric.n) - cell.value < STEP:
            return Fit(cell, metric, cut, "k of n, cut off")
    return Fit(cell, metric, k, verdict)


def _is_rounded(value: Fraction, k: int, n: int) -> bool:
    return abs(Fraction(100 * k, n) - value) <= STEP / 2


@functools.cache
def by_chance(n: int) -> Fraction:
    """The share of all numbers of two decimals, 0 to 100, that are k of n rounded."""
    fits = sum(
        _is_rounded(Fraction(each, 100), round(Fraction(each * n, 10_000)), n)
        for each in range(10_001)
    )
    return Fraction(fits, 10_001)


def at_least(hits: int, cells_: int, share: Fraction) -> Fraction:
    """The chance that so many of some cells fit, or more, each by a share."""
    return Fraction(
        sum(
            math.comb(cells_, each) * share**each * (1 - share) ** (cells_ - each)
            for each in range(hits, cells_ + 1)
        )
    )


class Group(NamedTuple):
    """The cells of a table, a data set and its streams, under one metric."""

    name: str
    metric: Metric
    fits: list[Fit]

    @property
    def hits(self) -> int:
        """How many are k of n."""
        return sum(each.verdict == "k of n" for each in self.fits)

    @property
    def expected(self) -> Fraction:
        """How many would be, had the digits nothing to do with n."""
        return len(self.fits) * by_chance(self.metric.n)

    @property
    def chance(self) -> Fraction:
        """The chance of as many hits, had the digits nothing to do with n."""
        return at_least(self.hits, len(self.fits), by_chance(self.metric.n))


def groups() -> list[Group]:
    """Tables 3 and 4 by data set and metric, streams apart from the fusion in 4."""
    found: dict[tuple[str, Metric], list[Fit]] = {}
    for cell in cells():
        if cell.table not in {"3", "4"}:
            continue
        kind = "fusion" if cell.column == "Fusion" else "streams"
        what = f" {kind}" if cell.table == "4" else ""
        for metric in metrics(cell):
            key = f"Table {cell.table}, {cell.dataset}{what}", metric
            found.setdefault(key, []).append(fit(cell, metric))
    return [Group(name, metric, fits) for (name, metric), fits in found.items()]
