"""FlowNet2 on RGB frames (Ilg et al., CVPR 2017), see `twinlens.flow.flownet2`."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from twinlens.flow.estimators import Estimator
from twinlens.flow.flownet2.recipe import Recipe
from twinlens.settings import STRICT, DataPath

if TYPE_CHECKING:
    from torch import Tensor, nn

NETWORK = "flownet2"
OF_TRAINING = ("width", "recipe")


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Settings:
    """FlowNet2, published or a narrow one that is trained."""

    kind: Literal["flownet2"]
    label: str = "FlowNet2"
    """Name in the tables."""
    weights: DataPath | None = None
    """A published file (.pth.tar, .caffemodel.h5); null trains a narrow one."""
    width: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Fraction of the published channels; 1 with published weights."""
    recipe: Recipe = Recipe()
    """How the narrow one is trained."""

    def __post_init__(self) -> None:
        """Refuse published weights of another width.

        Raises:
            ValueError: naming the width.
        """
        if self.weights and self.width != 1:
            raise ValueError(
                f"published weights are of width 1, not {self.width:g}; set width to 1,"
                " or weights to null"
            )


def build(**settings: Any) -> "nn.Module":
    """Build the network with random weights."""
    from twinlens.flow.flownet2 import cascade

    return cascade.build(**settings)


def convert(found: Mapping[str, Any]) -> "dict[str, Tensor]":
    """Convert a published file, see `twinlens.flow.flownet2.published`."""
    from twinlens.flow.flownet2 import published

    return published.convert(found)


def load(settings: Settings, network: Path | None, threads: int) -> Estimator:
    """Load FlowNet2 with an artifact's weights."""
    from twinlens.flow.flownet2.cascade import estimate
    from twinlens.networks import artifact
    from twinlens.networks.device import device, repeatable

    assert network is not None
    repeatable(threads)
    loaded = artifact.load(network, "flow", kind="flownet2").to(device())
    return partial(estimate, loaded)
