"""Whether a GPU is here, told without PyTorch, which takes a second to load."""

import shutil
from pathlib import Path


def present() -> bool:
    """Whether the system has an NVIDIA device; PyTorch may still not take it."""
    return any(Path("/dev").glob("nvidia[0-9]*")) or bool(shutil.which("nvidia-smi"))
