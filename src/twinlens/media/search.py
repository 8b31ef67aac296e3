"""Search a folder for videos: what is there is taken, or counted with the reason."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from twinlens.errors import DataError, message
from twinlens.media.settings import SUFFIXES

EXAMPLES = 2
"""Names that a line about many gives."""
KEEPERS = frozenset(
    ["__MACOSX", "@eaDir", "$RECYCLE.BIN", "System Volume Information", "lost+found"]
)
"""Folders that systems keep among people's files."""
MOST = 1_000_000
"""Files and folders that are looked at; links can make a few look like any number."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a folder holds."""

    root: Path
    videos: list[Path] = field(default_factory=list)
    """What is taken for a video by its name."""
    left_out: dict[str, list[Path]] = field(default_factory=dict)
    """All else, by the reason."""

    def leave_out(self, path: Path, reason: str) -> None:
        """Count what is not taken."""
        self.left_out.setdefault(reason, []).append(path)

    def of_classes(self) -> list[Path]:
        """Take the videos that lie in a folder of a class, and leave out the others."""
        taken = []
        for path in self.videos:
            if path.parent.parent == self.root:
                taken.append(path)
            else:
                self.leave_out(path, message("not in a folder of the class's name"))
        return taken

    def lines(self) -> list[str]:
        """Say what is left out, a line for each reason."""
        return [self._line(reason, paths) for reason, paths in self.left_out.items()]

    def _line(self, reason: str, paths: list[Path]) -> str:
        names = [str(path.relative_to(self.root)) for path in paths[:EXAMPLES]]
        more = ", ..." if len(paths) > EXAMPLES else ""
        return message(
            f"{len(paths)} left out of {self.root}, {reason}: {', '.join(names)}{more}"
        )


def search(root: Path) -> Found:
    """Search a folder and all below it; links are followed, but not round in circles.

    Raises:
        DataError: a folder can't be read, or there is no end of them.
    """
    found, seen = Found(root), itertools.count()
    found.videos.extend(sorted(_below(root, frozenset(), found, seen)))
    return found


def _below(
    folder: Path, around: frozenset[Path], found: Found, seen: Iterator[int]
) -> Iterator[Path]:
    """Yield the videos below a folder that was entered through those `around` it."""
    try:
        around |= {folder.resolve()}
        for path in sorted(folder.iterdir()):
            if next(seen) >= MOST:
                raise DataError(
                    f"{found.root}: more than {MOST:,} files and folders, which links"
                    " may repeat: name a folder that holds the videos alone"
                )
            if reason := _reason(path, around):
                found.leave_out(path, reason)
            elif path.suffix.lower() in SUFFIXES:
                yield path
            else:
                yield from _below(path, around, found, seen)
    except OSError as error:
        where, what = error.filename or folder, error.strerror or error
        raise DataError(f"{where}: can't be read: {what}") from error


def _reason(path: Path, around: frozenset[Path]) -> str:
    """Why a file or folder is not looked at; "" if it is."""
    if path.name.startswith("."):
        return message("hidden")
    if path.name in KEEPERS:
        return message("kept by the system")
    if path.suffix.lower() in SUFFIXES:
        return ""  # a folder of such a name too: it is rejected as a clip
    if not path.is_dir():
        return message("of no known kind of video")
    target = path.resolve()
    inside = any(each.is_relative_to(target) for each in around)
    return message("links to a folder around them") if inside else ""
