"""An unpickler that imports nothing, in the shape of the module `pickle`.

It rebuilds tensors and plain containers, turns every class that it does not know into
an empty placeholder, and refuses to call any function that it does not know.
"""

import pickle
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor

# Calls into these packages are bookkeeping (devices, sizes, dates, scalars beside the
# weights): answered by a placeholder. A call into any other package is refused.
_BOOKKEEPING = {"torch", "numpy", "collections", "datetime", "_codecs"}


class Unpickler(pickle.Unpickler):
    """Finds placeholders where pickle would import."""

    def find_class(self, module: str, name: str) -> Any:
        """Return one of the known functions, or a new placeholder class."""
        origin = f"{module}.{name}"
        if origin in _CALLS:
            return _Call(_CALLS[origin])
        return _PlaceholderType(name, (Placeholder,), {"origin": origin})


def load(file: Any, **settings: Any) -> Any:
    """Read one object, as `pickle.load` does."""
    return Unpickler(file, **settings).load()


class Leaf:
    """A rebuilt tensor; nothing that a pickle does to it reaches the tensor."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor

    def __setstate__(self, state: object) -> None:
        """Drop gradient flags and hooks, which weights do without."""


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


class Placeholder(metaclass=_PlaceholderType):
    """Stands for an object of a class that is never imported; keeps its state only."""

    # PyTorch writes patch files for classes that say True.
    dump_patches = False
    state: Mapping[str, Any] = MappingProxyType({})

    def __new__(cls, *args: object, **settings: object) -> "Placeholder":
        """Take and drop whatever the class of the file's writer would take."""
        return object.__new__(cls)

    def __setstate__(self, state: object) -> None:
        if isinstance(state, dict):
            self.state = state

    def __setitem__(self, key: object, value: object) -> None:
        """Drop entries of an unknown container: they are no weights."""

    def extend(self, values: object) -> None:
        """Drop elements of an unknown container: they are no weights."""

    def children(self) -> Iterator[tuple[object, object]]:
        """Yield a network's own tensors and its children by name; nothing of others."""
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
        """Keep what is called."""


def _tensor(
    storage: Any, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: Any
) -> Leaf:
    """View a storage; unlike PyTorch's own, this never enlarges one that is short."""
    row = torch.empty(0, dtype=storage.dtype).set_(storage)
    return Leaf(row.as_strided(tuple(size), tuple(stride), offset))


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
