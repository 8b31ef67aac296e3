"""Read patches at random from several shards, in as many processes as one likes."""

import os
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinlens.artifacts import reader
from twinlens.errors import ArtifactError
from twinlens.patches.settings import PATCHES, Split
from twinlens.patches.split import held_out, is_held_out


class Patches:
    """The training or the validation patches of a set; `patches[i]` is one of them.

    A patch is a mapping of the arrays that `wanted` names, as `patches.stage.patches`
    describes them, without their first axis. Files are opened by the process that
    reads: HDF5's handles do not survive a fork.

    Args:
        shards: HDF5 "patches/1".
        name: of the patch set.
        split: what is held out.
        seed: of the split.
        validation: the patches that are held out, or else all others.
        wanted: arrays to read of a patch.

    Raises:
        ArtifactError: a shard is not whole, or no patch is left.
    """

    def __init__(
        self,
        shards: Sequence[Path],
        name: str,
        split: Split,
        seed: int,
        *,
        validation: bool,
        wanted: Sequence[str],
    ) -> None:
        self.shards, self.name, self.wanted = list(shards), name, list(wanted)
        self._process = -1
        self._entries: list[tuple[int, str, int]] = []
        frames: dict[tuple[int, str], NDArray[np.int32]] = {}
        for number, path in enumerate(self.shards):
            with reader.open(path, PATCHES, patches=name) as file:
                for clip in file.clips:
                    frames[number, clip] = file.clip(clip)["frame"][:]
        counts = {clip: len(first) for (_, clip), first in frames.items()}
        held = held_out(counts, split, seed)
        for (number, clip), first in frames.items():
            mine = is_held_out(clip, first, held, split, seed) == validation
            self._entries += [(number, clip, int(row)) for row in np.flatnonzero(mine)]
        if not self._entries:
            part = "validation" if validation else "training"
            raise ArtifactError(
                f"{', '.join(map(str, shards))}: no {part} patch is left; the counts"
                " beside them say why, patches.* in the config what is asked"
            )

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, index: int) -> dict[str, NDArray[Any]]:
        self._open()
        number, clip, row = self._entries[index]
        if (number, clip) not in self._groups:
            group = self._files[number].clip(clip)
            if lacking := [key for key in self.wanted if key not in group]:
                raise ArtifactError(
                    f"{self.shards[number]}: its patches have no {', '.join(lacking)};"
                    " pairs have flow, single frames speed: name another patch set"
                )
            self._groups[number, clip] = {key: group[key] for key in self.wanted}
        stored = self._groups[number, clip]
        return {key: each[row] for key, each in stored.items()}

    def _open(self) -> None:
        """Open the shards, once in each process."""
        if self._process == os.getpid():
            return
        self._stack = ExitStack()
        self._groups: dict[tuple[int, str], dict[str, reader.Array]] = {}
        opened = (reader.open(path, PATCHES, patches=self.name) for path in self.shards)
        self._files = [self._stack.enter_context(each) for each in opened]
        self._process = os.getpid()

    def __getstate__(self) -> dict[str, Any]:
        """Leave out open files, which stay with their process."""
        shared = {"shards", "name", "wanted", "_entries"}
        return {key: vars(self)[key] for key in shared} | {"_process": -1}
