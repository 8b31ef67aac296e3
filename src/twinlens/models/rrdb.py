"""RRDB, the network of the paper's authors' later release of SoSR.

Wang et al., "ESRGAN: Enhanced Super-Resolution Generative Adversarial Networks", ECCV
workshops 2018.

B batch, T = 1 frame, h w low resolution, C channels.
"""

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from twinlens.resample.tensors import upscale

FRAMES = 1
RESIDUAL = 0.2  # share of a block's output
SLOPE = 0.2  # of leaky ReLUs
CONVS = 5  # of a dense block


class Dense(nn.Module):
    """Five convolutions of 3x3, each reading all before it, as a residual."""

    def __init__(self, width: int, growth: int) -> None:
        """Build the layers."""
        super().__init__()
        ends = [growth] * (CONVS - 1) + [width]
        self.convs = nn.ModuleList(
            nn.Conv2d(width + index * growth, after, 3, padding=1)
            for index, after in enumerate(ends)
        )

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, h, w) to the same."""
        *inner, last = self.convs
        seen = features
        for conv in inner:
            seen = torch.cat([seen, _leaky(conv(seen))], dim=1)
        return features + RESIDUAL * last(seen)


class Rrdb(nn.Module):
    """Residual-in-residual dense blocks at low resolution, then two doublings."""

    frames = FRAMES

    def __init__(self, *, width: int, blocks: int, growth: int, bicubic: bool) -> None:
        """Build the layers; see `build`."""
        super().__init__()
        self.bicubic = bicubic
        self.first = nn.Conv2d(3, width, 3, padding=1)
        self.blocks = nn.ModuleList(
            nn.Sequential(*(Dense(width, growth) for _ in range(3)))
            for _ in range(blocks)
        )
        self.trunk, self.up1, self.up2, self.high = (
            nn.Conv2d(width, width, 3, padding=1) for _ in range(4)
        )
        self.last = nn.Conv2d(width, 3, 3, padding=1)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                # As published: He et al.'s, a tenth of it.
                nn.init.kaiming_normal_(module.weight)
                nn.init.zeros_(module.bias)  # type: ignore[arg-type]
                with torch.no_grad():
                    module.weight *= 0.1

    @property
    def reach(self) -> int:
        """Pixels of low resolution around one that it reads: the last layers read 3."""
        return 2 + 3 * CONVS * len(self.blocks) + 3

    def forward(self, low_bt3hw: Tensor) -> Tensor:
        """Enlarge the frame: (B, 1, 3, h, w) to (B, 3, 4h, 4w), not clipped."""
        low = low_bt3hw[:, 0]
        features = first = self.first(low)
        for block in self.blocks:
            features = features + RESIDUAL * block(features)
        features = first + self.trunk(features)
        for doubling in (self.up1, self.up2):
            features = functional.interpolate(features, scale_factor=2, mode="nearest")
            features = _leaky(doubling(features))
        output: Tensor = self.last(_leaky(self.high(features)))
        return output + upscale(low) if self.bicubic else output


def _leaky(features: Tensor) -> Tensor:
    return functional.leaky_relu(features, SLOPE)


def build(
    *, width: int = 64, blocks: int = 23, growth: int = 32, bicubic: bool = False
) -> Rrdb:
    """Build the network with random weights.

    Args:
        width: channels (published: 64).
        blocks: residual-in-residual blocks of three dense ones (published: 23).
        growth: channels that a convolution of a dense block adds (published: 32).
        bicubic: add the interpolated frame, so that a short training starts from it;
            published networks output the whole picture themselves.

    Returns:
        The network, channels-last; 16,697,987 parameters at its published size.
    """
    network = Rrdb(width=width, blocks=blocks, growth=growth, bicubic=bicubic)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network


ORIGIN = "BasicSR, `RRDBNet`; with `bicubic`, add the interpolated frame to its output"
# Layers outside the blocks, in the three generations of names that files have.
_OUTER = {
    "first": ("model.0", "conv_first"),
    "trunk": ("trunk_conv", "conv_body"),
    "up1": ("model.3", "upconv1", "conv_up1"),
    "up2": ("model.6", "upconv2", "conv_up2"),
    "high": ("model.8", "HRconv", "conv_hr"),
    "last": ("model.10", "conv_last"),
}
_INNER = re.compile(
    r"(?:model\.1\.sub|RRDB_trunk|body)\.(\d+)\.(?:RDB|rdb)(\d)\.conv(\d)(?:\.0)?"
)
_OLD_TRUNK = re.compile(r"model\.1\.sub\.\d+")


def convert(published: Mapping[str, Any]) -> dict[str, Tensor]:
    """Return the state dict of published weights, read by `twinlens.weights.read`.

    Known: the authors' `5000_G.pth` (project AlanZhang1995/TwoStreamSR) and ESRGAN's
    files, in the names of BasicSR's old and new modules.

    Raises:
        ValueError: the file holds another network.
    """
    outer = {theirs: ours for ours, names in _OUTER.items() for theirs in names}
    state = {}
    for key, value in published.items():
        layer, _, part = key.rpartition(".")
        if inner := _INNER.fullmatch(layer):
            block, dense, conv = (int(each) for each in inner.groups())
            state[f"blocks.{block}.{dense - 1}.convs.{conv - 1}.{part}"] = value
        elif _OLD_TRUNK.fullmatch(layer):
            state[f"trunk.{part}"] = value
        elif layer in outer:
            state[f"{outer[layer]}.{part}"] = value
        else:
            state[key] = value  # unknown, which loading reports
    if "first.weight" not in state:
        raise ValueError(f"no RRDB in it, but {', '.join(sorted(published)[:6])}, ...")
    return state


def export(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Name a state dict's entries as the newest generation of names has them."""
    inner = re.compile(r"blocks\.(\d+)\.(\d)\.convs\.(\d)")
    published = {}
    for key, value in state.items():
        layer, _, part = key.rpartition(".")
        if found := inner.fullmatch(layer):
            block, dense, conv = (int(each) for each in found.groups())
            theirs = f"body.{block}.rdb{dense + 1}.conv{conv + 1}"
        else:
            theirs = _OUTER[layer][-1]
        published[f"{theirs}.{part}"] = value
    return published
