"""Weights from PyTorch files (.pth, .pt, .pth.tar), without running their code.

A PyTorch file is a pickle, and a pickle may ask for any function to be called. Plain
state dicts go through PyTorch's own restricted loader. Files that hold a whole network
object, as many published before 2019 do, go through PyTorch's loader with the unpickler
of `inert`: the network's own code is never imported.
"""

import io
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from torch import Tensor

from twinlens.weights import inert

ZIP = b"PK\x03\x04"
WRAPPERS = (
    "params_ema",
    "ema_state_dict",
    "state_dict_ema",
    "model_ema",
    "ema",
    "state_dict",
    "model_state_dict",
    "generator",
    "netG",
    "model",
    "net",
    "network",
    "params",
)
"""Entries under which training scripts keep weights; a moving average goes first."""


def read(path: Path) -> dict[str, Tensor]:
    """Read a file's weights by name, running none of the code that it may carry.

    Args:
        path: what `torch.save` wrote, of any age except the tar files of 2016: a state
            dict, a checkpoint that wraps one (see `WRAPPERS`), or a whole network.

    Returns:
        Dotted names as `state_dict()` gives them (a wrapper's own name is left out) to
        tensors on the CPU, without gradients; half precision becomes single.

    Raises:
        ValueError: the file is not PyTorch's, is cut short, holds no tensors, or asks
            for a call that is not part of rebuilding tensors.
    """
    file = io.BytesIO(path.read_bytes())
    try:
        _check_records(file)
        tensors = dict(_named(_unwrapped(_load(file)), ""))
    except RecursionError as error:
        raise ValueError(f"{path}: an object in it contains itself") from error
    except Exception as error:  # a damaged pickle may raise any
        raise ValueError(f"{path}: not readable as a PyTorch file: {error}") from error
    if not tensors:
        raise ValueError(f"{path}: holds no tensors")
    return tensors


def _load(file: io.BytesIO) -> object:
    """Load the object of either container.

    From memory: PyTorch would try a file on disk as a tar file of 2016 and unpack it.
    """
    with warnings.catch_warnings():
        # PyTorch says that it can't compare the source code of placeholders.
        warnings.simplefilter("ignore")
        try:
            return torch.load(file, map_location="cpu", weights_only=True)
        except Exception:
            _refuse_program(file)
        return torch.load(
            file,
            map_location="cpu",
            weights_only=False,
            pickle_module=inert,
            encoding="latin1",  # byte strings of Python 2, whatever they hold
        )


def _check_records(file: io.BytesIO) -> None:
    """Compare a zip archive's records with their checksums, which PyTorch does not.

    Raises:
        zipfile.BadZipFile: one differs; PyTorch can leave them out, as 0.
    """
    if file.getvalue().startswith(ZIP):
        with zipfile.ZipFile(file) as archive:
            for record in archive.infolist():
                if record.CRC:
                    with archive.open(record) as stream:
                        while stream.read(1 << 20):
                            pass  # at its end the checksum is compared
    file.seek(0)


def _refuse_program(file: io.BytesIO) -> None:
    """Refuse TorchScript, which PyTorch would hand to a loader that runs code."""
    zipped = file.getvalue().startswith(ZIP)
    file.seek(0)
    if zipped and "constants.pkl" in torch.PyTorchFileReader(file).get_all_records():
        raise ValueError("it is a TorchScript program, which loading would run")
    file.seek(0)


def _unwrapped(loaded: object) -> object:
    """Take the weights out of a checkpoint; all that was loaded if nothing wraps it."""
    if isinstance(loaded, Mapping):
        for name in WRAPPERS:
            if next(_named(loaded.get(name), ""), None) is not None:
                return loaded[name]
    return loaded


def _named(value: object, name: str) -> Iterator[tuple[str, Tensor]]:
    """Yield every tensor below `value` with its dotted name."""
    if isinstance(value, Tensor):
        yield name, single(value.detach())
    elif isinstance(value, inert.Leaf):
        yield name, single(value.tensor)
    for key, child in _children(value):
        yield from _named(child, f"{name}.{key}" if name else str(key))


def _children(value: object) -> Iterator[tuple[object, object]]:
    if isinstance(value, inert.Placeholder):
        yield from value.children()
    elif isinstance(value, Mapping):
        yield from value.items()
    elif isinstance(value, list | tuple):
        yield from enumerate(value)


def single(tensor: Tensor) -> Tensor:
    """Widen half precision, of either kind: numpy has but one of them."""
    half = tensor.dtype in (torch.float16, torch.bfloat16)
    return tensor.float() if half else tensor
