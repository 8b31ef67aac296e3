"""What the stages of `flow` do, typed."""

from typing import Any

import numpy as np
from pydantic.dataclasses import dataclass

from twinlens.recognisers import FlowForm, Indices, Sampler
from twinlens.settings import STRICT, Count, Few


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class FlowJob:
    """A shard's flow to compute, as a recogniser reads it."""

    dataset: str
    method: str
    """Whose frames the flow is of."""
    sampler: Sampler
    """Which flows the recogniser reads."""
    form: FlowForm
    """How it is stored."""
    estimator: dict[str, Any]
    """What of that entry decides the flow, see `twinlens.flow.estimators`."""
    excluded: tuple[Sampler, ...] = ()
    """Recognisers whose flow of this form is stored elsewhere, and not here again."""

    @property
    def modules(self) -> list[str]:
        """The modules that choose the flows, for the digest of code."""
        return sorted({each.module for each in [self.sampler, *self.excluded]})

    def flows(self, total: int, clip: str) -> Indices:
        """The flows to compute, ascending, each once.

        Args:
            total: frames of the clip.
            clip: its name.
        """
        own = self.sampler.flows(total, clip)
        for each in self.excluded:
            own = np.setdiff1d(own, each.flows(total, clip))
        return own


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class MotionJob:
    """Motion of a shard's originals to estimate, in pixels."""

    dataset: str
    flow: str
    """The entry of `flows`, by its name in the config."""
    estimator: dict[str, Any]
    """What of that entry decides the flow."""
    pairs: Count
    """Pairs of frames of each clip, at most."""
    gap: Few
    """Frames from a pair's first to its second."""
    sampler: Sampler | None
    """Of test clips, the recogniser from whose flows the pairs are chosen."""
    seed: int
    """Draws a corpus's pairs."""


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class FlowErrorJob:
    """End-point errors to measure on generated pairs."""

    estimators: dict[str, dict[str, Any]]
    """What decides the flow of each, by its label."""
    seed: int
    """Of FlowNet2's training; the held-out pairs have another that comes from it."""
    pairs: Count = 60
    """Of each motion."""
