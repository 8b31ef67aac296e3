"""Table 1: classes that details help or harm, by accuracy of HR, SR and Bicubic."""

from pathlib import Path

from twinlens import provenance
from twinlens.tables import cases, facts, forms, published
from twinlens.tables.accuracy import load
from twinlens.tables.cases import Case
from twinlens.tables.forms import Files
from twinlens.tables.settings import Layout, TableJob

# Each case's methods from best to worst (section 3.2).
RANKS = {
    "a": ("HR", "SR", "Bicubic"),
    "b": ("Bicubic", "HR", "SR"),
    "c": ("SR", "HR", "Bicubic"),
}
MOST = 2  # the paper shows two classes a case


def table(inputs: list[Path], job: TableJob, files: Files) -> None:
    """Write the table in its forms.

    It is of the spatial stream: section 3.2, where it stands, speaks of what this
    stream sees in single frames.

    Args:
        inputs: score shards with a spatial stream.
        job: its layout has columns (its `methods`, by HR, Bicubic and SR) and data
            sets.
        files: where its forms go.

    Raises:
        ArtifactError: scores are missing or not of the same clips.
    """
    layout, loaded = job.layout, load(inputs)
    parts: list[cases.Part] = []
    for dataset, about in layout.datasets.items():
        if not about.has_hr:
            note = f"{about.label}: its clips are low already; no HR, so no cases"
            parts.append(cases.Part(rows=[], lines=[], notes=[note]))
            continue
        correct = facts.right_by_class(loaded, layout, dataset)
        printed = published.classes("1", about.paper)
        own = provenance.seed(job.seed, "table 1", dataset)
        found = cases.part(
            correct, _cases(layout), printed, layout, dataset, "case", own
        )
        parts.append(found)
    what = (
        f"{layout.head} stream of {layout.recogniser}, accuracy in % of single classes"
    )
    cases.write(files, forms.head("table 1", layout, what), layout, parts, "case")


def _cases(layout: Layout) -> list[Case]:
    return [
        Case(
            name=name,
            says=" > ".join(layout.methods[each].label for each in ranks),
            gaps=tuple(zip(ranks[:-1], ranks[1:], strict=True)),
            most=MOST,
        )
        for name, ranks in RANKS.items()
    ]
