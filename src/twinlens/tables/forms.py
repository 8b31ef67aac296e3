"""The forms that every table comes in, and what its first line says."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from twinlens.artifacts.publish import publish
from twinlens.progress import say
from twinlens.tables import published
from twinlens.tables.settings import Layout

CAUTION = "CAUTION"
"""How a line begins that says why numbers mean less than they seem."""


def head(name: str, layout: Layout, what: str) -> str:
    """Write a table's first line: what it is, its world, whether data are generated."""
    labels = [each.label for each in layout.datasets.values() if each.generated]
    data = f"GENERATED DATA ({', '.join(labels)}): not the paper's; " * bool(labels)
    line = f"twinlens {name}, world {layout.world}: {data}{what}; {layout.note}"
    return _one_line(line)


def world_of(table: Path) -> str:
    """Read in its first line which world a table is of; "" where there is no table."""
    text = table.read_text(encoding="utf-8") if table.exists() else ""
    return text.partition("\n")[0].partition(", world ")[2].partition(":")[0]


def order(layout: Layout) -> list[str]:
    """Order methods as the paper prints them, those beyond it after HR."""
    printed = list(published.TABLE3)
    papers = {name: method.paper for name, method in layout.methods.items()}
    return sorted(
        papers,
        key=lambda name: (
            printed.index(paper) if (paper := papers[name]) in printed else len(printed)
        ),
    )


def standing_for(layout: Layout, paper: str) -> str | None:
    """Find the first method that stands for a row of the paper, or None."""
    methods = layout.methods.items()
    return next((key for key, method in methods if method.paper == paper), None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Files:
    """Where a table's forms go."""

    out: Path
    """csv as the paper prints the table, behind one `#` line."""
    long: Path
    """csv with a line for each cell."""
    markdown: Path
    """The table to read."""
    latex: Path
    """The same for papers, of the package booktabs."""
    cautions: tuple[str, ...] = ()
    """Lines that stand before the notes; `write_table` fills them in."""


def write(
    files: Files,
    first: str,
    wide: pd.DataFrame,
    long: pd.DataFrame,
    notes: Sequence[str],
) -> None:
    """Publish a table's forms, and print it.

    Args:
        files: where.
        first: the line that names it.
        wide: the table as it is printed, all text.
        long: a line for each cell.
        notes: lines beneath the table that is read.
    """
    # The long form is for programs, which find names as they are.
    for path, table in ((files.out, _cells(wide, _no_formula)), (files.long, long)):
        body = table.to_csv(index=False, lineterminator="\n")
        _publish(path, f"# {first}\n{body}")
    wide = _cells(wide, _one_line)
    body = _cells(wide, _no_column).to_markdown(
        index=False, disable_numparse=True, colalign=_sides(wide)
    )
    # What a reader must know first stands first.
    notes = [_one_line(each) for each in (*files.cautions, *notes)]
    lines = sorted(notes, key=lambda each: CAUTION not in each[:7])
    text = "\n".join([first, "", body, "", *lines, ""])
    _publish(files.markdown, text)
    columns = "".join(side[0] for side in _sides(wide))
    body = wide.to_latex(index=False, escape=True, column_format=columns)
    _publish(files.latex, f"% {first}\n{body}")
    say(text)


def _cells(table: pd.DataFrame, change: Callable[[str], str]) -> pd.DataFrame:
    """Change all texts of a table, also those of its head."""
    changed = table.map(lambda each: change(each) if isinstance(each, str) else each)
    return changed.rename(columns=change)


def _one_line(text: str) -> str:
    """Put a text in one line: folders' names may have line breaks."""
    return " ".join(text.split())


def _no_column(text: str) -> str:
    """Keep a text in its column, where `|` would begin another."""
    return text.replace("|", "\\|")


def _no_formula(text: str) -> str:
    """Keep a text a text, where spreadsheets would compute it."""
    number = re.fullmatch(r"[+-]?[\d.]+", text)
    formula = text.startswith(("=", "@", "+", "-", "\t", "\r")) and not number
    return f"'{text}" if formula else text


def _sides(wide: pd.DataFrame) -> list[str]:
    return ["left", *["right"] * (len(wide.columns) - 1)]


def _publish(path: Path, text: str) -> None:
    with publish(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
