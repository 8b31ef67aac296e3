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
from twinlens.networks import families

if TYPE_CHECKING:
    from twinlens.plan import Plan

BUILT = Path(".snakemake/twinlens-built")
"""Which networks, of which code and settings, were built the last time."""


def refused(plan: "Plan") -> list[str]:
    """Build the networks without their memory, once for the same code and settings.

    It takes PyTorch, so it happens in a process of its own.

    Returns:
        A line for each network that refuses its settings.

    Raises:
        subprocess.CalledProcessError: that process failed otherwise.
    """
    builds = [asdict(each) for each in plan.networks.builds()]
    digest = _digest(builds)
    if BUILT.is_file() and BUILT.read_text() == digest:
        return []
    done = subprocess.run(
        [sys.executable, "-m", "twinlens.networks.build", json.dumps(builds)],
        env=os.environ | {"PYTHONPATH": str(provenance.SOURCE)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    if not done.stdout:
        with publish(BUILT) as temporary:
            temporary.write_text(digest)
    return done.stdout.splitlines()


def _digest(builds: list[dict[str, object]]) -> str:
    """Digest of what is built, and of the code that builds it."""
    files = {families.dotted(str(each["family"]), str(each["kind"])) for each in builds}
    code = provenance.code_digest("twinlens.networks.build", *sorted(files))
    text = json.dumps([code, builds], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
