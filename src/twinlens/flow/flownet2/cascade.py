"""FlowNet2 as a whole: Ilg et al., "FlowNet 2.0", CVPR 2017.

FlowNetC, twice FlowNetS on what is left, FlowNetSD for small displacements, and their
fusion. B batch, H W picture, both multiples of 64. All flows are in pixels of the
picture, x to the right then y down.
"""

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from twinlens.flow.flownet2.layers import channel_norm, resample
from twinlens.flow.flownet2.networks import (
    FlowNetC,
    FlowNetFusion,
    FlowNetS,
    FlowNetSD,
)

DIVISOR = 20.0
"""FlowNetC and -S give flow divided by this; -SD gives it times this."""
STEP = 64
"""Sides that the networks take are multiples of it."""
LARGEST = 8191  # px, as for TV-L1: patch sets take either


class FlowNet2(nn.Module):
    """The cascade; 162,518,834 parameters at width 1."""

    def __init__(self, width: float = 1.0) -> None:
        """Lay out the networks.

        Args:
            width: part of the published channels, 0 to 1; each layer keeps 4 or more.

        Raises:
            ValueError: the width is out of range.
        """
        super().__init__()
        if not 0 < width <= 1:
            raise ValueError(f"width is {width}, but must lie in 0..1, without 0")
        self.width = width
        self.flownetc = FlowNetC(width)
        self.flownets_1 = FlowNetS(width)
        self.flownets_2 = FlowNetS(width)
        self.flownets_d = FlowNetSD(width)
        self.flownetfusion = FlowNetFusion(width)

    def forward(self, first_b3hw: Tensor, second_b3hw: Tensor) -> Tensor:
        """Compute flow (B, 2, H, W) from first to second pictures, RGB 0..255."""
        pair = normalised(first_b3hw, second_b3hw)
        return self.flownetfusion(self.before_fusion(pair))

    def before_s1(self, pair_b6hw: Tensor) -> Tensor:
        """Compute the input of FlowNetS number 1: (B, 12, H, W)."""
        return _known(pair_b6hw, _smooth(DIVISOR * self.flownetc(pair_b6hw)[-1]))

    def before_s2(self, pair_b6hw: Tensor) -> Tensor:
        """Compute the input of FlowNetS number 2: (B, 12, H, W)."""
        finest = self.flownets_1(self.before_s1(pair_b6hw))[-1]
        return _known(pair_b6hw, _smooth(DIVISOR * finest))

    def before_fusion(self, pair_b6hw: Tensor) -> Tensor:
        """Compute the input of the fusion: (B, 11, H, W)."""
        large = _blocks(DIVISOR * self.flownets_2(self.before_s2(pair_b6hw))[-1])
        small = _blocks(self.flownets_d(pair_b6hw)[-1] / DIVISOR)
        first, second = pair_b6hw.chunk(2, dim=1)
        lengths = [channel_norm(flow) for flow in (small, large)]
        left = [channel_norm(first - resample(second, f)) for f in (small, large)]
        return torch.cat([first, small, large, *lengths, *left], dim=1)


def normalised(first_b3hw: Tensor, second_b3hw: Tensor) -> Tensor:
    """Normalise a pair as the networks read it: (B, 6, H, W).

    RGB 0..255 less each colour's mean over both pictures, over 255.
    """
    # ASSUME: section 3.2 names FlowNet2 alone; NVIDIA's project takes each pair's mean,
    # LMB's own a fixed one that its Caffe file keeps in a layer of data.
    both = torch.stack([first_b3hw, second_b3hw], dim=1)
    mean = both.mean(dim=(1, 3, 4), keepdim=True)
    return ((both - mean) / 255).flatten(1, 2)


def _smooth(flow: Tensor) -> Tensor:
    return nn.functional.interpolate(flow, scale_factor=4, mode="bilinear")


def _blocks(flow: Tensor) -> Tensor:
    return nn.functional.interpolate(flow, scale_factor=4, mode="nearest")


def _known(pair_b6hw: Tensor, flow_b2hw: Tensor) -> Tensor:
    """Join a pair, the second backward-warped, the flow and what difference remains."""
    first, second = pair_b6hw.chunk(2, dim=1)
    back = resample(second, flow_b2hw)
    off = channel_norm(first - back)
    return torch.cat([pair_b6hw, back, flow_b2hw / DIVISOR, off], dim=1)


def build(width: float = 1.0) -> FlowNet2:
    """Build the cascade with random weights.

    Args:
        width: part of the published channels, see `FlowNet2`.
    """
    return FlowNet2(width)


def estimate(
    network: nn.Module, first: NDArray[np.uint8], second: NDArray[np.uint8]
) -> NDArray[np.float32]:
    """Compute the optical flow of pairs of colour pictures.

    Pictures are enlarged to sides that are multiples of 64 and their flow shrunk back,
    as LMB's scripts do. A pair's flow depends on that pair alone.

    Args:
        network: a `FlowNet2`, on any device.
        first: uint8 (N, H, W, 3), RGB 0..255; N may be 0.
        second: the same shape, what `first` turned into.

    Returns:
        float32 (N, 2, H, W): in pixels, first to the right, then down. What is at
        (x, y) in `first` is at (x, y) + flow[n, :, y, x] in `second`.

    Raises:
        ValueError: pictures are no such arrays.
    """
    _check(first, second)
    flows = [_pair(network, *pair) for pair in zip(first, second, strict=True)]
    none = np.zeros((0, 2, *first.shape[1:3]), np.float32)
    return np.stack(flows) if flows else none


def _pair(
    network: nn.Module, first: NDArray[np.uint8], second: NDArray[np.uint8]
) -> NDArray[np.float32]:
    """Compute the flow (2, H, W) of one pair."""
    height, width = first.shape[:2]
    # ASSUME: section 3.2 leaves the size open; enlarged as by LMB's scripts, where
    # NVIDIA's project cuts off what is beyond a multiple of 64.
    larger = tuple(-(-side // STEP) * STEP for side in (width, height))
    device = next(network.parameters()).device
    with torch.inference_mode():
        flow = network(_tensor(first, larger, device), _tensor(second, larger, device))
    flow_hw2 = flow[0].detach().float().cpu().permute(1, 2, 0).contiguous().numpy()
    sized = cv2.resize(flow_hw2, (width, height), interpolation=cv2.INTER_LINEAR)
    scale = np.array([width / larger[0], height / larger[1]], np.float32)
    return np.ascontiguousarray(np.moveaxis(sized * scale, 2, 0))


def _tensor(
    picture: NDArray[np.uint8], size: tuple[int, ...], device: torch.device
) -> Tensor:
    """Convert a picture (h, w, 3) to (1, 3, H, W), enlarged to `size`, width first."""
    sized = cv2.resize(picture.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
    return torch.from_numpy(sized).permute(2, 0, 1)[None].to(device)


def _check(first: object, second: object) -> None:
    for name, pictures in (("first", first), ("second", second)):
        if not isinstance(pictures, np.ndarray) or pictures.dtype != np.uint8:
            raise ValueError(f"{name} is no numpy array of uint8")
        if pictures.ndim != 4 or pictures.shape[3] != 3:
            raise ValueError(
                f"{name} has shape {pictures.shape}, but must have (pictures, height,"
                " width, 3)"
            )
        if not 0 < min(pictures.shape[1:3]) <= max(pictures.shape[1:3]) <= LARGEST:
            raise ValueError(f"{name} has sides outside 1..{LARGEST} px")
    if first.shape != second.shape:  # type: ignore[attr-defined]
        raise ValueError("first and second have different shapes; they must agree")
