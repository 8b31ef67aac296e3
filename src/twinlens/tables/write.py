"""Write any table of the paper or beyond: the stage of all of them."""

from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path

from twinlens.artifacts import reader
from twinlens.artifacts.table import read_csv
from twinlens.recognition import SCORES
from twinlens.tables.forms import Files
from twinlens.tables.settings import TableJob


def write_table(
    inputs: list[Path], cautions: list[Path], job: TableJob, files: Files
) -> None:
    """Write a table in its forms.

    Args:
        inputs: score shards, or what else its file reads.
        cautions: csv of each data set, in the folder of its name: what makes its
            numbers mean less than they seem.
        job: which table, and what it shows.
        files: where its forms go.
    """
    lines = (*_cautions(cautions, job), *_constant_flow(inputs, job))
    warned = replace(files, cautions=lines)
    import_module(f"twinlens.tables.{job.module}").table(inputs, job, warned)


def _cautions(paths: list[Path], job: TableJob) -> Iterator[str]:
    """Read the cautions, each behind the label of its data set."""
    for path in paths:
        label = _label(path.parent.name, job)
        for text in read_csv(path, "cautions/1")["caution"]:
            yield f"CAUTION {label}: {text}"


def _constant_flow(inputs: list[Path], job: TableJob) -> Iterator[str]:
    """Count the scored clips whose flow is one value, by data set and row."""
    counts: dict[tuple[str, str], list[bool]] = {}
    for path in filter(reader.is_artifact, inputs):
        with reader.open(path, SCORES) as file:
            of_row = counts.setdefault((file.about["dataset"], file.about["row"]), [])
            for name in file.clips:
                of_row.append(bool(file.clip(name).facts.get("constant_flow")))
    for (dataset, row), found in counts.items():
        if any(found):
            method = job.layout.methods.get(row)
            yield (
                f"CAUTION {_label(dataset, job)}: the flow of {sum(found)} of"
                f" {len(found)} clips of {method.label if method else row} is one value"
                " everywhere: nothing moves in them, or it was estimated wrongly"
            )


def _label(dataset: str, job: TableJob) -> str:
    known = job.layout.datasets
    return known[dataset].label if dataset in known else dataset
