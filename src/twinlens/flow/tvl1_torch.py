"""TV-L1 of many pairs at once, in PyTorch: for GPUs.

The same arithmetic as `tvl1_presets` and `tvl1_kernels`, pixel by pixel, and where they
are exact (all presets but `fast`), rounded as there: a last digit grows from warp to
warp and from scale to scale, to pixels at the edges of what moves.

All pairs of a batch take every step together, and one that has settled keeps its flow,
so that a batch starts as many kernels as a single pair does. On a GPU an iteration is
compiled (Triton); its state may be stored in half precision, which halves the traffic
that bounds it.

N pairs, H W a picture of one scale; flow is (N, 2, H, W) in pixels of that scale, the
dual field (N, 2, 2, H, W): component of the flow, then direction.
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import torch
import torch.nn.functional as nnf
from numpy.typing import NDArray
from torch import Tensor

from twinlens.flow import tvl1_kernels, tvl1_presets
from twinlens.flow.tvl1_kernels import CHUNK, EDGE
from twinlens.flow.tvl1_presets import EPSILON

THETA, LIMIT = float(tvl1_kernels.THETA), float(tvl1_kernels.LIMIT)
STEP, FLAT = float(tvl1_kernels.STEP), float(tvl1_kernels.FLAT)

BYTES = 1 << 32
"""Of the device's memory that a batch takes, about."""
PLANES = 80
"""Pictures in single precision that a pair takes at most: the median's 50 and more."""
ITERATIONS_BETWEEN_LOOKS = 12
"""Whether all pairs have settled is asked of the device, which waits for it."""


