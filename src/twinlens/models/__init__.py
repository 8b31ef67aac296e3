"""Super-resolution methods: one file each, found by its name.

A file has `build(**settings)`, which gives a callable from low-resolution frames, uint8
(T, h, w, 3), to enlarged ones, uint8 (T, 4h, 4w, 3).
"""

import importlib
import pkgutil
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Frames = NDArray[np.uint8]


def names() -> list[str]:
    """The methods' files that there are."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def build(name: str, **settings: Any) -> Callable[[Frames], Frames]:
    """Make a method ready to enlarge clips.

    Raises:
        ValueError: there is no file of this name.
    """
    if name not in names():
        raise ValueError(f"no super-resolution model {name!r}; there are: {names()}")
    made: Callable[[Frames], Frames] = importlib.import_module(
        f"twinlens.models.{name}"
    ).build(**settings)
    return made
