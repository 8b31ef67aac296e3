"""Classes in which methods rank alike: found by rule, the paper's own beside them.

What Tables 1 and 5 share. A case is a way in which some methods rank in a class. All
is of the spatial stream: the paper shows both tables where it speaks of it (sections
3.2 and 4.3), and the class FrontCrawl has the same values in both.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pandas as pd

from twinlens.tables import facts, forms
from twinlens.tables.accuracy import Bools, mcnemar
from twinlens.tables.facts import Right
from twinlens.tables.forms import Files
from twinlens.tables.settings import Layout

NONE = "none"
LEVEL = 0.05
DRAWS = 1_000
LONG = (
    "dataset {what} class chosen printed_{what} method accuracy low high right clips"
    " p_bicubic p_hr published data"
)
Printed = Mapping[str, tuple[str, Mapping[str, float]]]
"""Of each class that the paper shows: its case there, and its accuracy by method."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """A way in which methods rank."""

    name: str
    says: str
    """In words, for the notes."""
    gaps: tuple[tuple[str, str], ...]
    """Methods in pairs: the first has more clips of a class right than the second."""
    most: int
    """Classes that the table shows by rule."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """A class in a table."""

    name: str
    case: str
    """By our scores."""
    chosen: str
    """rule, published or both."""
    printed: str
    """The case in which the paper shows it; "" where it does not."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """A data set's part of a table."""

    rows: list[list[str]]
    lines: list[dict[str, object]]
    notes: list[str]


def case_of(right: Mapping[str, Bools], cases: Sequence[Case]) -> str:
    """The case that a class is in: all gaps are above zero; or "none"."""
    return next((each.name for each in cases if min(_gaps(right, each)) > 0), NONE)


def _gaps(right: Mapping[str, Bools], case: Case) -> list[Fraction]:
    """Between the two methods of each pair, as parts of the class's clips."""
    return [
        Fraction(int(right[more].sum()) - int(right[less].sum()), len(right[more]))
        for more, less in case.gaps
    ]


def chosen(right: Right, cases: Sequence[Case], printed: Printed) -> list[Shown]:
    """The classes of a table, by case and then by name.

    By rule they are, of each case, those with the largest margin: the smallest of the
    case's gaps. Of equal ones the sum of the gaps decides, then the name.

    Args:
        right: of each class and method, the clips that are right.
        cases: in the order of the table; a class can be in one of them only.
        printed: what the paper shows of this data set.
    """
    ruled = {name for case in cases for name in _largest(right, case)}
    order = [*(case.name for case in cases), NONE]
    found = [
        Shown(
            name=name,
            case=case_of(right[name], cases),
            chosen="both" if both else "rule" if name in ruled else "published",
            printed=printed[name][0] if name in printed else "",
        )
        for name in right
        if (both := name in ruled and name in printed) or name in {*ruled, *printed}
    ]
    return sorted(found, key=lambda each: (order.index(each.case), each.name))


def _largest(right: Right, case: Case) -> list[str]:
    gaps = {name: _gaps(each, case) for name, each in right.items()}
    inside = [name for name, each in gaps.items() if min(each) > 0]
    inside.sort(key=lambda name: (-min(gaps[name]), -sum(gaps[name]), name))
    return inside[: case.most]


def by_chance(right: Right, cases: Sequence[Case], seed: int) -> dict[str, float]:
    """Classes that each case would have if its methods differed by chance alone.

    The methods' results are shuffled within each clip, which keeps what a clip is worth
    and takes away what a method is worth; the mean of 1,000 draws.

    Args:
        right: of each class and method, the clips that are right.
        cases: whose methods are shuffled.
        seed: of the draws.
    """
    rng = np.random.default_rng(seed)
    methods = sorted({name for case in cases for gap in case.gaps for name in gap})
    expected = {case.name: 0.0 for case in cases}
    for of_class in right.values() if cases else ():
        results = np.stack([of_class[name] for name in methods], axis=1)
        drawn = np.repeat(results[None], DRAWS, axis=0)
        counts = rng.permuted(drawn, axis=2).sum(axis=1)
        count = dict(zip(methods, counts.T, strict=True))
        for case in cases:
            inside = [count[more] > count[less] for more, less in case.gaps]
            expected[case.name] += float(np.all(inside, axis=0).mean())
    return expected


