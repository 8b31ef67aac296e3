"""Things that are found by their names: networks, backbones, kinds of data sets.

The file's name is the thing's name; there is nothing to register.
"""

import difflib
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from types import ModuleType


def names(package: Path) -> list[str]:
    """The files of a package's folder by name, but for those that begin with `_`."""
    files = package.glob("*.py")
    return sorted(file.stem for file in files if not file.stem.startswith("_"))


def module(package: Path, dotted: str, name: str, what: str) -> ModuleType:
    """Import a file of a package.

    Args:
        package: its folder.
        dotted: its name, such as "twinlens.models".
        name: of the file, one of `names(package)`.
        what: such things are called, for the error.

    Raises:
        ValueError: there is no such file; those there are, are listed.
    """
    known = name.isidentifier() and not name.startswith("_")
    if not known or not (package / f"{name}.py").is_file():
        there = ", ".join(names(package))
        raise ValueError(f"no {what} {name!r}; there are: {there}")
    return import_module(f"{dotted}.{name}")


def nearest(word: object, known: Iterable[str]) -> str:
    """The known word that is nearest to another, or all there are, to end a line."""
    near = difflib.get_close_matches(str(word), list(known), n=1, cutoff=0.5)
    if near and word is not None:
        return f"; did you mean {near[0]!r}?"
    return f"; there are: {', '.join(sorted(known))}"
