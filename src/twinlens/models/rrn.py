"""RRN, a small recurrent network of later years: it reads its last output.

Isobe, Zhu, Jia, Wang, "Revisiting Temporal Modeling for Video Super-resolution", BMVC
2020.

B batch, T frames, h w low resolution, R = 4 scale, C channels.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional

from twinlens.models import SCALE, WHOLE_CLIP
from twinlens.resample.tensors import upscale

FRAMES = WHOLE_CLIP
COLOURS = 3 * SCALE * SCALE


class Rrn(nn.Module):
    """Go through a clip once: a frame, the one before, the last result and a memory.

    Before the first frame there is that frame again, an empty memory and no result.
    """

    frames = FRAMES

    def __init__(self, *, width: int, blocks: int) -> None:
        """Build the layers; see `build`."""
        super().__init__()
        self.width = width
        self.enter = nn.Conv2d(2 * 3 + width + COLOURS, width, 3, padding=1)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(width, width, 3, padding=1),
                nn.ReLU(),
                nn.Conv2d(width, width, 3, padding=1),
            )
            for _ in range(blocks)
        )
        self.remember = nn.Conv2d(width, width, 3, padding=1)
        self.leave = nn.Conv2d(width, COLOURS, 3, padding=1)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight)
                nn.init.zeros_(module.bias)  # type: ignore[arg-type]
        # What is added begins small: a tenth of He et al.'s weights.
        lasts = [block.get_submodule("2") for block in self.blocks]
        with torch.no_grad():
            for layer in [*lasts, self.leave]:
                layer.get_parameter("weight").mul_(0.1)

    def forward(self, low_bt3hw: Tensor) -> Tensor:
        """Enlarge the middle frame of any T: (B, T, 3, h, w) to (B, 3, 4h, 4w)."""
        middle = low_bt3hw.shape[1] // 2
        *_, output = self.clip(low_bt3hw[:, : middle + 1])
        return output

    def clip(self, low_bt3hw: Tensor) -> Iterator[Tensor]:
        """Enlarge every frame in one pass: each (B, 3, 4h, 4w), not clipped."""
        state = self.start(low_bt3hw[:, 0])
        for frame in low_bt3hw.unbind(1):
            high, *state = self.step(frame, *state)
            yield high

    def start(self, first_b3hw: Tensor) -> list[Tensor]:
        """Return what `step` takes beside a clip's first frame."""
        size = first_b3hw.shape[-2:]
        memory = first_b3hw.new_zeros(len(first_b3hw), self.width, *size)
        output = first_b3hw.new_zeros(len(first_b3hw), COLOURS, *size)
        return [first_b3hw, memory, output]

    def step(
        self, frame: Tensor, before: Tensor, memory: Tensor, output: Tensor
    ) -> tuple[Tensor, ...]:
        """Enlarge a frame.

        Args:
            frame: (B, 3, h, w).
            before: the frame before it, as `frame`.
            memory: (B, C, h, w), of the frame before.
            output: (B, 3 R R, h, w), likewise.

        Returns:
            The enlarged frame (B, 3, 4h, 4w), then before, memory and output for the
            next.
        """
        features = self.enter(torch.cat([before, frame, memory, output], 1)).relu()
        for block in self.blocks:
            features = features + block(features)
        memory = self.remember(features).relu()
        output = self.leave(features)
        high = functional.pixel_shuffle(output, SCALE) + upscale(frame)
        return high, frame, memory, output


def build(*, width: int = 128, blocks: int = 10) -> Rrn:
    """Build the network with random weights.

    Args:
        width: channels, of the memory too (published: 128).
        blocks: residual blocks of two convolutions (published: 10).
    """
    network = Rrn(width=width, blocks=blocks)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network
