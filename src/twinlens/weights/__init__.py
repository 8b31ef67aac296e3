"""Importers of published weight files: formats only, a network maps its own keys.

Nothing that a file carries is ever run, and what a reader may cost is limited. Each
reader is imported when it is needed: reading a .caffemodel does not load PyTorch.
"""

from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from twinlens.artifacts import reader
from twinlens.errors import ArtifactError
from twinlens.weights import trial

READERS = {
    ".caffemodel.h5": "hdf5",
    ".h5": "hdf5",
    ".caffemodel": "caffe",
    ".mat": "matlab",
    ".pth": "torch_file",
    ".pt": "torch_file",
    ".pth.tar": "torch_file",
    ".safetensors": "safetensors_file",
}
"""File name ending to the module of this room that reads it."""
MODULES = tuple(f"{__name__}.{name}" for name in sorted(set(READERS.values())))
"""All that may read a file, for the digest of the code that an import depends on."""

# How the two containers of torch.save begin: a zip archive, a pickle of its number.
_TORCH_BEGINS = (b"PK\x03\x04", b"\x80\x02\x8a\x0a")


def read(path: Path) -> dict[str, Any]:
    """Read a published weight file by its name's ending, else by how it begins.

    Args:
        path: a file of one of the kinds in `READERS`; a version may follow the ending
            (`.caffemodel.v5`).

    Returns:
        What the kind's reader returns: layer name to a list of numpy arrays for Caffe,
        variable name to arrays, dicts and lists for MATLAB, dotted name to a tensor for
        PyTorch and safetensors, path in the file to an array for HDF5.

    Raises:
        ArtifactError: it is not there, of no known kind, an artifact of ours, its
            reader refuses it, or takes too long or too much memory (see `trial`).
    """
    try:
        module = import_module(f"{__name__}.{_reader(path)}")
        read = partial(_foreign, module.read)
        trial.run(read, path)
        values: dict[str, Any] = read(path)
    except OSError as error:
        raise ArtifactError(f"{path}: {error.strerror or error}") from error
    except ValueError as error:  # it names the file; libraries' words may be lines
        raise ArtifactError(str(error).replace("\n", " ")) from error
    return values


def _foreign(read: Callable[[Path], Any], path: Path) -> Any:
    """Read a file that is none of ours."""
    if reader.is_artifact(path):
        with reader.open(path) as file:
            kind = file.kind
        raise ValueError(
            f"{path}: is a twinlens artifact ({kind}), not a published weight file"
        )
    return read(path)


def _reader(path: Path) -> str:
    for ending, module in READERS.items():
        if path.name.endswith(ending) or f"{ending}.v" in path.name:
            return module
    with path.open("rb") as stream:
        if stream.read(4) in _TORCH_BEGINS:
            return "torch_file"
    raise ValueError(f"{path}: not a known kind of weight file ({', '.join(READERS)})")
