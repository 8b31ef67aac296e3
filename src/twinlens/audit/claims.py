"""What of the printed numbers must be equal, and what the text says of them."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations
from typing import NamedTuple

from twinlens.audit.counts import Cell, cells, counts_clips
from twinlens.tables import published

FEW = 10
"""Clips; differences in accuracy of no more than these are listed."""
Key = tuple[str, str, str, str]


class Check(NamedTuple):
    """A statement about printed numbers, and what they say."""

    kind: str
    source: str
    statement: str
    supported: list[str]
    contradicted: list[str]

    @property
    def verdict(self) -> str:
        """In words."""
        if not self.contradicted:
            return "holds"
        whole = len(self.supported) + len(self.contradicted)
        return f"holds in {len(self.supported)} of {whole}"


def printed() -> dict[Key, Fraction]:
    """All printed numbers by table, row, data set and column."""
    return {(c.table, c.row, c.dataset, c.column): c.value for c in cells()}


def equalities() -> list[Check]:
    """Numbers that stand in two tables."""
    found, values = [], printed()
    for loss, method in (("MSE", "VDSR"), ("WMSE+Perceptual", "SoSR")):
        pairs = [
            (("2", loss, each, "Spatial"), ("3", method, each, "Spatial"))
            for each in published.DATASETS
        ]
        said = f"{loss} of Table 2 is {method}'s spatial stream in Table 3"
        found.append(_equal("Tables 2 and 3", said, pairs, values))
    both = set(published.TABLE1_METHODS) & set(published.TABLE5_METHODS)
    for name in sorted(set(published.TABLE1) & set(published.TABLE5)):
        pairs = [
            (("1", method, "UCF101", name), ("5", method, "UCF101", name))
            for method in sorted(both)
        ]
        said = f"{name} has the same accuracies in both"
        found.append(_equal("Tables 1 and 5", said, pairs, values))
    return found


def _equal(
    source: str, said: str, pairs: list[tuple[Key, Key]], values: dict[Key, Fraction]
) -> Check:
    lines: dict[bool, list[str]] = {True: [], False: []}
    for one, other in pairs:
        same = values[one] == values[other]
        text = f"{_text(values[one])} and {_text(values[other])} ({one[2]}, {one[1]})"
        lines[same].append(text)
    return Check("equality", source, said, lines[True], lines[False])


class Claim(NamedTuple):
    """A sentence of the text, as comparisons of numbers that it should hold for."""

    source: str
    statement: str
    tables: tuple[str, ...]
    above: tuple[tuple[str, str], ...]
    """(better, worse) rows."""
    columns: tuple[str, ...] = ("Spatial",)


VIDEO = ("SPMC", "VSR-DUF-16", "VSR-DUF-52")
CLAIMS = (
    Claim(
        "section 3.2.2",
        "weighting the MSE by flow helps, and the perceptual loss helps further",
        ("2",),
        (("WMSE", "MSE"), ("WMSE+Perceptual", "WMSE")),
    ),
    Claim(
        "section 4.3",
        "spatial stream: VDSR is above Bicubic in most cases",
        ("3", "4"),
        (("VDSR", "Bicubic"),),
    ),
    Claim(
        "section 4.3",
        "spatial stream: video super-resolution is above VDSR in most cases",
        ("3", "4"),
        tuple((method, "VDSR") for method in VIDEO),
    ),
    Claim(
        "sections 4.3 and 5",
        "spatial stream: SoSR is above the methods trained with MSE",
        ("3", "4"),
        tuple(("SoSR", method) for method in ("VDSR", *VIDEO)),
    ),
    Claim(
        "section 4.3",
        "temporal stream: VSR-DUF is above SPMC, already with 16 layers",
        ("3", "4"),
        (("VSR-DUF-16", "SPMC"), ("VSR-DUF-52", "SPMC")),
        ("Temporal",),
    ),
    Claim(
        "section 4.3",
        "temporal stream: ToSR1 is above VDSR, whose structure it has",
        ("3", "4"),
        (("ToSR1", "VDSR"),),
        ("Temporal",),
    ),
    Claim(
        "section 4.3",
        "temporal stream: ToSR2 is above VSR-DUF-52, though it has 16 layers",
        ("3", "4"),
        (("ToSR2", "VSR-DUF-52"),),
        ("Temporal",),
    ),
    Claim(
        "section 4.3",
        "between streams there is a trade-off: ToSR1 loses the spatial accuracy that it"
        " wins in the temporal stream (beside VDSR)",
        ("3", "4"),
        (("VDSR", "ToSR1"),),
    ),
    Claim(
        "section 4.3",
        "the same of ToSR2 beside VSR-DUF-16",
        ("3", "4"),
        (("VSR-DUF-16", "ToSR2"),),
    ),
    Claim(
        "section 4.3",
        "the same of SoSR beside VDSR: it loses temporal accuracy",
        ("3", "4"),
        (("VDSR", "SoSR"),),
        ("Temporal",),
    ),
    Claim(
        "section 4.3",
        "fusion: the pair SoSR+ToSR2 is above every single method",
        ("3", "4"),
        tuple(
            ("SoSR+ToSR2", method)
            for method in published.ROWS
            if method not in {"SoSR+ToSR2", "HR"}
        ),
        ("Fusion",),
    ),
)


def claims() -> list[Check]:
    """The sentences, with the printed numbers for and against them."""
    values = printed()
    checks = [_claim(each, values) for each in CLAIMS]
    return [*checks, *_classes(values)]


def _claim(claim: Claim, values: dict[Key, Fraction]) -> Check:
    lines: dict[bool, list[str]] = {True: [], False: []}
    for table in claim.tables:
        for dataset in published.DATASETS:
            for column in claim.columns:
                for better, worse in claim.above:
                    one = values[table, better, dataset, column]
                    other = values[table, worse, dataset, column]
                    where = f"Table {table}, {dataset}"
                    text = f"{where}: {better} {_text(one)}, {worse} {_text(other)}"
                    lines[one > other].append(text)
    return Check("claim", claim.source, claim.statement, lines[True], lines[False])


def _classes(values: dict[Key, Fraction]) -> Iterator[Check]:
    """What the text says of SoSR in the classes of Table 5."""
    for kind, other in (("easy", "VDSR"), ("hard", "Bicubic"), ("hard", "VDSR")):
        lines: dict[bool, list[str]] = {True: [], False: []}
        for name, (case, _) in published.TABLE5.items():
            if case == kind:
                one = values["5", "SoSR", "UCF101", name]
                two = values["5", other, "UCF101", name]
                text = f"{name}: SoSR {_text(one)}, {other} {_text(two)}"
                lines[one > two].append(text)
        said = f"in {kind} classes SoSR is above {other}"
        yield Check("claim", "section 4.3", said, lines[True], lines[False])


class Difference(NamedTuple):
    """Two numbers of a column that differ by few clips."""

    one: Cell
    other: Cell
    clips: int
    """Net number of clips that `one` has right and `other` has not."""

    @property
    def least_p(self) -> Fraction:
        """The smallest p of an exact McNemar test that such a difference allows.

        All clips on which the two differ would speak for the better one.
        """
        return min(Fraction(1), Fraction(2, 2**self.clips))


def differences() -> list[Difference]:
    """Pairs of a column that differ by 1 to `FEW` clips, fewest first.

    Columns whose numbers are k of n clips alone: HMDB51 of Tables 2 and 3, and the
    fusion of Table 4.
    """
    found = []
    for one, other in combinations(cells(), 2):
        if (one.table, one.dataset, one.column) != (
            other.table,
            other.dataset,
            other.column,
        ):
            continue
        whole = one.table in {"2", "3"} or one.column == "Fusion"
        counted = one.table in {"2", "3", "4"} and counts_clips(one) and whole
        n, _ = published.COMPLETE[one.dataset]
        clips = round((one.value - other.value) * n / 100)
        if counted and 1 <= abs(clips) <= FEW:
            better, worse = (one, other) if clips > 0 else (other, one)
            found.append(Difference(better, worse, abs(clips)))
    return sorted(found, key=lambda each: (each.clips, each.one.source))


def _text(value: Fraction) -> str:
    return f"{float(value):.2f}"
