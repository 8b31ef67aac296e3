"""What an import or a trial of settings takes, typed; imports no PyTorch."""

from dataclasses import field
from typing import Any, Literal

from pydantic.dataclasses import dataclass

from twinlens.settings import STRICT


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Import:
    """A published weight file to import; an entry `weights` of the config."""

    family: Literal["sr", "recogniser", "two_stream", "flow", "perceptual"]
    """The family of the network, see `twinlens.networks`."""
    kind: str
    """The file of the family that builds it."""
    network: str
    """Its name in the config."""
    settings: dict[str, Any] = field(default_factory=dict)
    """Arguments of the file's `build`; the published file determines others."""
    dataset: str | None = None
    """Of a recogniser: the data set that it was trained on."""
    stream: str | None = None
    """Of a recogniser: what it reads."""


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Build:
    """A network that a world builds."""

    where: str
    """Its place in the config."""
    family: str
    kind: str
    """The file of the family that builds it."""
    settings: dict[str, Any]
    """Arguments of the file's `build`."""
