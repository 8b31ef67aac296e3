"""Settings of the stage of `degrade`, typed."""

from pydantic.dataclasses import dataclass

from twinlens.settings import STRICT


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Degradation:
    """A shard of frames to shrink."""

    dataset: str
    scale: int = 4
    """How many times smaller each side becomes (paper section 4.2)."""
