"""SPMC: frames splatted to where they move, on the finer grid, and fused one by one.

Tao, Gao, Liao, Wang, Jia, "Detail-revealing Deep Video Super-resolution", ICCV 2017.
Published as a frozen graph of one size only, so that it is always trained here.

B batch, T = 3 frames, h w low resolution, H W = 4h 4w, R = 4 scale.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from twinlens import colour, losses
from twinlens.models import SCALE
from twinlens.resample.tensors import upscale

FRAMES = 3
GAIN = 32.0  # px of motion where tanh is 1
MULTIPLE = 4  # of the sides: motion is estimated at a quarter of them
SMOOTH = 0.01  # weight of the flow's gradients (paper: lambda 1)
MOTION = 0.01  # weight of the motion terms beside the fused ones (paper: lambda 2)
# ASSUME: the SPMC paper trains motion alone, fusion alone, then both, and gives no
# lengths: a quarter, a quarter, half.
STAGES = (0.25, 0.5)
State = tuple[Tensor, Tensor]


class MotionNet(nn.Module):
    """Flow from a frame to another, coarse at a quarter, then fine at half the size."""

    def __init__(self, width: int) -> None:
        """Build the layers."""
        super().__init__()
        self.coarse = nn.Sequential(
            *_active(2, width, 5, stride=2),
            *_active(width, width, 3),
            *_active(width, width, 5, stride=2),
            *_active(width, width, 3),
            nn.Conv2d(width, 2 * 16, 3, padding=1),
            nn.Tanh(),
            nn.PixelShuffle(4),
        )
        self.fine = nn.Sequential(
            *_active(5, width, 5, stride=2),
            *_active(width, width, 3),
            *_active(width, width, 3),
            *_active(width, width, 3),
            nn.Conv2d(width, 2 * 4, 3, padding=1),
            nn.Tanh(),
            nn.PixelShuffle(2),
        )

    def forward(self, frame_b1hw: Tensor, to_b1hw: Tensor) -> Tensor:
        """Flow (B, 2, h, w) in pixels, x then y: frame(p) lies at p + flow(p) in `to`.

        Sides must be multiples of 4.
        """
        both = torch.cat([to_b1hw, frame_b1hw], dim=1)
        coarse = GAIN * self.coarse(both)
        # ASSUME: the frame that the flow leads to is warped (the paper, 4.3, is silent;
        # public ports warp the other): it then lies on `frame` pixel by pixel.
        warped, _ = losses.warp(to_b1hw, coarse)
        fine = self.fine(torch.cat([both, coarse, warped], dim=1))
        return coarse + GAIN * fine


class ConvLstm(nn.Module):
    """A convolutional LSTM of 3x3 pixels, as many hidden channels as it reads."""

    def __init__(self, channels: int) -> None:
        """Build the four gates as one convolution."""
        super().__init__()
        self.gates = nn.Conv2d(2 * channels, 4 * channels, 3, padding=1)

    def forward(self, features: Tensor, state: State | None) -> State:
        """Return the hidden state and the cell, both as `features`: (B, C, h, w)."""
        if state is None:
            state = torch.zeros_like(features), torch.zeros_like(features)
        hidden, cell = state
        gates = self.gates(torch.cat([features, hidden], dim=1))
        take, forget, give, fresh = gates.chunk(4, dim=1)
        cell = forget.sigmoid() * cell + take.sigmoid() * fresh.tanh()
        return give.sigmoid() * cell.tanh(), cell


class FusionNet(nn.Module):
    """Sharpen splatted frames, one after the other, with a memory between them."""

    def __init__(self, width: int) -> None:
        """Build the layers; `width` channels at full size, double at each half."""
        super().__init__()
        one, two, four = width, 2 * width, 4 * width
        self.enter = nn.Sequential(*_active(1, one, 5))
        self.down1 = nn.Sequential(*_active(one, two, 3, 2), *_active(two, two, 3))
        self.down2 = nn.Sequential(*_active(two, four, 3, 2))
        self.memory = ConvLstm(four)
        self.up2 = nn.Sequential(*_active(four, four, 3), *_doubled(four, two))
        self.up1 = nn.Sequential(*_active(two, two, 3), *_doubled(two, one))
        self.leave = nn.Sequential(
            *_active(one, one, 3), nn.Conv2d(one, 1, 5, padding=2)
        )

    def forward(self, splatted_b1hw: Tensor, state: State | None) -> tuple[Tensor, ...]:
        """Return features at full and at half size, and the memory after the frame."""
        full = self.enter(splatted_b1hw)
        half = self.down1(full)
        return full, half, *self.memory(self.down2(half), state)

    def details(self, full: Tensor, half: Tensor, hidden: Tensor) -> Tensor:
        """Compute what to add to the interpolated frame: (B, 1, H, W)."""
        features = self.up1(self.up2(hidden) + half)
        details: Tensor = self.leave(features + full)
        return details


class Spmc(nn.Module):
    """Add details to the interpolated middle frame's luma; chroma stays bicubic.

    All frames, the middle one too, are moved onto it in order; the last result counts.
    """

    frames = FRAMES

    def __init__(self, *, motion: int, width: int) -> None:
        """Build the layers; see `build`."""
        super().__init__()
        self.motion = MotionNet(motion)
        self.fusion = FusionNet(width)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)  # type: ignore[arg-type]

    def forward(self, low_bt3hw: Tensor) -> Tensor:
        """Enlarge the middle frame: (B, 3, 3, h, w) to (B, 3, 4h, 4w), not clipped."""
        state: Any = None
        for splatted in self._splatted(low_bt3hw):
            full, half, *state = self.fusion(splatted, state)
        return self._finished(low_bt3hw, self.fusion.details(full, half, state[0]))

    def _splatted(self, low_bt3hw: Tensor) -> Iterator[Tensor]:
        """Splat every frame's luma onto the fine grid of padded sides."""
        luma = _luma(low_bt3hw)
        for frame in luma.unbind(1):
            yield splat(frame, self.motion(frame, luma[:, FRAMES // 2]))

    def _finished(self, low_bt3hw: Tensor, details_b1hw: Tensor) -> Tensor:
        bicubic = upscale(low_bt3hw[:, FRAMES // 2])
        height, width = bicubic.shape[-2:]
        return bicubic + colour.LUMA_TO_RGB * details_b1hw[..., :height, :width]

    def own_loss(
        self, low_bt3hw: Tensor, target_b3hw: Tensor, done: float
    ) -> dict[str, Tensor]:
        """Compute the SPMC paper's loss in the three stages of its training.

        Args:
            low_bt3hw: as `forward` takes it.
            target_b3hw: the original middle frame, 0..1.
            done: training progress in [0, 1].

        Returns:
            Terms whose sum is the loss: `motion`, how far each frame is from the warped
            middle one and how smooth the flow is, and `fusion`, the squared error
            of luma after each frame, later ones counting more. A term that is not
            trained yet is 0, and motion stays as it is while fusion begins.
        """
        luma = _luma(low_bt3hw)
        middle = luma[:, FRAMES // 2]
        flows = [self.motion(frame, middle) for frame in luma.unbind(1)]
        pairs = list(zip(luma.unbind(1), flows, strict=True))
        nothing = target_b3hw.new_zeros(())
        moved = sum((_motion_error(*pair, middle) for pair in pairs), start=nothing)
        first, second = STAGES
        if done < first:
            return {"motion": MOTION * moved, "fusion": nothing}
        joint = done >= second
        fused: Tensor = nothing
        state: Any = None
        target = colour.luma(*target_b3hw.unbind(1))
        for index, (frame, flow) in enumerate(pairs):
            splatted = splat(frame, flow if joint else flow.detach())
            full, half, *state = self.fusion(splatted, state)
            details = self.fusion.details(full, half, state[0])
            output = colour.luma(*self._finished(low_bt3hw, details).unbind(1))
            weight = 0.5 + 0.5 * index / (FRAMES - 1)
            fused = fused + weight * losses.mse(output, target)
        return {"motion": MOTION * moved if joint else nothing, "fusion": fused}


def splat(frame_b1hw: Tensor, flow_b2hw: Tensor) -> Tensor:
    """Move a frame's pixels along the flow onto the fine grid.

    Each pixel p comes to R (p + flow(p)) and is shared by the four pixels around,
    by nearness; what falls on one pixel adds up, and where nothing falls it is 0
    (the SPMC paper's section 3.2).

    Args:
        frame_b1hw: (B, 1, h, w).
        flow_b2hw: pixels of the frame, x to the right then y down.

    Returns:
        (B, 1, R h, R w), with gradients to frame and flow.
    """
    batch, _, height, width = frame_b1hw.shape
    # Coordinates need all digits, whatever precision the networks run in.
    flow_b2hw = flow_b2hw.to(torch.promote_types(flow_b2hw.dtype, torch.float32))
    y, x = torch.meshgrid(
        torch.arange(height, device=flow_b2hw.device, dtype=flow_b2hw.dtype),
        torch.arange(width, device=flow_b2hw.device, dtype=flow_b2hw.dtype),
        indexing="ij",
    )
    across, down = SCALE * (x + flow_b2hw[:, 0]), SCALE * (y + flow_b2hw[:, 1])
    left, top = across.floor().detach(), down.floor().detach()
    rows, columns = SCALE * height, SCALE * width
    output = frame_b1hw.new_zeros(batch, rows * columns)
    for step_y in (0, 1):
        for step_x in (0, 1):
            to_x, to_y = left + step_x, top + step_y
            share = (1 - (across - to_x).abs()) * (1 - (down - to_y).abs())
            inside = (to_x >= 0) & (to_x < columns) & (to_y >= 0) & (to_y < rows)
            offset = (to_y.long() * columns + to_x.long()).where(inside, 0).flatten(1)
            value = (frame_b1hw[:, 0] * share).where(inside, 0).flatten(1)
            output = output.scatter_add(1, offset, value.to(output.dtype))
    return output.view(batch, 1, rows, columns)


def _motion_error(frame: Tensor, flow: Tensor, middle: Tensor) -> Tensor:
    """Compare a frame with the warped middle one, and add the flow's gradients."""
    warped, inside = losses.warp(middle, flow)
    down, across = flow.diff(dim=-2).abs().mean(), flow.diff(dim=-1).abs().mean()
    return ((warped - frame) * inside).abs().mean() + SMOOTH * (down + across)


def _luma(low_bt3hw: Tensor) -> Tensor:
    """Compute luma (B, T, 1, h, w), borders repeated to multiples of 4."""
    luma = colour.luma(*low_bt3hw.unbind(2))
    height, width = luma.shape[-2:]
    padding = (0, -width % MULTIPLE, 0, -height % MULTIPLE)
    return functional.pad(luma, padding, mode="replicate")[:, :, None]


def _active(before: int, after: int, side: int, stride: int = 1) -> list[nn.Module]:
    return [nn.Conv2d(before, after, side, stride, side // 2), nn.ReLU()]


def _doubled(before: int, after: int) -> list[nn.Module]:
    return [nn.ConvTranspose2d(before, after, 4, 2, 1), nn.ReLU()]


def build(*, motion: int = 24, width: int = 32) -> Spmc:
    """Build the network with random weights (Glorot and Bengio's).

    Args:
        motion: channels of the motion network (published: 24).
        width: channels of the fusion network at full size (published: 32).

    Returns:
        The network; 53,392 + 1,668,769 parameters at its published size.
    """
    return Spmc(motion=motion, width=width)
