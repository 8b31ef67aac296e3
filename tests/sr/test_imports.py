import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("stage", "rooms"),
    [
        (
            "sr.stage",
            ["losses", "patches", "recognition", "training", "networks.trainer"],
        ),
        ("patches.stage", ["flow.encoding", "flow.stage", "training"]),
        ("patches.reader", ["flow"]),
        ("tables.quality", ["quality.stage", "tables.accuracy"]),
    ],
)
def test_a_stage_imports_nothing_whose_change_must_not_rerun_it(stage, rooms):
    code = f"import sys, twinlens.{stage}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    loaded = done.stdout.split()
    assert f"twinlens.{stage}" in loaded
    for room in rooms:
        assert f"twinlens.{room}" not in loaded, room
