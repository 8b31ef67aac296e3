"""Weights from PyTorch files (.pth, .pt, .pth.tar), without running their code.

A PyTorch file is a pickle, and a pickle may ask for any function to be called. Plain
state dicts go through PyTorch's own restricted loader. Files that hold a whole network
object, as many published before 2019 do, go through the reader below: it rebuilds
tensors, turns every class that it does not know into an empty placeholder, and refuses
to call any function that it does not know. The network's own code is never imported.

Layout of the older container, after PyTorch's public serialisation code: five pickles
(magic number, version, machine, object, storage keys), then for each key its number of
elements (int64) and the raw elements. The newer one is a zip archive.
"""

import pickle
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any

import torch
from torch import Tensor

WRAPPERS = ("state_dict", "model_state_dict", "model", "params_ema", "params")
"""Entries under which training scripts keep the weights, the likeliest first."""

_MAGIC = 0x1950A86A20F9469CFC6C
_DTYPES = {
    "FloatStorage": torch.float32,
    "DoubleStorage": torch.float64,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}
# Calls into these packages are bookkeeping (devices, sizes, dates, scalars beside the
# weights): answered by a placeholder. A call into any other package is refused.
_BOOKKEEPING = {"torch", "numpy", "collections", "datetime", "_codecs"}
_BROKEN = (
    pickle.UnpicklingError,
    zipfile.BadZipFile,
    struct.error,
    EOFError,
    RuntimeError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    AssertionError,
    ImportError,
    OverflowError,
    MemoryError,  # a damaged length
)

Storage = Callable[[str, torch.dtype, int], Tensor]
"""Key, element type, number of elements -> the elements in one row."""


def read(path: Path) -> dict[str, Tensor]:
    """Read a file's weights by name, running none of the code that it may carry.

    Args:
        path: what `torch.save` wrote, of any age except the tar files of 2016: a state
            dict, a checkpoint that wraps one (see `WRAPPERS`), or a whole network.

    Returns:
        Dotted names as `state_dict()` gives them (a wrapper's own name is left out) to
        tensors on the CPU, without gradients.

    Raises:
        ValueError: the file is not PyTorch's, is cut short, holds no tensors, or asks
            for a call that is not part of rebuilding tensors.
    """
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except (*_BROKEN, OSError):  # what a zip archive cut short raises, too
        loaded = _read_object(path)
    try:
        tensors = dict(_named(_unwrapped(loaded), ""))
    except RecursionError as error:
        raise ValueError(f"{path}: an object in it contains itself") from error
    if not tensors:
        raise ValueError(f"{path}: holds no tensors")
    return tensors


def _unwrapped(loaded: object) -> object:
    """The weights within a checkpoint, or all that was loaded when nothing wraps it."""
    if isinstance(loaded, Mapping):
        for name in WRAPPERS:
            if isinstance(loaded.get(name), Mapping | _Placeholder):
                return loaded[name]
    return loaded


def _named(value: object, name: str) -> Iterator[tuple[str, Tensor]]:
    """Every tensor below `value`, with the dotted way to it."""
    parts: Iterator[tuple[object, object]] = iter(())
    if isinstance(value, Tensor):
        yield name, value.detach()
    elif isinstance(value, _Leaf):
        yield name, value.tensor
    elif isinstance(value, _Placeholder):
        parts = value.parts()
    elif isinstance(value, Mapping):
        parts = iter(value.items())
    elif isinstance(value, list | tuple):
        parts = iter(enumerate(value))
    for key, part in parts:
        yield from _named(part, f"{name}.{key}" if name else str(key))


def _read_object(path: Path) -> object:
    """Read a pickled object of either container with the inert reader."""
    try:
        with path.open("rb") as stream:
            zipped = stream.read(4) == b"PK\x03\x04"
            stream.seek(0)
            if zipped:
                with zipfile.ZipFile(stream) as archive:
                    return _read_zip(archive)
            return _read_legacy(stream, path.stat().st_size)
    except _BROKEN as error:
        raise ValueError(f"{path}: not readable as a PyTorch file: {error}") from error


def _read_zip(archive: zipfile.ZipFile) -> object:
    """The object of a zip container."""
    pickles = [name for name in archive.namelist() if name.endswith("/data.pkl")]
    if len(pickles) != 1:
        raise ValueError("the archive holds no data.pkl of its own")
    folder = pickles[0].removesuffix("/data.pkl")
    order = f"{folder}/byteorder"
    if order in archive.namelist() and archive.read(order) != b"little":
        raise ValueError("written on a big-endian machine")
    rows: dict[str, Tensor] = {}

    def storage(key: str, dtype: torch.dtype, numel: int) -> Tensor:
        if key not in rows:
            raw = bytearray(archive.read(f"{folder}/data/{key}"))
            if len(raw) != numel * dtype.itemsize:
                raise ValueError(f"storage {key}: {len(raw)} bytes, {numel} elements")
            rows[key] = torch.frombuffer(raw, dtype=dtype) if raw else _row(0, dtype)
        return rows[key]

    with archive.open(pickles[0]) as stream:
        return _Reader(stream, storage).load()


