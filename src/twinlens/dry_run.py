"""The jobs that Snakemake would run."""

import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from twinlens import provenance
from twinlens.errors import ArtifactError

SNAKEFILE = provenance.SOURCE.parent / "Snakefile"


def rules_digest() -> str:
    """Digest of the files of the rules, which are no Python."""
    files = [SNAKEFILE, *sorted(SNAKEFILE.parent.glob("workflow/rules/*.smk"))]
    text = b"\0".join(path.read_bytes() for path in files)
    return hashlib.sha256(text).hexdigest()[:16]


class Job(NamedTuple):
    """A job of the workflow."""

    rule: str
    wildcards: dict[str, str]
    input: list[str]
    output: list[str]
    gpu: int = 0
    """How many it asks for."""
    threads: int = 1
    """Processors that it asks for."""
    benchmark: str = ""
    """Where Snakemake writes what it took; "" where it does not measure."""
    reason: str = ""
    """Why it runs, in Snakemake's words."""
    command: str = ""
    """Its whole shell command."""


def jobs(
    configs: Sequence[Path],
    data: str | None = None,
    targets: Sequence[str] = ("all",),
    anew: bool = False,
) -> list[Job]:
    """List the jobs of targets that are still to be run, by a dry run.

    Args:
        configs: overlays, as `--configfile` takes them.
        data: folder of the data; None for the config's.
        targets: files, or rules.
        anew: list all of its jobs, also those that are done.

    Raises:
        ArtifactError: the dry run failed; its text says why.
    """
    with tempfile.TemporaryDirectory() as folder:
        listed = Path(folder) / "jobs"
        listed.touch()
        run(
            *targets,
            *("--dry-run", "--cores", "10000"),  # no job's threads are cut to ours
            "--logger-twinlens-jobs",
            str(listed),
            *(["--forceall"] if anew else []),
            *words(configs, data),
        )
        lines = listed.read_text(encoding="utf-8").splitlines()
    found = [Job(**json.loads(line)) for line in lines]
    return [job for job in found if job.rule != "all"]


def words(configs: Sequence[Path], data: str | None = None) -> list[str]:
    """The words that name configs and data to Snakemake."""
    named = ["--configfile", *map(str, configs)] if configs else []
    return [*named, *(["--config", f"data={data}"] if data else [])]


def run(*options: str) -> None:
    """Run Snakemake in this folder.

    Raises:
        ArtifactError: it failed; its last words say why.
    """
    program = str(Path(sys.executable).with_name("snakemake"))
    command = [program, "-s", str(SNAKEFILE), "--cores", "all", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ArtifactError(f"{' '.join(command)}:\n{done.stderr[-3000:].strip()}")
