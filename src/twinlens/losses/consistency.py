"""The siamese loss of ToSR, eq. 3: two frames, each right, and consistent by motion."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from twinlens.losses.pixels import mse

Criterion = Callable[[Tensor, Tensor], Tensor]


class Terms(NamedTuple):
    """The parts of eq. 3, unweighted."""

    sr: Tensor
    """Both output frames against their targets."""
    warp_sr: Tensor
    """The first output frame against the second, warped onto it."""
    warp_hr: Tensor
    """The first target frame against the second output frame, warped onto it."""


def siamese(
    output_first: Tensor,
    output_second: Tensor,
    target_first: Tensor,
    target_second: Tensor,
    flow_b2hw: Tensor,
    criterion: Criterion = mse,
    *,
    masked: bool = True,
) -> Terms:
    """Compute the three terms of eq. 3; the caller weights them by alpha, beta, gamma.

    Args:
        output_first: frame t, (B, C, H, W), 0..1.
        output_second: frame t + 1.
        target_first: the target of frame t.
        target_second: the target of frame t + 1.
        flow_b2hw: from frame t to t + 1, pixels, x to the right then y down.
        criterion: of two batches of pictures.
        masked: leave pixels out whose motion ends outside the frame; otherwise they
            count as black, as in the authors' released code.
    """
    warped, inside = warp(output_second, flow_b2hw)
    # ASSUME: section 3.3 is silent on motion that leaves the frame; there is nothing
    # to compare there.
    keep = inside if masked else torch.ones_like(inside)
    return Terms(
        sr=criterion(output_first, target_first)
        + criterion(output_second, target_second),
        warp_sr=criterion(output_first * keep, warped * keep),
        warp_hr=criterion(target_first * keep, warped * keep),
    )


def warp(frame_bchw: Tensor, flow_b2hw: Tensor) -> tuple[Tensor, Tensor]:
    """Backward-warp a frame by flow: out(p) = frame(p + flow(p)), bilinear.

    ASSUME: section 3.3 prints p - F; with F from t to t + 1, p + F is what warps frame
    t + 1 onto frame t, and what the authors' released code does.

    Args:
        frame_bchw: frame t + 1.
        flow_b2hw: from t to t + 1, pixels, x to the right then y down.

    Returns:
        The warped frame, zeros where it was sampled outside, and whether it was
        inside: (B, 1, H, W) of ones and zeros.
    """
    height, width = frame_bchw.shape[-2:]
    kind, device = frame_bchw.dtype, frame_bchw.device
    y, x = torch.meshgrid(
        torch.arange(height, dtype=kind, device=device),
        torch.arange(width, dtype=kind, device=device),
        indexing="ij",
    )
    x = x + flow_b2hw[:, 0].to(kind)
    y = y + flow_b2hw[:, 1].to(kind)
    inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    # grid_sample counts from -1 (first pixel) to 1 (last).
    grid = torch.stack([2 * x / max(1, width - 1), 2 * y / max(1, height - 1)], -1) - 1
    warped = functional.grid_sample(frame_bchw, grid, align_corners=True)
    mask = inside[:, None].to(kind)
    return warped * mask, mask
