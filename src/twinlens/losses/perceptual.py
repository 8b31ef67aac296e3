"""The perceptual loss of eq. 2, on the features of any network."""

import torch
from torch import Tensor, nn


def perceptual(output_b3hw: Tensor, target_b3hw: Tensor, network: nn.Module) -> Tensor:
    """Mean squared difference of the features of two batches of RGB pictures, 0..1.

    ASSUME: section 3.2 leaves the norm open; the mean over all elements, as
    Johnson et al. have it.
    """
    with torch.no_grad():
        wanted = network(target_b3hw)
    return nn.functional.mse_loss(network(output_b3hw), wanted)
