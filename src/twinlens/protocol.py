"""Which frames a recogniser reads: known before anything is super-resolved.

All indices here count from 0 in the decoded clip. Flow `i` goes from frame `i` to
`i + 1`.

The published frames were extracted by a tool that writes no file for the first frame
(image n is frame n counted from 0; flow n goes from frame n - 1 to n), and TSN's
`eval_net.py` counts those files. `ticks` repeats its arithmetic, 1-based; the
functions below translate.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinlens import provenance

Indices = NDArray[np.int64]
STREAMS = ("spatial", "temporal")


@dataclass(frozen=True, kw_only=True, slots=True)
class Protocol:
    """How clips are sampled; the config's `recogniser.sampling`, typed."""

    snippets: int = 25
    """RGB frames and flow stacks of a test clip."""
    stack: int = 5
    """Consecutive flows in a stack."""
    segments: int = 3
    """Segments of a training clip; one snippet is drawn from each."""
    positions: int = 1
    """Snippets that are kept for each segment of a training clip."""

    def settings(self) -> dict[str, Any]:
        """The fields as a mapping, for an artifact's `about`."""
        return asdict(self)


def ticks(count: int, depth: int, snippets: int) -> list[int]:
    """1-based starts of the snippets, as TSN's `eval_net.py` takes them.

    Args:
        count: images of the clip (its frames less one).
        depth: 1 for RGB, the stack's length for flow.
        snippets: how many to take.

    Returns:
        `snippets` starts; all 1 if the clip is too short for a whole step.
    """
    # ASSUME: paper section 4.4 says "25 frames ... as recommended in [35]"; with one
    # snippet the published rule divides by zero, and the first tick serves.
    step = (count - depth) // max(1, snippets - 1)
    if step <= 0:
        return [1] * snippets
    return [1 + step * number for number in range(snippets)]


def rgb_frames(frames: int, protocol: Protocol) -> Indices:
    """The RGB frame of each snippet of a test clip: (snippets,), repeats included."""
    found = ticks(frames - 1, 1, protocol.snippets)
    return np.array([min(tick, frames - 1) for tick in found])


def flow_stacks(frames: int, protocol: Protocol) -> Indices:
    """The flows of each snippet of a test clip: (snippets, stack), repeats included."""
    starts = ticks(frames - 1, protocol.stack, protocol.snippets)
    steps = np.arange(protocol.stack)
    return np.minimum(np.array(starts)[:, None] + steps, frames - 1) - 1


def train_stacks(frames: int, protocol: Protocol, clip: str, seed: int) -> Indices:
    """The flows kept of a training clip: (segments, positions, stack).

    Each segment gives `positions` random starts, as TSN's training draws them anew in
    every epoch; drawing them once bounds the flow that must be computed.
    """
    flows = frames - 1
    length = max(1, (flows - protocol.stack + 1) // protocol.segments)
    rng = np.random.default_rng(provenance.seed(seed, "train stacks", clip))
    offsets = rng.integers(length, size=(protocol.segments, protocol.positions))
    starts = np.arange(protocol.segments)[:, None] * length + offsets
    steps = np.arange(protocol.stack)
    return np.minimum(starts[..., None] + steps, flows - 1)


def read_flows(
    frames: int, part: str, protocol: Protocol, clip: str, seed: int
) -> Indices:
    """All flows that the recogniser reads of a clip, ascending, each once."""
    if part == "test":
        return np.unique(flow_stacks(frames, protocol))
    return np.unique(train_stacks(frames, protocol, clip, seed))


def read_frames(
    frames: int,
    part: str,
    protocol: Protocol,
    clip: str,
    seed: int,
    streams: Sequence[str] = STREAMS,
) -> Indices:
    """All frames that the recogniser or its flows read of a clip, ascending, once.

    Args:
        frames: of the clip.
        part: "test", or "train".
        protocol: how the clip is sampled.
        clip: its name.
        seed: draws the training positions.
        streams: whose frames; of training clips both read those of flows.
    """
    found = []
    if part != "test" or "temporal" in streams:
        flows = read_flows(frames, part, protocol, clip, seed)
        found += [flows, flows + 1]
    if part == "test" and "spatial" in streams:
        found.append(rgb_frames(frames, protocol))
    return np.unique(np.concatenate(found))


def with_neighbours(wanted: Indices, around: int, frames: int) -> Indices:
    """Frames and those up to `around` before and after each, within the clip."""
    reach = np.arange(-around, around + 1)
    near = (wanted[:, None] + reach).ravel()
    return np.unique(near[(near >= 0) & (near < frames)])