def _read_legacy(stream: IO[bytes], size: int) -> object:
    """The object of the older container, `size` bytes long."""
    rows: dict[str, Tensor] = {}

    def storage(key: str, dtype: torch.dtype, numel: int) -> Tensor:
        if not 0 <= numel * dtype.itemsize <= size:
            raise ValueError(f"storage {key}: {numel} elements in a file of {size} B")
        if key not in rows:
            rows[key] = _row(numel, dtype)
        return rows[key]

    if _Reader(stream, storage).load() != _MAGIC:
        raise ValueError("torch.save did not write it")
    _version = _Reader(stream, storage).load()
    machine = _Reader(stream, storage).load()
    if not (isinstance(machine, dict) and machine.get("little_endian", True)):
        raise ValueError("written on a big-endian machine")
    loaded = _Reader(stream, storage).load()
    for key in _Reader(stream, storage).load():
        _fill(rows[key], stream, key)
    return loaded


def _row(numel: int, dtype: torch.dtype) -> Tensor:
    return torch.zeros(numel, dtype=dtype)


def _fill(row: Tensor, stream: IO[bytes], key: str) -> None:
    """Read the next storage of the stream into its row."""
    (numel,) = struct.unpack("<q", stream.read(8))
    if numel != row.numel():
        raise ValueError(f"storage {key}: {numel} elements, not {row.numel()}")
    raw = stream.read(numel * row.itemsize)
    if len(raw) != numel * row.itemsize:
        raise ValueError(f"cut short within storage {key}")
    if raw:
        row.copy_(torch.frombuffer(bytearray(raw), dtype=row.dtype))


class _Leaf:
    """A tensor on its way out; nothing that a pickle does to it reaches the tensor."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor

    def __setstate__(self, state: object) -> None:
        """Gradient flags and hooks, which weights do without."""


class _PlaceholderType(type):
    """The type of placeholder classes. To call one runs nothing, or is refused."""

    origin = ""

    def __call__(cls, *args: object, **settings: object) -> Any:
        package, _, name = cls.origin.partition(".")
        if package not in _BOOKKEEPING or name.startswith("_utils._rebuild"):
            raise pickle.UnpicklingError(
                f"it asks to call {cls.origin}, which twinlens does not know; "
                "nothing was run"
            )
        return super().__call__()


class _Placeholder(metaclass=_PlaceholderType):
    """Stands for an object of a class that is never imported; keeps its state only."""

    state: Mapping[str, Any] = MappingProxyType({})

    def __new__(cls, *args: object, **settings: object) -> "_Placeholder":
        return object.__new__(cls)

    def __setstate__(self, state: object) -> None:
        if isinstance(state, dict):
            self.state = state

    def __setitem__(self, key: object, value: object) -> None:
        """Entries of an unknown container: not weights."""

    def extend(self, values: object) -> None:
        """Elements of an unknown container: not weights."""

    def parts(self) -> Iterator[tuple[object, object]]:
        """A network's own tensors and its children, by name; nothing of others."""
        for kind in ("_parameters", "_buffers", "_modules"):
            yield from dict(self.state.get(kind) or {}).items()


class _Call:
    """One of the functions that a pickle may call; it cannot be altered by it."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[..., object]) -> None:
        self._function = function

    def __call__(self, *args: Any) -> object:
        return self._function(*args)

    def __setstate__(self, state: object) -> None:
        """A pickle may not change what is called."""


def _tensor(
    row: Tensor, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: object
) -> _Leaf:
    """A view of a storage; PyTorch checks that it stays within."""
    if not isinstance(row, Tensor):
        raise ValueError("a tensor without a storage")
    return _Leaf(row.as_strided(tuple(size), tuple(stride), offset))


def _parameter(leaf: object, *_: object) -> object:
    return leaf


_CALLS: dict[str, Callable[..., object]] = {
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_parameter": _parameter,
    "torch._utils._rebuild_parameter_with_state": _parameter,
    "torch.nn.parameter.Parameter": _parameter,
    "collections.OrderedDict": OrderedDict,
    "builtins.set": set,
    "__builtin__.set": set,
}


class _Reader(pickle.Unpickler):
    """An unpickler that imports nothing."""

    def __init__(self, stream: IO[bytes], storage: Storage) -> None:
        # latin1 reads the byte strings of Python 2 pickles, whatever they hold
        super().__init__(stream, encoding="latin1")
        self._storage = storage

    def find_class(self, module: str, name: str) -> Any:
        origin = f"{module}.{name}"
        if origin in _CALLS:
            return _Call(_CALLS[origin])
        if module in ("torch", "torch.cuda") and name in _DTYPES:
            return _DTYPES[name]
        return _PlaceholderType(name, (_Placeholder,), {"origin": origin})

    def persistent_load(self, saved: Any) -> Any:
        kind, what, *rest = saved
        if kind == "module":  # a class, with its source code, which stays text
            return what
        if kind != "storage" or not isinstance(what, torch.dtype):
            raise pickle.UnpicklingError(f"an unknown part: {kind} of {what}")
        key, _device, numel, *views = rest
        row = self._storage(str(key), what, int(numel))
        if views and views[0] is not None:
            _, offset, length = views[0]
            return row.narrow(0, offset, length)
        return row
