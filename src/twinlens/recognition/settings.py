"""What the stage that scores clips does, typed."""

from typing import Any

from pydantic.dataclasses import dataclass

from twinlens.recognisers import Sampler
from twinlens.settings import STRICT


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Scoring:
    """A shard of test clips to score by a recogniser."""

    dataset: str
    row: str
    """A method, or "a+b" for frames of a with flow of b."""
    frames_of: str
    """The method whose frames are read."""
    flow_of: str
    """The method whose flow is read."""
    sampler: Sampler
    """Recogniser, and the frames that it reads."""
    heads: tuple[str, ...]
    """What is scored."""
    networks: tuple[str, ...]
    """The networks' names within the recogniser, in the order of their files."""
    scoring: dict[str, Any]
    """What of the recogniser's settings decides its scores."""
