"""Things that are found by their names: networks, backbones, kinds of data sets.

The file's name is the thing's name; there is nothing to register.
"""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType

SOURCE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Package:
    """A package whose files are found by name."""

    dotted: str
    """Below `twinlens`, such as "recognition.backbones"."""
    what: str
    """What its files are called in errors."""

    @property
    def folder(self) -> Path:
        """Where its files lie."""
        return SOURCE.joinpath(*self.dotted.split("."))

    def file(self, name: str) -> Path:
        """Where a file of it lies."""
        return self.folder / f"{name}.py"

    def names(self) -> list[str]:
        """List its files by name, but for those that begin with `_`."""
        files = self.folder.glob("*.py")
        return sorted(file.stem for file in files if not file.stem.startswith("_"))

    def dotted_name(self, name: str) -> str:
        """The module of a file, for the digest of code."""
        return f"twinlens.{self.dotted}.{name}"

    def module(self, name: str) -> ModuleType:
        """Import a file.

        Raises:
            ValueError: there is no such file; those there are, are listed.
        """
        known = name.isidentifier() and not name.startswith("_")
        if not known or not self.file(name).is_file():
            there = ", ".join(self.names())
            raise ValueError(f"no {self.what} {name!r}; there are: {there}")
        return import_module(self.dotted_name(name))


def nearest(word: object, known: Iterable[str]) -> str:
    """The known word that is nearest to another, or all there are, to end a line."""
    near = difflib.get_close_matches(str(word), list(known), n=1, cutoff=0.5)
    if near and word is not None:
        return f"; did you mean {near[0]!r}?"
    return f"; there are: {', '.join(sorted(known))}"
