"""Write the audit: a csv of every check, and a page of the docs."""

from fractions import Fraction
from pathlib import Path

import pandas as pd

from twinlens.artifacts.publish import publish
from twinlens.audit import claims, counts
from twinlens.progress import say

COLUMNS = "kind source statement printed metric k n exact verdict against".split()
PAGE = Path("docs/audit.md")
HEAD = """# The paper's printed numbers, checked

Written by `twinlens audit --page docs/audit.md`; `results/audit.csv` has every line. No
data are needed: the numbers are those of arXiv 1903.05577 version 1, n those of the
official first splits (UCF101 3,783 test clips, HMDB51 1,530). Arithmetic is exact.
"""


def audit(out: Path | None = None, page: Path | None = None) -> None:
    """Check every number that Tables 1 to 5 print.

    Args:
        out: csv, a line for each check.
        page: Markdown for the docs.
    """
    lines = pd.DataFrame(_lines(), columns=COLUMNS)
    if out:
        with publish(out) as temporary:
            lines.to_csv(temporary, index=False, lineterminator="\n")
    if page:
        with publish(page) as temporary:
            temporary.write_text(text(), encoding="utf-8")
    say(f"{len(lines)} checks: {_counted(lines)}")


def _counted(lines: pd.DataFrame) -> str:
    kinds = lines["kind"].value_counts()
    return ", ".join(f"{count} of kind {kind}" for kind, count in kinds.items())


def _lines() -> list[dict[str, object]]:
    return [*_count_lines(), *_check_lines(), *_difference_lines()]


def _count_lines() -> list[dict[str, object]]:
    found = []
    for cell in counts.cells():
        for metric in counts.metrics(cell):
            fit = counts.fit(cell, metric)
            found.append(
                {
                    "kind": "count",
                    "source": cell.source,
                    "printed": _percent(cell.value),
                    "metric": metric.name,
                    "k": fit.k,
                    "n": metric.n,
                    "exact": f"{float(fit.exact):.4f}",
                    "verdict": fit.verdict,
                }
            )
    return found


def _check_lines() -> list[dict[str, object]]:
    return [
        {
            "kind": each.kind,
            "source": each.source,
            "statement": each.statement,
            "k": len(each.supported),
            "n": len(each.supported) + len(each.contradicted),
            "verdict": each.verdict,
            "against": "; ".join(each.contradicted),
        }
        for each in [*claims.equalities(), *claims.claims()]
    ]


def _difference_lines() -> list[dict[str, object]]:
    return [
        {
            "kind": "difference",
            "source": f"{each.one.source} beside {each.other.row}",
            "statement": f"{each.clips} clips apart",
            "printed": f"{_percent(each.one.value)} and {_percent(each.other.value)}",
            "metric": "least p of an exact McNemar test",
            "k": each.clips,
            "exact": f"{float(each.least_p):.4f}",
            "verdict": "may be significant"
            if each.least_p < Fraction(1, 20)
            else "can't be significant at 5 %",
        }
        for each in claims.differences()
    ]


def _percent(value: Fraction) -> str:
    return f"{float(value):.2f}"


def text() -> str:
    """The page of the docs."""
    parts = [HEAD, _groups(), _classes(), _checks(), _differences()]
    return "\n".join(parts)


def _table(rows: list[dict[str, object]]) -> str:
    found = pd.DataFrame(rows).astype(str)
    return str(found.to_markdown(index=False, disable_numparse=True)) + "\n"


def _groups() -> str:
    rows: list[dict[str, object]] = [
        {
            "numbers": each.name,
            "counted": f"{each.metric.name}, n = {each.metric.n:,}",
            "k of n": f"{each.hits} of {len(each.fits)}",
            "by chance": f"{float(each.expected):.1f}",
            "chance of as many": f"{float(each.chance):.1e}",
        }
        for each in counts.groups()
    ]
    return f"""## What was counted

A number of two decimals is k of n where 100 k / n rounds to it. "By chance" is how many
would be if the digits had nothing to do with n.

{_table(rows)}
HMDB51 has 30 test clips in every class, so its mean over classes is the accuracy of
all clips, and Table 3's digits are that. UCF101's classes have 28 to 49: its digits in
Table 3 are k of 3,783 no more often than by chance, so they are means over classes.
Table 4's fusion counts clips; its streams count each of a clip's two views on its own.
Of the numbers that count clips or views so, these are none:

{_table(_impossible({"2", "3", "4"}))}
"""


def _impossible(tables: set[str]) -> list[dict[str, object]]:
    """Numbers that are no k of what their table counts, with the nearest."""
    fits = [
        counts.fit(cell, counts.metrics(cell)[-1])
        for cell in counts.cells()
        if cell.table in tables and counts.counts_clips(cell)
    ]
    return [
        {
            "number": each.cell.source,
            "printed": _percent(each.cell.value),
            "nearest": f"{each.k} / {each.metric.n:,} = {float(each.exact):.4f}",
        }
        for each in fits
        if each.verdict != "k of n"
    ]


def _classes() -> str:
    fits = [
        counts.fit(cell, metric)
        for cell in counts.cells()
        if cell.table in {"1", "5"}
        for metric in counts.metrics(cell)
    ]
    odd = _impossible({"1", "5"})
    return f"""## Accuracies of single classes

{len(fits) - len(odd)} of the {len(fits)} numbers of Tables 1 and 5 are k of the
class's test clips. These are not:

{_table(odd)}
Both are 9 of 49 with two digits exchanged.
"""


def _checks() -> str:
    rows: list[dict[str, object]] = [
        {
            "where": each.source,
            "statement": each.statement,
            "printed numbers": each.verdict,
            "against it": "; ".join(each.contradicted),
        }
        for each in [*claims.equalities(), *claims.claims()]
    ]
    return f"""## Numbers that must agree, and what the text says

Statements in our words; the numbers alone decide, without intervals.

{_table(rows)}"""


def _differences() -> str:
    close = [each for each in claims.differences() if each.least_p >= Fraction(1, 20)]
    rows: list[dict[str, object]] = [
        {
            "above": each.one.source,
            "below": each.other.row,
            "clips": each.clips,
            "least p": f"{float(each.least_p):.3f}",
        }
        for each in close
    ]
    return f"""## Differences of a handful of clips

Two methods whose numbers differ by d clips can't differ significantly by a McNemar
test unless d is 6 or more: the least p is 2 / 2^d, if every clip on which they disagree
speaks for the better one. Of the columns that count clips (HMDB51 in Tables 2 and 3,
fusion in Table 4) these pairs are closer:

{_table(rows)}"""
