"""Which clips a data set has, how they are called and how splits deal them out."""

from dataclasses import dataclass
from math import ceil

from twinlens.errors import DataError
from twinlens.media.playground import sets
from twinlens.media.settings import Generated

SPLITS = (1, 2, 3)


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """One clip of a data set."""

    label: str
    """Class name; empty where there are no classes."""
    group: int
    """From 1; clips of one group, and they alone, share a background."""
    clip: int
    """From 1, within the class and group."""

    @property
    def path(self) -> str:
        """Where the video lies below `videos/`."""
        if not self.label:
            return f"v_g{self.group:03d}.avi"
        return f"{self.label}/v_{self.label}_g{self.group:02d}_c{self.clip:02d}.avi"


def labels(settings: Generated) -> list[str]:
    """List the data set's classes in the order of their numbers.

    Raises:
        DataError: one is not of its family.
    """
    known = sorted(sets.ACTIONS[settings.set])
    if unknown := set(settings.classes or ()) - set(known):
        raise DataError(f"no class {sorted(unknown)}; there are {known}")
    return sorted(settings.classes or known)


def sizes(settings: Generated) -> list[int]:
    """Count the clips of a class in each group, the test groups of split 1 first."""
    return [*_even(settings.test), *_even(settings.train)]


def _even(clips: int) -> list[int]:
    """Deal clips to as few groups as possible, as evenly as possible."""
    groups = ceil(clips / sets.CLIPS_A_GROUP)
    return [clips // groups + (rank < clips % groups) for rank in range(groups)]


def members(settings: Generated) -> list[Member]:
    """List all clips, group by group, so that a background is drawn once."""
    if settings.kind != "action":
        return [Member(label="", group=1 + i, clip=1) for i in range(settings.clips)]
    return [
        Member(label=label, group=group, clip=clip)
        for group, size in enumerate(sizes(settings), 1)
        for label in labels(settings)
        for clip in range(1, size + 1)
    ]


def test_groups(settings: Generated, split: int) -> set[int]:
    """Select the groups held out in a split; each split holds out the next so many."""
    held, count = len(_even(settings.test)), len(sizes(settings))
    return {1 + ((split - 1) * held + i) % count for i in range(held)}