def tvl1(
    first: NDArray[np.uint8],
    second: NDArray[np.uint8],
    preset: str,
    device: torch.device,
    storage: Literal["float32", "float16"] = "float32",
) -> NDArray[np.float32]:
    """Compute the flow of pairs, on a device.

    Args:
        first: uint8 (N, H, W), grey.
        second: the same shape.
        preset: one of `PRESETS`.
        device: where.
        storage: of flow and dual field between iterations; they are computed in single
            precision.

    Returns:
        float32 (N, 2, H, W), as `twinlens.flow.tvl1` gives it.
    """
    height, width = first.shape[1:]
    batch = max(1, BYTES // (4 * PLANES * height * width))
    found = [np.zeros((0, 2, height, width), np.float32)]
    for start in range(0, len(first), batch):
        part = slice(start, start + batch)
        one, two = (_pyramids(each[part], preset, device) for each in (first, second))
        flow = _solve(one, two, RULES[preset], getattr(torch, storage))
        found.append(flow.cpu().numpy())
    return np.concatenate(found)


def _pyramids(
    pictures: NDArray[np.uint8], preset: str, device: torch.device
) -> list[Tensor]:
    """Shrink pictures (N, H, W) as the CPU does, on the CPU; finest first."""
    rule = tvl1_presets.PRESETS[preset]
    found = [tvl1_presets.pyramid(each.astype(np.float32), rule) for each in pictures]
    return [
        torch.from_numpy(np.stack(level)).to(device)
        for level in zip(*found, strict=True)
    ]


@torch.no_grad()
def _solve(
    first: list[Tensor], second: list[Tensor], rule: "Rule", kind: torch.dtype
) -> Tensor:
    """Compute the flow of pyramids, from coarsest to finest level."""
    flow = torch.zeros_like(first[-1]).unsqueeze(1).repeat(1, 2, 1, 1)
    for one, two in zip(*map(reversed, (first, second)), strict=True):
        if flow.shape[2:] != one.shape[1:]:
            flow = rule.enlarge(flow, one.shape[1], one.shape[2])
        flow = rule.solve(Scale(one, two, flow, kind), one is first[0])
    return flow


# --- one scale ----------------------------------------------------------------------


class Data(NamedTuple):
    """What a warp linearises, for each pixel."""

    gradient: Tensor
    """(N, 2, H, W), of the warped second picture."""
    rest: Tensor
    """(N, 1, H, W), the misfit where there is no flow."""
    norm: Tensor
    """(N, 1, H, W), the squared length of the gradient."""


class Scale:
    """The pictures and the state of one pyramid level."""

    def __init__(
        self, first: Tensor, second: Tensor, flow: Tensor, kind: torch.dtype
    ) -> None:
        self.first, self.table = first.unsqueeze(1), _gradient_table(second)
        self.flow = flow.to(kind)
        self.dual = flow.new_zeros(len(flow), 2, *flow.shape[1:], dtype=kind)
        height, width = first.shape[1:]
        self.threshold = float(np.float32(EPSILON * EPSILON * (height * width)))
        self.device = flow.device
        self.iterate = _compiled() if self.device.type == "cuda" else iterate

    def linearise(self, cubic: "Cubic", beyond: str) -> Data:
        """Warp the second picture and its gradient by the flow.

        Args:
            cubic: how both are looked up.
            beyond: outside the picture is "zero", its "edge", or "nothing": no data.
        """
        flow = self.flow.float()
        height, width = flow.shape[2:]
        x = torch.arange(width, device=self.device) + flow[:, 0]
        y = torch.arange(height, device=self.device).unsqueeze(1) + flow[:, 1]
        inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
        moved = _look_up(self.table, x, y, cubic, zero=beyond == "zero")
        gradient = moved[:, 1:]
        across, down = (gradient * flow).split(1, dim=1)
        rest = moved[:, :1] - across - down - self.first
        if beyond == "nothing":
            inside = inside.unsqueeze(1)
            gradient, rest = gradient * inside, rest * inside
        return Data(gradient, rest, (gradient * gradient).sum(1, keepdim=True))

    def step(self, data: Data, active: Tensor, *, exact: bool = True) -> Tensor:
        """Iterate once where `active` (N,); the squared change (N,) of each flow."""
        state = (self.flow, self.dual, *data, active)
        self.flow, self.dual, change = self.iterate(*state, exact=exact)
        return change

    def smooth(self, active: Tensor) -> None:
        """Replace the flow by its median over 5 x 5 pixels, where `active`."""
        flow = self.flow.float()
        around = nnf.pad(flow, (2, 2, 2, 2), mode="replicate")
        windows = around.unfold(2, 5, 1).unfold(3, 5, 1).flatten(4)
        median = windows.median(dim=-1).values.to(self.flow.dtype)
        self.flow = torch.where(active.view(-1, 1, 1, 1), median, self.flow)

    def everywhere(self) -> Tensor:
        """All pairs are active."""
        return torch.ones(len(self.flow), dtype=torch.bool, device=self.device)


def iterate(
    flow: Tensor,
    dual: Tensor,
    gradient: Tensor,
    rest: Tensor,
    norm: Tensor,
    active: Tensor,
    *,
    exact: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    """Take one step of flow and dual field, where `active` (N,); its change (N,).

    Where it is to be exact, lengths are taken in double precision, as OpenCV does.
    """
    old, field = flow.float(), dual.float()
    misfit = rest + (gradient * old).sum(1, keepdim=True)
    bound = LIMIT * norm
    k = torch.where(norm > FLAT, -misfit / norm, 0.0)
    k = torch.where(misfit > bound, -LIMIT, torch.where(misfit < -bound, LIMIT, k))
    new = (old + k * gradient) + THETA * _divergence(field)
    change = (new - old).square().sum((1, 2, 3), dtype=torch.float64)
    slope = torch.stack(
        [nnf.pad(new.diff(dim=3), (0, 1)), nnf.pad(new.diff(dim=2), (0, 0, 0, 1))], 2
    )
    length = slope.to(torch.float64 if exact else torch.float32).square()
    length = length.sum(2, keepdim=True).sqrt().float()
    field = (field + STEP * slope) / (1 + STEP * length)
    on = active.view(-1, 1, 1, 1)
    flow = torch.where(on, new.to(flow.dtype), flow)
    dual = torch.where(on.unsqueeze(4), field.to(dual.dtype), dual)
    return flow, dual, change


def _divergence(field: Tensor) -> Tensor:
    """Backward differences; the field is zero outside."""
    across, down = field[:, :, 0], field[:, :, 1]
    above = nnf.pad(down, (0, 0, 1, 0))[:, :, :-1]
    found = nnf.pad(across, (1, 0)).diff(dim=3) + (down - above)
    # OpenCV adds up the first column in another order, which rounds differently.
    found[..., 0] = (across[..., 0] + down[..., 0]) - above[..., 0]
    return found


@functools.cache
def _compiled() -> Callable[..., tuple[Tensor, Tensor, Tensor]]:
    return torch.compile(iterate, dynamic=True)


# --- the presets --------------------------------------------------------------------


def _solve_opencv(scale: Scale, finest: bool) -> Tensor:
    for _ in range(5):
        data, active = scale.linearise(REMAP, "zero"), scale.everywhere()
        for _ in range(10):
            scale.smooth(active)
            for done in range(1, 31):
                active = active & (scale.step(data, active) > scale.threshold)
                if _settled(done, active):
                    break
            if not active.any():
                break
    return scale.flow.float()


def _solve_fast(scale: Scale, finest: bool) -> Tensor:
    for _ in range(3 if finest else 1):
        data, active = scale.linearise(REMAP, "nothing"), scale.everywhere()
        for done in range(1, 31):
            change = scale.step(data, active, exact=False)
            if done % CHUNK == 0:
                active = active & (change > scale.threshold)
                if not active.any():
                    break
    scale.smooth(scale.everywhere())
    return scale.flow.float()


def _solve_gpu(scale: Scale, finest: bool) -> Tensor:
    """Measure the change as rarely as `tvl1_kernels.settle_gpu` does, for each pair."""
    for _ in range(5):
        data, active = scale.linearise(ON_GPUS, "edge"), scale.everywhere()
        guess = torch.zeros(len(active), dtype=torch.float64, device=scale.device)
        for done in range(1, 301):
            change = scale.step(data, active)
            measured = (guess < scale.threshold) & (done % 2 == 0) | (done == 300)
            guess = torch.where(measured, change, guess - scale.threshold)
            active = active & ~(measured & (change <= scale.threshold))
            if _settled(done, active):
                break
    return scale.flow.float()


def _settled(done: int, active: Tensor) -> bool:
    return done % ITERATIONS_BETWEEN_LOOKS == 0 and not bool(active.any())


@dataclass(frozen=True, slots=True)
class Rule:
    """How one preset solves one of its levels."""

    enlarge: Callable[[Tensor, int, int], Tensor]
    """Takes flow to the next finer size, values included."""
    solve: Callable[[Scale, bool], Tensor]
    """Gives a scale's flow, and is told whether it is the finest."""


# --- sampling -----------------------------------------------------------------------


def _sample(pictures: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Sample (..., H, W) bilinearly on a grid; the edge continues beyond."""
    for axis, at in ((-1, columns), (-2, rows)):
        last = pictures.shape[axis] - 1
        at = at.clamp(0, last)
        below = at.floor().long()
        weight = (at - below).float()
        low = pictures.index_select(axis, below)
        high = pictures.index_select(axis, (below + 1).clamp(max=last))
        pictures = _fma(high - low, weight if axis == -1 else weight.view(-1, 1), low)
    return pictures


def _enlarge(
    flow: Tensor, height: int, width: int, *, factor: float, centred: bool
) -> Tensor:
    """Enlarge flow; pictures coincide in their centres, or in their first corner."""
    grid = []
    for old, new in zip(flow.shape[2:], (height, width), strict=True):
        at = torch.arange(new, dtype=torch.float64, device=flow.device)
        step = old / new
        grid.append((at + 0.5) * step - 0.5 if centred else at.float() * step)
    return _sample(flow, *grid) * factor


def _gradient_table(picture: Tensor) -> Tensor:
    """Stack pictures (N, H, W) and their gradients to (N, 3, H, W).

    The gradient is the central difference, and half of the one-sided one at the edge.
    """
    around = nnf.pad(picture.unsqueeze(1), (1, 1, 1, 1), mode="replicate")
    across = (around[:, :, 1:-1, 2:] - around[:, :, 1:-1, :-2]) / 2
    down = (around[:, :, 2:, 1:-1] - around[:, :, :-2, 1:-1]) / 2
    return torch.cat([picture.unsqueeze(1), across, down], 1)


def _look_up(
    table: Tensor, x: Tensor, y: Tensor, cubic: "Cubic", *, zero: bool
) -> Tensor:
    """Look up bicubic (N, C, H, W) at points (N, H, W); beyond is zero, or the edge."""
    height, width = table.shape[2:]
    reach = 3 if zero else 2  # further out, the four taps are all beyond
    shift = 0 if zero else EDGE  # as on the CPU: it takes digits of the fraction
    x = x.clamp(-reach, width - 1 + reach) + shift
    y = y.clamp(-reach, height - 1 + reach) + shift
    padded = nnf.pad(table, (EDGE + 1,) * 4, mode="constant" if zero else "replicate")
    pitch = padded.shape[3]
    left, top = x.floor(), y.floor()
    across, down = cubic.weights(x - left), cubic.weights(y - top)
    corner = (top.long() + EDGE - shift) * pitch + left.long() + EDGE - shift
    flat, lines = padded.flatten(2), []
    for row in range(4):
        taken = []
        for column in range(4):
            at = (corner + row * pitch + column).flatten(1).unsqueeze(1)
            found = flat.gather(2, at.expand(-1, table.shape[1], -1))
            taken.append(found.view_as(table))
        lines.append(cubic.across(across, taken))
    return cubic.down(down, lines)


def _plain(weights: Sequence[Tensor], values: Sequence[Tensor]) -> Tensor:
    """Sum four weighed values (N, C, H, W), one after the other."""
    first, *others = (
        weight.unsqueeze(1) * value
        for weight, value in zip(weights, values, strict=True)
    )
    return sum(others, start=first)


def _fused(
    weights: Sequence[Tensor], values: Sequence[Tensor], *, start: int
) -> Tensor:
    """Sum four weighed values (N, C, H, W), each rounded once with its product.

    Args:
        weights: (N, H, W) each.
        values: what they weigh.
        start: which of the first two is rounded before.
    """
    order = (start, 1 - start, 2, 3)
    total = torch.zeros_like(values[0])
    for index in order:
        total = _fma(weights[index].unsqueeze(1), values[index], total)
    return total


def _fma(a: Tensor, b: Tensor | float, c: Tensor | float) -> Tensor:
    """Compute a * b + c, rounded once."""
    return (a.double() * b + c).float()


def _weights_of_remap(at: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Weigh with a = -0.75."""
    to, square = 1 - at, at * at
    before, after = -0.75 * (at * (to * to)), -0.75 * (square * to)
    here = _fma(_fma(at, 1.25, -2.25), square, 1.0)
    return before, here, 1 - before - here - after, after


def _weights_on_gpus(at: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Weigh with a = -0.5."""
    to = 1 - at
    outer = -0.5 * at * to
    before, after = outer * to, outer * at
    far = (1.5 * to - 2.5) * to * to + 1
    return before, 1 - before - far - after, far, after


Sum = Callable[[Sequence[Tensor], Sequence[Tensor]], Tensor]


class Cubic(NamedTuple):
    """How bicubic values are computed, and rounded."""

    weights: Callable[[Tensor], Sequence[Tensor]]
    """Of the four pixels around a point that lies 0..1 after the second of them."""
    across: Sum
    """Of a row's four pixels."""
    down: Sum
    """Of the four rows."""


REMAP = Cubic(
    _weights_of_remap,
    functools.partial(_fused, start=0),
    functools.partial(_fused, start=0),
)
"""As OpenCV 5's `remap`."""
ON_GPUS = Cubic(_weights_on_gpus, _plain, functools.partial(_fused, start=1))
"""As `tvl1_kernels` looks up."""

RULES = {
    "opencv": Rule(
        functools.partial(_enlarge, factor=1.25, centred=True), _solve_opencv
    ),
    "fast": Rule(functools.partial(_enlarge, factor=1.25, centred=True), _solve_fast),
    "gpu24": Rule(functools.partial(_enlarge, factor=2.0, centred=False), _solve_gpu),
    "cuda": Rule(functools.partial(_enlarge, factor=1.25, centred=False), _solve_gpu),
}
