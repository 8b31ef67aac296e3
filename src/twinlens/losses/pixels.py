"""Pixel losses: MSE, Huber, and the flow-weighted MSE of eq. 1."""

import torch
from torch import Tensor
from torch.nn import functional

WEIGHTINGS = ("none", "mean1", "clip20")
CLIP = 20.0  # px
STILL = 1e-6  # px


def mse(output_bchw: Tensor, target_bchw: Tensor) -> Tensor:
    """Mean squared error over all elements."""
    return functional.mse_loss(output_bchw, target_bchw)


def huber(output_bchw: Tensor, target_bchw: Tensor) -> Tensor:
    """Huber's loss with delta 0.01, the mean over all elements.

    What the authors' released ToSR2 and VSR-DUF minimise, where the paper says MSE.
    """
    return functional.huber_loss(output_bchw, target_bchw, delta=0.01)


def wmse(
    output_bchw: Tensor, target_bchw: Tensor, weight_bhw: Tensor, power: int = 1
) -> Tensor:
    """Weighted MSE, eq. 1: the mean over pixels of squared error times weight.

    Args:
        output_bchw: 0..1.
        target_bchw: 0..1.
        weight_bhw: how much a pixel counts: its speed in pixels per frame in eq. 1, or
            a `weight_map` of it. All ones give `mse`.
        power: of the weight; 1 in eq. 1, 2 in effect in the authors' released code,
            which scales both pictures by the weight before the squared error.
    """
    weight = weight_bhw[:, None] ** power
    return (weight * (output_bchw - target_bchw).square()).mean()


def weight_map(speed_bhw: Tensor, weighting: str = "none") -> Tensor:
    """Compute the weights of `wmse` from the length of the flow.

    Args:
        speed_bhw: sqrt(u^2 + v^2), pixels per frame.
        weighting: "none" takes speed as it is (eq. 1); "mean1" divides it by each
            picture's mean, so that a learning rate tuned for MSE serves, and a still
            picture counts evenly; "clip20" cuts at 20 px and divides by 20.

    Raises:
        ValueError: no such weighting.
    """
    if weighting == "none":
        return speed_bhw
    if weighting == "clip20":
        return speed_bhw.clamp(max=CLIP) / CLIP
    if weighting == "mean1":
        mean = speed_bhw.mean(dim=(1, 2), keepdim=True)
        even = torch.ones_like(speed_bhw)
        return torch.where(mean > STILL, speed_bhw / mean.clamp_min(STILL), even)
    raise ValueError(f"no weighting {weighting!r}; there are: {', '.join(WEIGHTINGS)}")
