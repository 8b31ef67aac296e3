"""VDSR, the network of the paper's VDSR, SoSR and ToSR1.

Kim, Lee, Lee, "Accurate Image Super-Resolution Using Very Deep Convolutional Networks",
CVPR 2016.

B batch, T = 1 frame, h w low resolution, H W = 4h 4w, D depth.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from twinlens import colour
from twinlens.models import SCALE
from twinlens.resample.tensors import upscale

FRAMES = 1
MIDDLE = "residual_layer."
ORIGIN = "twtygqyy/pytorch-vdsr, `Net`, of luma 16/255..235/255, with biases beside"


class Vdsr(nn.Module):
    """Add a residual to the luma of the interpolated frame; chroma stays bicubic.

    D convolutions of 3x3, ReLU between them, zeros around the borders. Luma goes in as
    the published networks had it: 16/255..235/255 (MATLAB's `rgb2ycbcr`).
    """

    frames = FRAMES

    def __init__(self, *, width: int, depth: int) -> None:
        """Build the layers; see `build`."""
        super().__init__()
        ends = [1, *[width] * (depth - 1), 1]
        self.convs = nn.ModuleList(
            nn.Conv2d(before, after, 3, padding=1)
            for before, after in zip(ends[:-1], ends[1:], strict=True)
        )
        for name, parameter in self.named_parameters():
            # caffe-vdsr's "msra" filler: by fan-in, biases zero.
            if name.endswith("bias"):
                nn.init.zeros_(parameter)
            else:
                nn.init.kaiming_normal_(parameter, mode="fan_in")

    @property
    def reach(self) -> int:
        """Pixels of low resolution around one that it reads: interpolation reads 3."""
        return 3 + -(-len(self.convs) // SCALE)

    def forward(self, low_bt3hw: Tensor) -> Tensor:
        """Enlarge the frame: (B, 1, 3, h, w) to (B, 3, H, W), 0..1, not clipped."""
        return self.refine(upscale(low_bt3hw[:, 0]))

    def refine(self, interpolated_b3hw: Tensor) -> Tensor:
        """Refine an interpolated frame: (B, 3, H, W) to the same."""
        luma = colour.luma(*interpolated_b3hw.unbind(1))
        residual = self.residual(luma[:, None])
        return interpolated_b3hw + colour.LUMA_TO_RGB * residual

    def residual(self, luma_b1hw: Tensor) -> Tensor:
        """Compute what to add to interpolated luma: (B, 1, H, W) to the same."""
        *inner, last = self.convs
        features = luma_b1hw
        for conv in inner:
            features = conv(features).relu_()
        return last(features)


def build(*, width: int = 64, depth: int = 20) -> Vdsr:
    """Build the network with random weights.

    Args:
        width: channels of the inner layers (published: 64).
        depth: convolutions, 2 or more (published: 20). The published size has 665,921
            parameters with biases.

    Returns:
        The network, its weights channels-last: faster on a processor.
    """
    network = Vdsr(width=width, depth=depth)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network


def convert(published: Mapping[str, Any]) -> dict[str, Tensor]:
    """Return the state dict of published weights, read by `twinlens.weights.read`.

    Known: `VDSR_Official.mat`, `VDSR_Adam.mat`, `VDSR_Adam.caffemodel` (project
    huangzehao/caffe-vdsr), `model_epoch_50.pth` (twtygqyy/pytorch-vdsr, which has no
    biases: they are zero here, which is the same function) and what `export` names.

    Raises:
        ValueError: the file holds another network.
    """
    if "model" in published:
        layers = _from_matlab(published["model"])
    elif "conv1" in published:
        layers = _from_caffe(published)
    elif "input.weight" in published:
        layers = _from_pytorch(published)
    else:
        raise ValueError(f"no VDSR in it, but {', '.join(sorted(published)[:6])}, ...")
    state = {}
    for index, (weight, bias) in enumerate(layers):
        state[f"convs.{index}.weight"] = torch.tensor(weight, dtype=torch.float32)
        state[f"convs.{index}.bias"] = torch.tensor(bias, dtype=torch.float32)
    return state


Layers = list[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]]


def _from_matlab(model: Mapping[str, Any]) -> Layers:
    """Convert [row, column, in, out]; MATLAB drops the last layer's single output."""
    layers = []
    for weight, bias in zip(model["weight"], model["bias"], strict=True):
        whole = weight.reshape(*weight.shape, *[1] * (4 - weight.ndim))
        layers.append((whole.transpose(3, 2, 0, 1).copy(), bias.reshape(-1)))
    return layers


def _from_caffe(published: Mapping[str, Any]) -> Layers:
    """Convert blobs (out, in, column, row): trained on column-major patches."""
    layers = []
    for number in range(1, len(published) + 1):
        if f"conv{number}" not in published:
            raise ValueError(f"no VDSR in it: layer conv{number} is missing")
        weight, bias = published[f"conv{number}"]
        layers.append((weight.swapaxes(2, 3).copy(), bias.reshape(-1)))
    return layers


def _from_pytorch(published: Mapping[str, Tensor]) -> Layers:
    """Map the published module's names; its convolutions have no biases."""
    inner = {int(key.split(".")[1]) for key in published if key.startswith(MIDDLE)}
    names = ["input", *(f"{MIDDLE}{number}.conv" for number in sorted(inner)), "output"]
    layers = []
    for name in names:
        weight = published[f"{name}.weight"].numpy()
        bias = published.get(f"{name}.bias", torch.zeros(len(weight)))
        layers.append((weight, bias.numpy()))
    return layers


def export(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Name a state dict's entries as pytorch-vdsr does, without biases if all are 0."""
    last = len(state) // 2 - 1
    biased = any(bool(state[f"convs.{index}.bias"].any()) for index in range(last + 1))
    published = {}
    for index in range(last + 1):
        name = f"{MIDDLE}{index - 1}.conv"
        name = {0: "input", last: "output"}.get(index, name)
        published[f"{name}.weight"] = state[f"convs.{index}.weight"]
        if biased:
            published[f"{name}.bias"] = state[f"convs.{index}.bias"]
    return published
