"""Table 5: classes that super-resolution makes easy or hard, by every method."""

import dataclasses
from pathlib import Path

from twinlens import provenance
from twinlens.errors import ArtifactError
from twinlens.tables import cases, facts, forms, published
from twinlens.tables.accuracy import load
from twinlens.tables.cases import Case
from twinlens.tables.facts import Correct
from twinlens.tables.forms import Files
from twinlens.tables.settings import Layout, TableJob

# The baselines of section 4.3, "trained with MSE": they say which classes are easy.
BASELINES = ("VDSR", "SPMC", "VSR-DUF-52")
REFERENCE = "Bicubic"
HARD, EASY = "hard", "easy"
# Classes of each kind in the paper, in its order.
MOST = {HARD: 4, EASY: 3}


def table(inputs: list[Path], job: TableJob, files: Files) -> None:
    """Write the table in its forms.

    It is of the spatial stream: section 4.3 speaks of Figure 6 and Table 5 before it
    turns to the temporal stream, and FrontCrawl has the same values as in Table 1.

    Args:
        inputs: score shards with a spatial stream.
        job: its layout has columns (its `methods`, Bicubic among them) and data sets;
            columns in the paper's order, those beyond it after.
        files: where its forms go.

    Raises:
        ArtifactError: scores are missing or not of the same clips.
    """
    layout, loaded = _ordered(job.layout), load(inputs)
    parts: list[cases.Part] = []
    for dataset, about in layout.datasets.items():
        correct = facts.right_by_class(loaded, layout, dataset)
        own = provenance.seed(job.seed, "table 5", dataset)
        printed = _printed(about.paper)
        found = cases.part(
            correct, _kinds(layout), printed, layout, dataset, "kind", own
        )
        parts.append(found)
    what = (
        f"{layout.head} stream of {layout.recogniser}, accuracy in % of single classes"
    )
    first = forms.head("table 5", layout, what)
    cases.write(files, first, layout, parts, "kind", _after(layout))


def highlighted(
    correct: Correct, layout: Layout, dataset: str | None
) -> list[cases.Shown]:
    """Choose the table's classes of a data set, which Figure 6 has in colour.

    Args:
        correct: which clips are classified correctly, by class and method.
        layout: the methods, Bicubic among them.
        dataset: the paper's data set that it is, if any.

    Raises:
        ArtifactError: there is no Bicubic.
    """
    return cases.chosen(correct, _kinds(layout), _printed(dataset))


def reference(layout: Layout) -> str:
    """Find the method that all others are compared with.

    Raises:
        ArtifactError: there is none.
    """
    if (found := forms.standing_for(layout, REFERENCE)) is None:
        raise ArtifactError(
            f"no method stands for the paper's {REFERENCE}, with which the others are"
            " compared; add it to select.methods"
        )
    return found


def _baselines(layout: Layout) -> list[str]:
    return [key for paper in BASELINES if (key := forms.standing_for(layout, paper))]


def _kinds(layout: Layout) -> list[Case]:
    """Define hard and easy classes; none without a baseline."""
    # ASSUME: section 4.3 calls classes easy and hard without a rule. In those that
    # Table 5 shows as hard every baseline is below Bicubic, in the easy ones above it
    # ("SR methods perform well consistently in some classes while worse consistently in
    # the other"). SoSR, which the table baselines, has no say.
    bicubic, baselines = reference(layout), _baselines(layout)
    who = ", ".join(layout.methods[key].label for key in baselines)
    gaps = {
        HARD: tuple((bicubic, key) for key in baselines),
        EASY: tuple((key, bicubic) for key in baselines),
    }
    words = {HARD: f"{who} below {REFERENCE}", EASY: f"{who} above {REFERENCE}"}
    return [
        Case(name=name, says=words[name], gaps=gaps[name], most=MOST[name])
        for name in (HARD, EASY)
        if baselines
    ]


def _printed(dataset: str | None) -> cases.Printed:
    return published.classes("5", dataset)


def _ordered(layout: Layout) -> Layout:
    """Order methods as the table prints them, then the others as Table 3 does."""
    printed = [forms.standing_for(layout, paper) for paper in published.TABLE5_METHODS]
    names = dict.fromkeys([*filter(None, printed), *forms.order(layout)])
    methods = {name: layout.methods[name] for name in names}
    return dataclasses.replace(layout, methods=methods)


def _after(layout: Layout) -> list[str]:
    """Note what to bear in mind of the rule."""
    if not (baselines := _baselines(layout)):
        who = ", ".join(BASELINES)
        return [
            "no class is hard or easy by rule: that takes the scores of one or more of",
            f"{who}; add one to select.methods",
        ]
    who = ", ".join(layout.methods[key].label for key in baselines)
    return [
        f"Classes are chosen by the scores of {who} themselves: in the hard ones these",
        "are low partly by chance, and a method without a say in the choice, such as",
        "SoSR, looks better beside them than it is; in the easy ones worse.",
    ]
