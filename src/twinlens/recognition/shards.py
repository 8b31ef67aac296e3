"""Read snippets of clips from shards of frames or flow.

A snippet is a BGR frame, uint8 (3, H, W), or a stack of flows, uint8 (2 * stack, H, W):
x and y of the first flow, x and y of the next.
"""

import math
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import numpy as np

from twinlens.artifacts import reader
from twinlens.artifacts.reader import Clip, JoinedClip
from twinlens.recognisers import Indices, Recoding
from twinlens.recognition.recode import Images, recode_flow, recode_rgb

SPATIAL, TEMPORAL = "spatial", "temporal"
CACHE = 2 << 30
"""Bytes of a stream's images that are kept in memory, if all fit."""
KINDS = {SPATIAL: "frames/1", TEMPORAL: "flow/1"}
NAMES = {SPATIAL: "frames", TEMPORAL: "flow"}


def recoded(clip: JoinedClip, stream: str, wanted: Indices, views: Recoding) -> Images:
    """Recode snippets of a clip as the recogniser's own extraction stores them.

    Args:
        clip: of "frames/1" or "flow/1".
        stream: spatial or temporal.
        wanted: (n, depth), indices of frames or flows.
        views: how images are recoded.

    Returns:
        uint8 (n, C, H, W); an image that several snippets have is recoded once.
    """
    distinct, image = np.unique(wanted, return_inverse=True)
    images = _recode(clip.at(NAMES[stream], distinct), stream, views)
    taken = images[image.reshape(wanted.shape)]
    return taken.reshape(len(wanted), -1, *taken.shape[-2:])


def _recode(images: Images, stream: str, views: Recoding) -> Images:
    return (recode_rgb if stream == SPATIAL else recode_flow)(images, views)


class Labelled(NamedTuple):
    """A training clip."""

    name: str
    frames: int
    """How many it has, stored or not."""
    label: int


class Snippets:
    """Training clips of one stream over several shards; use as a context manager.

    Args:
        shards: HDF5 "frames/1" for the spatial stream, "flow/1" for the temporal.
        stream: "spatial" or "temporal".
        views: how images are recoded.
        expected: what the shards must say of themselves: dataset, method, part.
        cache_bytes: if all images fit here, they are recoded once and kept in memory.
    """

    def __init__(
        self,
        shards: Sequence[Path],
        stream: str,
        views: Recoding,
        expected: Mapping[str, Any],
        cache_bytes: int = 0,
    ) -> None:
        self.shards, self.stream, self.views = shards, stream, views
        self.expected, self.cache_bytes = expected, cache_bytes
        self._cache: dict[str, Images] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Open and verify all shards."""
        kind = KINDS[self.stream]
        parts: dict[str, list[Clip]] = {}
        for path in self.shards:
            opened = reader.open(path, kind, **self.expected)
            file = self._stack.enter_context(opened)
            for name in file.clips:
                parts.setdefault(name, []).append(file.clip(name))
        self._clips = {name: JoinedClip(each) for name, each in parts.items()}
        self.rows = [
            Labelled(name, int(clip.facts["frames"]), int(clip.facts["label"]))
            for name, clip in self._clips.items()
        ]
        stored = (p[NAMES[self.stream]] for each in parts.values() for p in each)
        self._keep = sum(map(self._recoded_bytes, stored)) <= self.cache_bytes
        return self

    def _recoded_bytes(self, stored: Any) -> int:
        """Bytes of images (n, ...) when they are recoded, at the size of the views."""
        channels = 3 if self.stream == SPATIAL else 2
        size = self.views.size
        return len(stored) * channels * math.prod(size) if size else int(stored.nbytes)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close them."""
        self._stack.__exit__(kind, error, trace)

    def draw(self, clip: str, stacks: Indices, rng: np.random.Generator) -> Images:
        """Draw one random snippet of each segment: uint8 (segments, C, H, W).

        Args:
            clip: its name.
            stacks: (segments, positions, stack), the flows that are kept of it.
            rng: draws position and, of the spatial stream, the frame.
        """
        position = rng.integers(stacks.shape[1], size=len(stacks))
        chosen = stacks[np.arange(len(stacks)), position]
        if self.stream == SPATIAL:
            # Any frame that the stack touches is stored.
            step = rng.integers(chosen.shape[1] + 1, size=len(chosen))
            chosen = np.minimum(chosen[:, :1] + step[:, None], chosen[:, -1:] + 1)
        return self.at(clip, chosen)

    def at(self, name: str, wanted: Indices) -> Images:
        """Read images (n, C, H, W) at indices (n, depth); all are kept if they fit."""
        clip = self._clips[name]
        if not self._keep:
            return recoded(clip, self.stream, wanted, self.views)
        if name not in self._cache:
            images = clip.at(NAMES[self.stream], clip.index)
            self._cache[name] = _recode(images, self.stream, self.views)
        taken = self._cache[name][clip.rows(wanted)]
        return taken.reshape(len(wanted), -1, *taken.shape[-2:])