def notes(label: str, right: Right, cases: Sequence[Case], seed: int) -> list[str]:
    """Lines on all classes of a data set: how many are in each case, and by chance."""
    found = {name: case_of(each, cases) for name, each in right.items()}
    clips = sorted({len(next(iter(each.values()))) for each in right.values()})
    reach = str(clips[0]) if len(clips) == 1 else f"{clips[0]} to {clips[-1]}"
    chance = by_chance(right, cases, seed)
    lines = [
        f"{label}: {len(right)} classes of {reach} test clips; one clip is up to"
        f" {100 / clips[0]:.1f} points"
    ]
    for case in cases:
        inside = [name for name, each in found.items() if each == case.name]
        sure = sum(_resolved(right[name], case) for name in inside)
        lines.append(
            f"- {case.name} ({case.says}): {len(inside)}, of these {sure} with every"
            f" gap at p < {LEVEL}; chance alone would give {chance[case.name]:.1f}"
        )
    return [*lines, f"- in no case: {sum(each == NONE for each in found.values())}"]


def _resolved(right: Mapping[str, Bools], case: Case) -> bool:
    return all(mcnemar(right[more], right[less]) < LEVEL for more, less in case.gaps)


CAVEAT = (
    "A class has few clips and is easily in a case by chance. Chance alone: the mean",
    "over shuffles of the methods' results within each clip. p: McNemar's exact tests",
    "on a class's clips, not corrected for their number; the long form has each.",
)


def part(
    right: Right,
    cases: Sequence[Case],
    printed: Printed,
    layout: Layout,
    dataset: str,
    what: str,
    seed: int,
) -> Part:
    """A data set's rows, lines and notes.

    Args:
        right: of each class and method, the clips that are right.
        cases: in the order of the table.
        printed: what the paper shows of this data set.
        layout: its methods are the columns.
        dataset: its name.
        what: a case is called so.
        seed: of the draws that say what chance gives.
    """
    about = layout.datasets[dataset]
    sizes = [len(next(iter(each.values()))) for each in right.values()]
    beside = facts.complete(about, sum(sizes), len(sizes))
    made = Part(rows=[], lines=[], notes=notes(about.label, right, cases, seed))
    for each in chosen(right, cases, printed):
        values = printed[each.name][1] if beside and each.printed else {}
        first = {
            "dataset": about.label,
            what: each.case,
            "class": each.name,
            "chosen": each.chosen,
            f"printed_{what}": each.printed,
            "data": "generated" if about.generated else "real",
        }
        made.rows.append(_row(about.label, each, right[each.name], layout))
        own = _lines(right[each.name], layout, values)
        made.lines.extend(first | line for line in own)
    return made


def _row(
    label: str, shown: Shown, right: Mapping[str, Bools], layout: Layout
) -> list[str]:
    shares = {key: facts.percent(right_n) for key, right_n in right.items()}
    cells = [shares.get(key, "") for key in layout.methods]
    return [label, shown.case, shown.name, *cells, shown.chosen, shown.printed]


def _printed(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _lines(
    right: Mapping[str, Bools], layout: Layout, printed: Mapping[str, float]
) -> list[dict[str, object]]:
    """Of each method in a class: its accuracy, tests against Bicubic and HR."""
    references = {"p_bicubic": "Bicubic", "p_hr": "HR"}
    lines = []
    for key, right_n in right.items():
        label, paper = layout.methods[key].label, layout.methods[key].paper
        line: dict[str, object] = {"method": label, **facts.class_line(right_n)}
        line["published"] = _printed(printed.get(paper or ""))
        for column, reference in references.items():
            other = forms.standing_for(layout, reference)
            line[column] = ""
            if other is not None and other in right and other != key:
                line[column] = f"{mcnemar(right_n, right[other]):.3g}"
        lines.append(line)
    return lines


def write(
    files: Files,
    first: str,
    layout: Layout,
    parts: Sequence[Part],
    what: str,
    after: Sequence[str] = (),
) -> None:
    """Publish a table of classes in its three forms.

    Args:
        files: where.
        first: the line that names it.
        layout: its methods are the columns.
        parts: the data sets' parts, in order.
        what: a case is called so.
        after: last notes.
    """
    labels = [method.label for method in layout.methods.values()]
    name = what.capitalize()
    columns = ["Dataset", name, "Class", *labels, "Chosen", f"{name} in the paper"]
    forms.write(
        files,
        first,
        pd.DataFrame([row for each in parts for row in each.rows], columns=columns),
        pd.DataFrame(
            [line for each in parts for line in each.lines],
            columns=LONG.format(what=what).split(),
        ),
        [*(note for each in parts for note in each.notes), *CAVEAT, *after],
    )
