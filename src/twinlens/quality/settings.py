"""What the stage of `quality` measures, typed."""

from pydantic.dataclasses import dataclass

from twinlens.recognisers import Sampler
from twinlens.settings import STRICT


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Measurement:
    """A method's shard to compare with the originals."""

    dataset: str
    method: str
    flow: str
    """The entry of `flows` that estimated the originals' motion."""
    sampler: Sampler
    """The recogniser whose frames are compared."""
    consistency: bool
    """Whether to measure the warping error, which needs the frames of its flow."""
