"""Build networks without their memory, to see whether they take their settings.

`python -m twinlens.networks.build JSON` prints a line for each that does not. It loads
PyTorch, which plans do without, so it is a process of its own.
"""

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import redirect_stdout

import torch
from torch import nn

from twinlens.networks import families
from twinlens.networks.job import Build


def faults(builds: Iterable[Build]) -> Iterator[str]:
    """Say in a line each which networks refuse their settings, and why."""
    for each in builds:
        try:
            built(each)
        except Exception as error:  # of a file that anybody may have added
            text = str(error).partition("\n")[0]  # a trace of C++ may follow
            yield f"{each.where}: {text or type(error).__name__}"


def built(each: Build) -> nn.Module:
    """Build a network without memory, or with it where it reads a value of its own."""
    try:
        with torch.device("meta"):
            return families.build(each.family, each.kind, **each.settings)
    except RuntimeError:  # it reads a value, which tensors without memory don't have
        return families.build(each.family, each.kind, **each.settings)


if __name__ == "__main__":
    with redirect_stdout(sys.stderr):  # networks may print
        lines = list(faults(Build(**each) for each in json.loads(sys.argv[1])))
    for line in lines:
        print(line)
