"""ResNet in MSRA's layout: bottlenecks whose first 1x1 convolution has the stride.

He et al. (CVPR 2016), as Caffe's published ResNet-50 is laid out and MatConvNet
imported it; torchvision's has the stride in the 3x3 convolution and pads its first
pooling symmetrically, so their weights do not fit each other.

Legend: N images, C channels, H W pixels, K classes.
"""

import re
import string
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from twinlens.weights import matconvnet

FIRST_CONV = "conv1"
"""The convolution that sees the input, for cross-modality initialisation."""
EXPANSION = 4
STAGES = (2, 3, 4, 5)
"""As MSRA numbers them; the first convolution is stage 1."""
EPS = 1e-5
MEAN_RGB: tuple[float, ...] = (123.68, 116.779, 103.939)
"""ImageNet's, which networks are trained with that state no other."""


class Block(nn.Module):
    """A bottleneck: relu(shortcut(x) + branch(x))."""

    def __init__(self, inputs: int, width: int, stride: int, project: bool) -> None:
        """Lay out the layers.

        Args:
            inputs: channels that come in.
            width: channels of the bottleneck; four times as many come out.
            stride: of the first 1x1 convolution, and of the projection.
            project: whether the shortcut is a convolution, as in the a blocks.
        """
        super().__init__()
        outputs = EXPANSION * width
        self.project = project
        if project:
            self.branch1 = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
            self.bn1 = nn.BatchNorm2d(outputs, eps=EPS)
        self.branch2a: nn.Module = nn.Conv2d(inputs, width, 1, stride, bias=False)
        self.bn2a = nn.BatchNorm2d(width, eps=EPS)
        self.branch2b = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2b = nn.BatchNorm2d(width, eps=EPS)
        self.branch2c: nn.Module = nn.Conv2d(width, outputs, 1, bias=False)
        self.bn2c = nn.BatchNorm2d(outputs, eps=EPS)

    def shortcut(self, image_nchw: Tensor) -> Tensor:
        """Pass the input on, projected in the a blocks."""
        if not self.project:
            return image_nchw
        projected: Tensor = self.bn1(self.branch1(image_nchw))
        return projected

    def branch(self, image_nchw: Tensor) -> Tensor:
        """Compute the residual."""
        found = functional.relu(self.bn2a(self.branch2a(image_nchw)))
        found = functional.relu(self.bn2b(self.branch2b(found)))
        residual: Tensor = self.bn2c(self.branch2c(found))
        return residual

    def forward(self, image_nchw: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, 4 width, h, w)."""
        return functional.relu(self.shortcut(image_nchw) + self.branch(image_nchw))


class ResNet(nn.Module):
    """Stages of bottlenecks, a mean over space, a classifier."""

    def __init__(
        self,
        *,
        channels: int,
        classes: int,
        width: int,
        blocks: Sequence[int],
        dropout: float,
    ) -> None:
        """Lay out the layers; see `build`."""
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 7, 2, padding=3, bias=False)
        self.bn_conv1 = nn.BatchNorm2d(width, eps=EPS)
        inputs = width
        self.stages: list[list[str]] = []
        for stage, count in zip(STAGES, blocks, strict=True):
            self.stages.append([])
            inner = width << (stage - STAGES[0])
            for number in range(count):
                stride = 2 if number == 0 and stage > STAGES[0] else 1
                name = f"res{stage}{string.ascii_lowercase[number]}"
                self.add_module(name, Block(inputs, inner, stride, number == 0))
                self.stages[-1].append(name)
                inputs = EXPANSION * inner
        self.dropout = nn.Dropout(dropout)
        self.mean: tuple[float, ...] = MEAN_RGB
        self.fc = nn.Linear(inputs, classes)
        _initialise(self)

    def block(self, name: str) -> Block:
        """Return a block by its name, such as "res2a"."""
        found = self.get_submodule(name)
        assert isinstance(found, Block)
        return found

    def begin(self, image_nchw: Tensor) -> Tensor:
        """Compute what stage 2 takes: (N, width, H / 4, W / 4)."""
        found = functional.relu(self.bn_conv1(self.conv1(image_nchw)))
        return functional.max_pool2d(found, 3, 2, ceil_mode=True)

    def end(self, maps_nchw: Tensor) -> Tensor:
        """Score maps: (N, C, h, w) to (N, K).

        The classifier stands at every place of a mean over 7x7; scores are averaged
        over places. Smaller maps have one mean.
        """
        sides = [min(7, side) for side in maps_nchw.shape[-2:]]
        means = functional.avg_pool2d(maps_nchw, sides, 1).mean(dim=(2, 3))
        scores: Tensor = self.fc(self.dropout(means))
        return scores

    def forward(self, image_nchw: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, K) scores before softmax."""
        found = self.begin(image_nchw)
        for stage in self.stages:
            for name in stage:
                found = self.block(name)(found)
        return self.end(found)


def _initialise(network: nn.Module) -> None:
    """Draw weights as He et al. (ICCV 2015) do, each block as its shortcut alone.

    The last normalisation of a branch begins at 0 (Goyal et al. 2017): without that a
    narrow network learned no class of the playground in 600 steps.
    """
    for part in network.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")
        if isinstance(part, Block):
            nn.init.zeros_(part.bn2c.weight)


