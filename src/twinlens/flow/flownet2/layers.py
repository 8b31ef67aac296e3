"""FlowNet2's building blocks in plain PyTorch.

B batch, C channels, H W picture. Flow is in pixels, x to the right then y down.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

DISPLACEMENT, STRIDE = 20, 2
"""Of the correlation: the farthest shift, and the step between shifts, in pixels."""
SHIFTS = 2 * DISPLACEMENT // STRIDE + 1
"""Shifts along one axis."""


def conv(before: int, after: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """Build a convolution that keeps the size but for its stride, and LeakyReLU 0.1."""
    layer = nn.Conv2d(before, after, kernel, stride, (kernel - 1) // 2)
    return nn.Sequential(layer, nn.LeakyReLU(0.1))


def linear(before: int, after: int) -> nn.Sequential:
    """Build a 3x3 convolution without an activation."""
    return nn.Sequential(nn.Conv2d(before, after, 3, padding=1))


def deconv(before: int, after: int) -> nn.Sequential:
    """Build a transposed convolution to twice the size, and LeakyReLU 0.1."""
    layer = nn.ConvTranspose2d(before, after, 4, 2, 1)
    return nn.Sequential(layer, nn.LeakyReLU(0.1))


def flow_head(before: int) -> nn.Conv2d:
    """Build the layer from features to flow."""
    return nn.Conv2d(before, 2, 3, padding=1)


def flow_up(*, bias: bool = True) -> nn.ConvTranspose2d:
    """Build the layer from flow to flow of twice the size."""
    return nn.ConvTranspose2d(2, 2, 4, 2, 1, bias=bias)


def correlation(first_bchw: Tensor, second_bchw: Tensor) -> Tensor:
    """Correlate features at all shifts of up to 20 px, in steps of 2.

    A row of `first` meets a row of `second` as one matrix product, of which the shifts
    are a band: the largest temporary is the result.

    Returns:
        (B, 441, H, W): at channel 21 (dy / 2 + 10) + dx / 2 + 10 the mean over channels
        of first(y, x) * second(y + dy, x + dx), zero outside.
    """
    batch, channels, height, width = first_bchw.shape
    padded = functional.pad(second_bchw, [DISPLACEMENT] * 4)
    rows_bhwc = first_bchw.permute(0, 2, 3, 1)
    columns = torch.arange(width, device=first_bchw.device)[:, None]
    steps = torch.arange(0, STRIDE * SHIFTS, STRIDE, device=first_bchw.device)
    band = (columns + steps).expand(batch, height, width, SHIFTS)
    bands = []
    for top in range(0, STRIDE * SHIFTS, STRIDE):
        shifted_bhcw = padded[:, :, top : top + height].permute(0, 2, 1, 3)
        products = torch.matmul(rows_bhwc, shifted_bhcw)  # (B, H, W, W + 40)
        bands.append(products.gather(3, band))
    return torch.cat(bands, dim=3).permute(0, 3, 1, 2) / channels


def resample(picture_bchw: Tensor, flow_b2hw: Tensor) -> Tensor:
    """Backward-warp a picture along the flow: out(p) = picture(p + flow(p)).

    Bilinear; beyond the border, the border's pixels.
    """
    height, width = picture_bchw.shape[2:]
    x = torch.arange(width, device=flow_b2hw.device) + flow_b2hw[:, 0]
    y = torch.arange(height, device=flow_b2hw.device)[:, None] + flow_b2hw[:, 1]
    grid = torch.stack(
        [2 * x / max(1, width - 1) - 1, 2 * y / max(1, height - 1) - 1], dim=3
    )
    return functional.grid_sample(
        picture_bchw, grid, padding_mode="border", align_corners=True
    )


def channel_norm(values_bchw: Tensor) -> Tensor:
    """Compute the L2 norm over channels: (B, 1, H, W)."""
    return values_bchw.square().sum(dim=1, keepdim=True).sqrt()
