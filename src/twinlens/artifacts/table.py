"""Tables that stages exchange: csv whose first line has a digest of the rest."""

import hashlib
import io
from pathlib import Path

import pandas as pd

from twinlens.artifacts.publish import publish
from twinlens.errors import ArtifactError, unusable

TEXT = (
    "clip class part status note sha1 content look path file dataset method caution"
).split()
"""Columns of text: a class may be named 007."""


def write_csv(path: Path, kind: str, rows: pd.DataFrame) -> None:
    """Publish a csv whose first line says its format, rows and digest."""
    body = rows.to_csv(index=False, lineterminator="\n")
    digest = hashlib.sha256(body.encode()).hexdigest()[:16]
    with publish(path) as temporary:
        temporary.write_text(
            f"# twinlens {kind} rows={len(rows)} sha256={digest}\n{body}",
            encoding="utf-8",
        )


def read_csv(path: Path, kind: str) -> pd.DataFrame:
    """Read a csv that `write_csv` wrote.

    Raises:
        ArtifactError: it is missing, empty, cut off, edited or of another kind.
    """
    path = Path(path)
    if not path.exists():
        raise ArtifactError(f"{path}: no such file; run the workflow to make it")
    first, _, body = path.read_bytes().partition(b"\n")
    digest = hashlib.sha256(body).hexdigest()[:16]
    if not first.startswith(f"# twinlens {kind} ".encode()):
        raise unusable(path, f"is not a whole {kind} file")
    if not first.endswith(f"sha256={digest}".encode()):
        raise unusable(path, "was cut off or edited")
    kinds = dict.fromkeys(TEXT, str)
    return pd.read_csv(io.BytesIO(body), keep_default_na=False, dtype=kinds)