def build(
    *,
    channels: int,
    classes: int,
    width: int = 64,
    blocks: Sequence[int] = (3, 4, 6, 3),
    dropout: float = 0.0,
    mean: Sequence[float] = MEAN_RGB,
) -> ResNet:
    """Build the network with random weights; by default ResNet-50.

    Args:
        channels: of the input; 3 for colours, 20 for ten flow fields.
        classes: scores an image.
        width: channels of the first convolution; 64 in ResNet-50.
        blocks: bottlenecks of each of the four stages.
        dropout: share of the last features dropped in training.
        mean: of red, green and blue 0..255, subtracted from frames beforehand.

    Returns:
        Maps float (N, C, H, W), sides of 32 pixels or more, to float (N, K) scores
        before softmax.
    """
    network = ResNet(
        channels=channels, classes=classes, width=width, blocks=blocks, dropout=dropout
    )
    network.mean = tuple(mean)
    return network


_LAYER = re.compile(r"(conv1|res[2-5][a-z]_branch(?:1|2a|2b|2c))$")
_NORM = re.compile(r"bn(?:_conv1|[2-5][a-z]_branch(?:1|2a|2b|2c))$")
_PARTS = {"filter": "filter", "f": "filter", "bias": "bias", "b": "bias"}
_PARTS |= {"mult": "mult", "moments": "moments", "m": "mult", "x": "moments"}


def convert(found: Mapping[str, Any]) -> dict[str, Tensor]:
    """Convert MatConvNet's file of a ResNet to a state dict.

    Args:
        found: what `twinlens.weights.read` returns of a .mat file with a DagNN network.

    Raises:
        ValueError: it is no ResNet.
    """
    return state_of(matconvnet.parameters(found))


def settings_of(found: Mapping[str, Any]) -> dict[str, Any]:
    """Read the size of a file's network, and the mean that it subtracts."""
    sizes = sizes_of(state_of(matconvnet.parameters(found)))
    mean = matconvnet.average_image(found)
    if mean and len(mean) == sizes["channels"] == 3:
        sizes["mean"] = mean
    return sizes


def state_of(parameters: matconvnet.Arrays) -> dict[str, Tensor]:
    """Rename one stream's parameters and reorder their axes.

    Kernels over time, (1, 3, in, out), give (out, in, 3, 1).

    Raises:
        ValueError: a parameter is none of a ResNet's.
    """
    layers: dict[str, dict[str, NDArray[Any]]] = {}
    for name, value in parameters.items():
        layer, _, part = name.rpartition("_")
        if part not in _PARTS:
            raise ValueError(f"not a ResNet's weights: {name}")
        layers.setdefault(layer, {})[_PARTS[part]] = value
    state: dict[str, Tensor] = {}
    for layer, parts in layers.items():
        entries = _layer(layer, parts)
        if "fc.weight" in entries and "fc.weight" in state:
            raise ValueError(f"not a ResNet's weights: {layer} beside a classifier")
        state |= entries
    _fold_bias(state)
    return state


def _layer(layer: str, parts: Mapping[str, NDArray[Any]]) -> dict[str, Tensor]:
    """The entries of a layer: a convolution, a normalisation, or the classifier."""
    if _NORM.match(layer):
        name = layer if layer == "bn_conv1" else _in_block(layer)
        if parts.keys() != {"mult", "bias", "moments"}:
            raise ValueError(f"{layer}: has {', '.join(sorted(parts))}")
        mean, variance = matconvnet.moments(parts["moments"], EPS)
        return {
            f"{name}.weight": matconvnet.vector(parts["mult"]),
            f"{name}.bias": matconvnet.vector(parts["bias"]),
            f"{name}.running_mean": mean,
            f"{name}.running_var": variance,
            f"{name}.num_batches_tracked": torch.tensor(0),
        }
    if "filter" not in parts:
        raise ValueError(f"not a ResNet's weights: {layer} has no filter")
    kernel = matconvnet.kernel(parts["filter"])
    if _LAYER.match(layer):
        name = layer.replace("_", ".")
        # Time is MATLAB's second axis, a kernel's width; here it is its height.
        timed = kernel.shape[-2:] == (1, 3)
        found = {f"{name}.weight": kernel.mT.contiguous() if timed else kernel}
    else:
        name, found = "fc", {"fc.weight": kernel.flatten(1)}
    if "bias" in parts:
        found[f"{name}.bias"] = matconvnet.vector(parts["bias"])
    return found


def _in_block(layer: str) -> str:
    """Rename a block's normalisation: bn2a_branch2b to res2a.bn2b."""
    block, _, branch = layer.removeprefix("bn").partition("_branch")
    return f"res{block}.bn{branch}"


def _fold_bias(state: dict[str, Tensor]) -> None:
    """Move a first convolution's bias, where a file has one, to the mean after it."""
    bias = state.pop("conv1.bias", None)
    if bias is not None:
        state["bn_conv1.running_mean"] = state["bn_conv1.running_mean"] - bias


def sizes_of(state: Mapping[str, Tensor]) -> dict[str, Any]:
    """Read the arguments of `build` off a state dict.

    Raises:
        ValueError: it is no whole ResNet.
    """
    first, last = state.get("conv1.weight"), state.get("fc.weight")
    if first is None or first.ndim != 4 or last is None:
        raise ValueError("not a ResNet's weights: no conv1 of 4 axes, or no classifier")
    blocks = [
        len({name[:5] for name in state if name.startswith(f"res{stage}")})
        for stage in STAGES
    ]
    width, channels = first.shape[:2]
    return {
        "channels": channels,
        "classes": last.shape[0],
        "width": width,
        "blocks": blocks,
    }
