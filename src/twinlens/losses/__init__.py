"""The paper's losses as plain functions of tensors.

B batch, C channels (1 of luma or 3 of RGB), H W sides. Pictures are 0..1, flow is in
pixels. Each function returns one number, the mean over the batch, and gradients flow to
`output` alone.
"""

from twinlens.losses.consistency import siamese, warp
from twinlens.losses.perceptual import perceptual
from twinlens.losses.pixels import huber, mse, weight_map, wmse

__all__ = ["huber", "mse", "perceptual", "siamese", "warp", "weight_map", "wmse"]
