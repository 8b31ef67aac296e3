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

from twinlens.tables import facts, forms, published
from twinlens.tables.accuracy import Bools, mcnemar
from twinlens.tables.facts import Correct
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
"""Case and accuracies by method of the classes that the paper shows."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """A way in which methods rank."""

    name: str
    says: str
    """In words, for the notes."""
    gaps: tuple[tuple[str, str], ...]
    """Pairs of methods: the first classifies more clips of a class correctly."""
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


def case_of(correct: Mapping[str, Bools], cases: Sequence[Case]) -> str:
    """Find the case that a class is in: all gaps are above zero; or "none"."""
    return next((each.name for each in cases if min(_gaps(correct, each)) > 0), NONE)


def _gaps(correct: Mapping[str, Bools], case: Case) -> list[Fraction]:
    """Compute the gap of each pair of methods, as a part of the class's clips."""
    return [
        Fraction(
            int(correct[more].sum()) - int(correct[less].sum()), len(correct[more])
        )
        for more, less in case.gaps
    ]


def chosen(correct: Correct, cases: Sequence[Case], printed: Printed) -> list[Shown]:
    """Choose the classes of a table, by case and then by name.

    By rule they are each case's classes of largest margin: the smallest of the case's
    gaps. Of equal ones the sum of the gaps decides, then the name.

    Args:
        correct: which clips are classified correctly, by class and method.
        cases: in the order of the table; a class can be in one of them only.
        printed: what the paper shows of this data set.
    """
    ruled = {name for case in cases for name in _largest(correct, case)}
    order = [*(case.name for case in cases), NONE]
    found = [
        Shown(
            name=name,
            case=case_of(correct[name], cases),
            chosen="both" if both else "rule" if name in ruled else "published",
            printed=printed[name][0] if name in printed else "",
        )
        for name in correct
        if (both := name in ruled and name in printed) or name in {*ruled, *printed}
    ]
    return sorted(found, key=lambda each: (order.index(each.case), each.name))


def _largest(correct: Correct, case: Case) -> list[str]:
    gaps = {name: _gaps(each, case) for name, each in correct.items()}
    inside = [name for name, each in gaps.items() if min(each) > 0]
    inside.sort(key=lambda name: (-min(gaps[name]), -sum(gaps[name]), name))
    return inside[: case.most]


def by_chance(correct: Correct, cases: Sequence[Case], seed: int) -> dict[str, float]:
    """Count the classes that each case would have by chance alone.

    Results are permuted across methods within each clip (null hypothesis: methods are
    exchangeable); the mean of 1,000 draws.

    Args:
        correct: which clips are classified correctly, by class and method.
        cases: whose methods are permuted.
        seed: of the draws.
    """
    rng = np.random.default_rng(seed)
    methods = sorted({name for case in cases for gap in case.gaps for name in gap})
    expected = {case.name: 0.0 for case in cases}
    for of_class in correct.values() if cases else ():
        results = np.stack([of_class[name] for name in methods], axis=1)
        drawn = np.repeat(results[None], DRAWS, axis=0)
        counts = rng.permuted(drawn, axis=2).sum(axis=1)
        count = dict(zip(methods, counts.T, strict=True))
        for case in cases:
            inside = [count[more] > count[less] for more, less in case.gaps]
            expected[case.name] += float(np.all(inside, axis=0).mean())
    return expected


def notes(label: str, correct: Correct, cases: Sequence[Case], seed: int) -> list[str]:
    """Write how many classes of a data set are in each case, and by chance."""
    found = {name: case_of(each, cases) for name, each in correct.items()}
    clips = sorted({len(next(iter(each.values()))) for each in correct.values()})
    reach = str(clips[0]) if len(clips) == 1 else f"{clips[0]} to {clips[-1]}"
    chance = by_chance(correct, cases, seed)
    lines = [
        f"{label}: {len(correct)} classes of {reach} test clips; one clip is up to"
        f" {100 / clips[0]:.1f} points"
    ]
    for case in cases:
        inside = [name for name, each in found.items() if each == case.name]
        sure = sum(_resolved(correct[name], case) for name in inside)
        lines.append(
            f"- {case.name} ({case.says}): {len(inside)}, of these {sure} with every"
            f" gap at p < {LEVEL}; chance alone would give {chance[case.name]:.1f}"
        )
    return [*lines, f"- in no case: {sum(each == NONE for each in found.values())}"]


def _resolved(correct: Mapping[str, Bools], case: Case) -> bool:
    return all(
        mcnemar(correct[more], correct[less]) < LEVEL for more, less in case.gaps
    )


CAVEAT = (
    "A class has few clips and is easily in a case by chance. Chance alone: the mean",
    "over shuffles of the methods' results within each clip. p: McNemar's exact tests",
    "on a class's clips, not corrected for their number; the long form has each.",
)


def part(
    correct: Correct,
    cases: Sequence[Case],
    printed: Printed,
    layout: Layout,
    dataset: str,
    what: str,
    seed: int,
) -> Part:
    """Write a data set's rows, lines and notes.

    Args:
        correct: which clips are classified correctly, by class and method.
        cases: in the order of the table.
        printed: what the paper shows of this data set.
        layout: its methods are the columns.
        dataset: its name.
        what: a case is called so.
        seed: of the draws that say what chance gives.
    """
    about = layout.datasets[dataset]
    sizes = [len(next(iter(each.values()))) for each in correct.values()]
    beside = layout.paper == published.CLASSES_BY
    beside = beside and facts.complete(about, sum(sizes), len(sizes))
    found = Part(rows=[], lines=[], notes=notes(about.label, correct, cases, seed))
    for each in chosen(correct, cases, printed):
        values = printed[each.name][1] if beside and each.printed else {}
        first = {
            "dataset": about.label,
            what: each.case,
            "class": each.name,
            "chosen": each.chosen,
            f"printed_{what}": each.printed,
            "data": "generated" if about.generated else "real",
        }
        found.rows.append(_row(about.label, each, correct[each.name], layout))
        own = _lines(correct[each.name], layout, values)
        found.lines.extend(first | line for line in own)
    return found


def _row(
    label: str, shown: Shown, correct: Mapping[str, Bools], layout: Layout
) -> list[str]:
    shares = {key: facts.percent(correct_n) for key, correct_n in correct.items()}
    cells = [shares.get(key, "") for key in layout.methods]
    return [label, shown.case, shown.name, *cells, shown.chosen, shown.printed]


def _printed(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _lines(
    correct: Mapping[str, Bools], layout: Layout, printed: Mapping[str, float]
) -> list[dict[str, object]]:
    """Write each method's accuracy in a class, with tests against Bicubic and HR."""
    references = {"p_bicubic": "Bicubic", "p_hr": "HR"}
    lines = []
    for key, correct_n in correct.items():
        label, paper = layout.methods[key].label, layout.methods[key].paper
        line: dict[str, object] = {"method": label, **facts.class_line(correct_n)}
        line["published"] = _printed(printed.get(paper or ""))
        for column, reference in references.items():
            other = forms.standing_for(layout, reference)
            line[column] = ""
            if other is not None and other in correct and other != key:
                line[column] = f"{mcnemar(correct_n, correct[other]):.3g}"
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
    """Publish a table of classes in its forms.

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
