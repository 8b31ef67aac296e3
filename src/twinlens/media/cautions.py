"""What makes the numbers of a data set mean less than they seem, in words."""

from collections.abc import Iterator, Sequence

import pandas as pd

from twinlens.errors import message

EXAMPLES = 2
"""Clips that a line names."""


def lines_of_caution(rows: pd.DataFrame) -> list[str]:
    """Look through a manifest for what its readers should know.

    Args:
        rows: a line a clip: clip, class, part, status, content, note.

    Returns:
        A line for each kind of trouble, with how many clips it is of and some names.
    """
    usable = rows[rows["status"] == "ok"]
    return [*_twins(usable), *_dull(usable), *_few(usable), *_other_kernel(usable)]


def _twins(usable: pd.DataFrame) -> Iterator[str]:
    """Clips of the same frames, under two names."""
    groups = [each for _, each in usable.groupby("content") if len(each) > 1]
    if learnt := [each for each in groups if {"train", "test"} <= set(each["part"])]:
        tested = sum(int((each["part"] == "test").sum()) for each in learnt)
        yield message(
            f"{tested} test clips have the very frames of a training clip, so that"
            f" the recogniser was trained on them: {_pairs(learnt)}"
        )
    if twofold := [each for each in groups if each["class"].nunique() > 1]:
        yield message(
            f"{_count(twofold)} clips have the same frames under two classes, of which"
            f" one must be wrong: {_pairs(twofold)}"
        )
    if twice := list(_repeated(groups)):
        yield message(
            f"{_count(twice)} clips have the same frames as another of their class and"
            f" part, and count more than once: {_pairs(twice)}"
        )


def _repeated(groups: Sequence[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    """Clips of the same frames in one part of one class."""
    for each in groups:
        of_parts = (rows for _, rows in each.groupby(["part", "class"]))
        yield from (rows for rows in of_parts if len(rows) > 1)


def _count(groups: Sequence[pd.DataFrame]) -> int:
    return sum(map(len, groups))


def _pairs(groups: Sequence[pd.DataFrame]) -> str:
    named = [" = ".join(each["clip"].iloc[:2]) for each in groups[:EXAMPLES]]
    return ", ".join(named) + (", ..." if len(groups) > EXAMPLES else "")


def _dull(usable: pd.DataFrame) -> Iterator[str]:
    """Clips in which there is nothing to see."""
    for look, what in LOOKS.items():
        found = usable[usable["look"] == look]
        if len(found):
            names = ", ".join(found["clip"].iloc[:EXAMPLES])
            more = ", ..." if len(found) > EXAMPLES else ""
            yield message(f"{len(found)} clips {what}: {names}{more}")


LOOKS = {"one colour": "show one colour only", "still": "show nothing that moves"}
"""What the look of a clip means, by what its report says."""


def _few(usable: pd.DataFrame) -> Iterator[str]:
    """Classes whose accuracy rests on a single clip."""
    tested = usable.loc[usable["part"] == "test", "class"].value_counts()
    single = sorted(tested.index[tested == 1])
    if single:
        names = ", ".join(single[:EXAMPLES])
        more = ", ..." if len(single) > EXAMPLES else ""
        yield message(
            f"{len(single)} classes are tested by one clip each, whose verdict is 0 or"
            f" 100 % of the class: {names}{more}"
        )


def _other_kernel(usable: pd.DataFrame) -> Iterator[str]:
    """Low-resolution clips whose spectrum is not that of bicubic interpolation.

    Training clips of the data set, shrunk by bicubic, are what they should look like.
    """
    measured = usable[pd.to_numeric(usable["detail"], errors="coerce").notna()]
    of_part = {
        part: pd.to_numeric(rows["detail"]) for part, rows in measured.groupby("part")
    }
    if any(len(of_part.get(part, ())) < FEWEST for part in ("train", "test")):
        return
    train, test = of_part["train"], of_part["test"]
    difference = test.mean() - train.mean()
    error = (train.var() / len(train) + test.var() / len(test)) ** 0.5
    if abs(difference) > max(LEAST_DIFFERENCE, ERRORS * error):
        yield message(
            f"low-resolution test clips have {2**difference:.2f} times the energy at"
            " fine frequencies that training clips have once bicubic shrank them: they"
            " were made with another kernel, or coded coarsely, and networks trained on"
            " bicubic fit them less"
        )


LEAST_DIFFERENCE = 0.2
"""Of detail: a Gaussian of 1.6 pixels gives -0.34, areas 0.4, no antialiasing 1.1."""
FEWEST = 3
"""Clips of each part that must be measured."""
ERRORS = 4
"""Standard errors by which the mean of test clips must differ."""
