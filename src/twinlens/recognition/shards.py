"""Snippets of clips, read from shards of frames or flow.

A snippet is a BGR frame, uint8 (3, H, W), or a stack of flows, uint8 (2 * stack, H, W):
x and y of the first flow, x and y of the next.
"""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twinlens.artifacts import reader
from twinlens.artifacts.reader import Clip
from twinlens.artifacts.table import read_csv
from twinlens.errors import ArtifactError
from twinlens.protocol import (
    Indices,
    Protocol,
    flow_stacks,
    rgb_frames,
    train_stacks,
)
from twinlens.recognition.views import Images, Views, recode_flow, recode_rgb

SPATIAL, TEMPORAL = "spatial", "temporal"
KINDS = {SPATIAL: "frames/1", TEMPORAL: "flow/1"}
NAMES = {SPATIAL: "frames", TEMPORAL: "flow"}


class Snippets:
    """Snippets of one stream over several shards; use as a context manager.

    Args:
        shards: HDF5 "frames/1" for the spatial stream, "flow/1" for the temporal.
        reports: csv of each shard's clips.
        stream: "spatial" or "temporal".
        protocol: how clips are sampled.
        views: how images are recoded.
        seed: as given to `frames`: it drew the training positions.
        expected: what the shards must say of themselves: dataset, method, part.
        cache_bytes: if all images fit here, they are recoded once and kept in memory.
    """

    def __init__(
        self,
        shards: Sequence[Path],
        reports: Sequence[Path],
        stream: str,
        protocol: Protocol,
        views: Views,
        seed: int = 0,
        expected: Mapping[str, Any] | None = None,
        cache_bytes: int = 0,
    ) -> None:
        self.shards, self.stream = shards, stream
        self.protocol, self.views, self.seed = protocol, views, seed
        self.expected, self.cache_bytes = expected or {}, cache_bytes
        self._cache: dict[str, Images] = {}
        self._reports = [read_csv(path, "report/1") for path in reports]
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Open and verify all shards."""
        kind = KINDS[self.stream]
        self._where: dict[str, Clip] = {}
        for path in self.shards:
            opened = reader.open(path, kind, **self.expected)
            file = self._stack.enter_context(opened)
            for name in file.clips:
                self._where[name] = file.clip(name)
        if lacking := sorted(set(self.rows["clip"]) - set(self._where)):
            raise ArtifactError(
                f"{', '.join(map(str, self.shards))}: hold no clip {lacking[0]}, which"
                " the reports list: they are of other shards"
            )
        stored = (clip[NAMES[self.stream]] for clip in self._where.values())
        size = sum(array.nbytes for array in stored)
        self._keep = size <= self.cache_bytes
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close them."""
        self._stack.__exit__(kind, error, trace)

    @cached_property
    def rows(self) -> pd.DataFrame:
        """The clips that are there, with label and number of frames."""
        rows = pd.concat(self._reports, ignore_index=True)
        rows = rows[rows["status"] == "ok"].reset_index(drop=True)
        return rows.astype({"label": int, "frames": int})

    def test(self, clip: str, frames: int) -> tuple[Images, NDArray[np.int64]]:
        """The distinct snippets of a test clip.

        Returns:
            uint8 (n, C, H, W), and for each of the protocol's snippets its place
            among them: repeats of short clips are then computed once.
        """
        if self.stream == SPATIAL:
            wanted = rgb_frames(frames, self.protocol)[:, None]
        else:
            wanted = flow_stacks(frames, self.protocol)
        distinct, place = np.unique(wanted, axis=0, return_inverse=True)
        return self._stacks(clip, distinct), place.reshape(-1)

    def train(self, clip: str, frames: int, rng: np.random.Generator) -> Images:
        """One random snippet of each segment: uint8 (segments, C, H, W)."""
        stacks = train_stacks(frames, self.protocol, clip, self.seed)
        position = rng.integers(stacks.shape[1], size=len(stacks))
        chosen = stacks[np.arange(len(stacks)), position]
        if self.stream == SPATIAL:
            # Any frame that the stack touches is stored.
            step = rng.integers(chosen.shape[1] + 1, size=len(chosen))
            chosen = np.minimum(chosen[:, :1] + step[:, None], chosen[:, -1:] + 1)
        return self._stacks(clip, chosen)

    def _stacks(self, clip: str, wanted: Indices) -> Images:
        """Images at these places of a clip, (n, depth) to (n, C, H, W)."""
        rows = self._where[clip].rows(wanted)
        distinct, place = np.unique(rows, return_inverse=True)
        taken = self._images(clip, distinct)[place.reshape(rows.shape)]
        return taken.reshape(len(wanted), -1, *taken.shape[-2:])

    def _images(self, clip: str, rows: Indices) -> Images:
        """Recoded images at ascending rows; clips are kept if all fit."""
        stored = self._where[clip][NAMES[self.stream]]
        if not self._keep:
            return self._recoded(stored[rows])
        if clip not in self._cache:
            self._cache[clip] = self._recoded(stored[:])
        return self._cache[clip][rows]

    def _recoded(self, images: Images) -> Images:
        if self.stream == SPATIAL:
            return recode_rgb(images, self.views)
        return recode_flow(images, self.views)
