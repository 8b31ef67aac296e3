"""Weights from .safetensors files: a table of names and the bytes of the tensors."""

from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from twinlens.weights.torch_file import single


def read(path: Path) -> dict[str, Tensor]:
    """Read a file's weights by name.

    Args:
        path: what `safetensors` wrote, of PyTorch tensors.

    Returns:
        Names to tensors on the CPU; half precision becomes single.

    Raises:
        ValueError: the file is damaged, or holds no tensors.
    """
    try:
        tensors = load(path.read_bytes())
    except (SafetensorError, KeyError) as error:
        raise ValueError(f"{path}: not readable as safetensors: {error}") from error
    if not tensors:
        raise ValueError(f"{path}: holds no tensors")
    return {name: single(tensor) for name, tensor in tensors.items()}
