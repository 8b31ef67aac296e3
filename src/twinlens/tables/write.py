"""Write any table of the paper or beyond: the stage of all of them."""

from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path

from twinlens.artifacts.table import read_csv
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
    warned = replace(files, cautions=tuple(_cautions(cautions, job)))
    import_module(f"twinlens.tables.{job.module}").table(inputs, job, warned)


def _cautions(paths: list[Path], job: TableJob) -> Iterator[str]:
    """Read the cautions, each behind the label of its data set."""
    for path in paths:
        name = path.parent.name
        label = job.layout.datasets[name].label if name in job.layout.datasets else name
        for text in read_csv(path, "cautions/1")["caution"]:
            yield f"CAUTION {label}: {text}"
