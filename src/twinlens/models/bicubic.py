"""Bicubic interpolation, the paper's first row: nothing is learnt.

B batch, T = 1 frame, h w low resolution.
"""

from torch import Tensor, nn

from twinlens.resample.tensors import upscale

FRAMES = 1
LEARNS = False


class Bicubic(nn.Module):
    """MATLAB's `imresize(frame, 4, 'bicubic')` of uint8 frames, as baselines use it.

    Frames are taken for bytes (0..1 in steps of 1/255), and rounded after each pass.
    """

    frames = FRAMES
    reach = 3

    def forward(self, low_bt3hw: Tensor) -> Tensor:
        """Enlarge the frame: (B, 1, 3, h, w) to (B, 3, 4h, 4w), 0..1."""
        return upscale(low_bt3hw[:, 0], as_bytes=True)


def build() -> Bicubic:
    """Build it; there is nothing to set."""
    return Bicubic()
