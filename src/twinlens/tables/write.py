"""Write any table of the paper or beyond: the stage of all of them."""

from importlib import import_module
from pathlib import Path

from twinlens.tables.forms import Files
from twinlens.tables.settings import TableJob


def write_table(inputs: list[Path], job: TableJob, files: Files) -> None:
    """Write a table in its forms.

    Args:
        inputs: score shards, or what else its file reads.
        job: which table, and what it shows.
        files: where its forms go.
    """
    import_module(f"twinlens.tables.{job.module}").table(inputs, job, files)
