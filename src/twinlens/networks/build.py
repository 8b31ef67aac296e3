"""Build networks without their memory, to see whether they take their settings.

`python -m twinlens.networks.build JSON` prints a line for each that does not. It loads
PyTorch, which plans do without, so it is a process of its own.
"""

import json
import sys
from collections.abc import Iterable, Iterator

import torch

from twinlens.networks import families
from twinlens.networks.job import Build


def faults(builds: Iterable[Build]) -> Iterator[str]:
    """Say in a line each which networks refuse their settings, and why."""
    for each in builds:
        try:
            with torch.device("meta"):
                families.build(each.family, each.kind, **each.settings)
        except (ValueError, TypeError, IndexError, ArithmeticError) as error:
            yield f"{each.where}: {error}"
        except (RuntimeError, MemoryError) as error:
            # PyTorch's own, in which a trace of its C++ may follow.
            yield f"{each.where}: {str(error).partition(chr(10))[0]}"


if __name__ == "__main__":
    for line in faults(Build(**each) for each in json.loads(sys.argv[1])):
        print(line)
