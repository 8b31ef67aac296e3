"""Where to compute, and how to get the same numbers twice."""

import subprocess
import sys

READY = """
import sys
import torch
from twinlens.networks.device import repeatable
repeatable(1)
assert torch.are_deterministic_algorithms_enabled()
assert torch.is_deterministic_algorithms_warn_only_enabled()
assert torch.get_num_threads() == 1
print("torch._inductor" in sys.modules)
"""


def test_repeatable_does_without_the_compiler():
    command = [sys.executable, "-c", READY]
    result = subprocess.run(command, capture_output=True, text=True, timeout=3600)
    assert (result.returncode, result.stdout) == (0, "False\n"), result.stderr
