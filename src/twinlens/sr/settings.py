"""What the stage of `sr` does, typed."""

from typing import Any

from pydantic.dataclasses import dataclass

from twinlens.recognisers import Reading
from twinlens.settings import STRICT


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Enlargement:
    """A shard to super-resolve by one method."""

    dataset: str
    method: str
    """The method, by its name in the config."""
    model: str
    """The file in `twinlens.models` that does it."""
    settings: dict[str, Any]
    """Arguments of the model's `build`."""
    reading: Reading
    """Which frames to enlarge of a clip."""
