"""What Snakemake recorded of the files that it made: command, inputs, parameters."""

import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from pathlib import Path

HOME = Path(".snakemake/metadata")
LONGEST = 254
"""Characters of a record's name; longer ones continue in folders."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """Of a file."""

    rule: str
    command: str
    inputs: list[str]
    params: list[str]
    """As Python writes them; a stage's settings are JSON among them."""


def of(path: Path, home: Path = HOME) -> Record | None:
    """Read the record of a file; None of one that Snakemake did not make.

    Args:
        path: as the workflow names it.
        home: where Snakemake keeps its records.
    """
    name = urlsafe_b64encode(str(path).encode()).decode()
    parts = [name[start : start + LONGEST] for start in range(0, len(name), LONGEST)]
    file = home.joinpath(*("@" + each for each in parts[:-1]), parts[-1])
    if not file.is_file():
        return None
    found = json.loads(file.read_text(encoding="utf-8"))
    return Record(
        rule=found["rule"] or "",
        command=found["shellcmd"] or "",
        inputs=list(found["input"] or ()),
        params=list(found["params"] or ()),
    )
