"""See that a world's networks take their settings, before the first job."""

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from twinlens import provenance
from twinlens.artifacts.publish import publish
from twinlens.errors import ArtifactError
from twinlens.networks import families
from twinlens.progress import say

if TYPE_CHECKING:
    from twinlens.plan import Plan

BUILT = Path(".snakemake/twinlens-built")
"""Which networks, of which code and settings, were built the last time."""


def faults(plan: "Plan") -> list[str]:
    """Build the networks without their memory, once for the same code and settings.

    It takes PyTorch, so it happens in a process of its own.

    Returns:
        A line for each network that refuses its settings.
    """
    builds = [asdict(each) for each in plan.networks.builds()]
    digest = _digest(builds)
    if BUILT.is_file() and BUILT.read_text() == digest:
        return []
    done = subprocess.run(
        [sys.executable, "-m", "twinlens.networks.build", json.dumps(builds)],
        env=os.environ | {"PYTHONPATH": str(provenance.SOURCE)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        why = (done.stderr.strip() or "no words").splitlines()[-1]
        return [f"networks can't be built here (status {done.returncode}): {why}"]
    if not (found := done.stdout.splitlines()):
        _note(digest)
    return found


def _note(digest: str) -> None:
    """Note that all was well, in a folder of the workflow: it saves time alone."""
    if not BUILT.parent.is_dir():
        return
    try:
        with publish(BUILT) as temporary:
            temporary.write_text(digest)
    except (ArtifactError, OSError) as error:
        say(f"networks are built again by the next run: {error}")


def _digest(builds: list[dict[str, object]]) -> str:
    """Digest of what is built, and of the code that builds it."""
    files = {families.dotted(str(each["family"]), str(each["kind"])) for each in builds}
    code = provenance.code_digest("twinlens.networks.build", *sorted(files))
    text = json.dumps([code, builds], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
