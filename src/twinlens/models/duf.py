"""VSR-DUF, the network of the paper's VSR-DUF-16, VSR-DUF-52 and ToSR2.

Jo, Oh, Kang, Kim, "Deep Video Super-Resolution Network Using Dynamic Upsampling Filters
Without Explicit Motion Compensation", CVPR 2018.

B batch, T = 7 frames, h w low resolution, F channels, K = 25 taps of a filter,
S = 16 subpixels of an enlarged pixel, row by row.
"""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from twinlens.models import SCALE

FRAMES = 7
SIDE = 5  # of a dynamic filter
SUBPIXELS = SCALE * SCALE
SHRINKING = 3  # blocks that take a frame from both ends: 7, 5, 3, 1
LONG_AGO = 1_000_000  # steps, for imported statistics


class Norm(nn.BatchNorm2d):
    """Batch normalisation whose running mean has no share of its starting value.

    As TensorFlow's `zero_debias`: the first step counts fully, later ones as steps of
    an exponential mean that began there.
    """

    def __init__(self, channels: int, share: float) -> None:
        """Build the layer; `share`: a late step's weight in the running statistics."""
        super().__init__(channels, eps=1e-3, momentum=share)
        self.share = share
        self.steps = 0  # as `num_batches_tracked`, without asking the device

    def forward(self, features: Tensor) -> Tensor:
        """Normalise (B T, F, h, w)."""
        if self.training:
            self.steps += 1
            self.momentum = self.share / (1 - (1 - self.share) ** self.steps)
        return super().forward(features)

    def _load_from_state_dict(self, state: Any, prefix: str, *more: Any) -> None:
        super()._load_from_state_dict(state, prefix, *more)
        self.steps = int(self.num_batches_tracked or 0)


class Conv(nn.Module):
    """A convolution of 3x3x3 pixels, done in two dimensions.

    On a processor that is up to several times faster than PyTorch's own in three.
    """

    def __init__(self, channels: int, growth: int, *, shrinks: bool) -> None:
        """Build the layer: black frames beyond both ends, or two frames fewer."""
        super().__init__()
        self.shrinks = shrinks
        self.weight = nn.Parameter(torch.empty(growth, channels, 3, 3, 3))
        self.bias = nn.Parameter(torch.empty(growth))

    def forward(self, features: Tensor, times: int) -> Tensor:
        """Convolve (B T, F, h, w), T = `times`, to G channels of T or T - 2 frames."""
        if self.shrinks:
            return self._shrunk(features.unflatten(0, (-1, times)))
        return self._full(features, times)

    def _shrunk(self, frames_btfhw: Tensor) -> Tensor:
        """Convolve three frames' channels at once."""
        before, here, after = (
            frames_btfhw[:, :-2],
            frames_btfhw[:, 1:-1],
            frames_btfhw[:, 2:],
        )
        stacked = torch.cat([before, here, after], dim=2).flatten(0, 1)
        kernel = self.weight.transpose(1, 2).flatten(1, 2)
        return functional.conv2d(stacked, _last(kernel), self.bias, padding=1)

    def _full(self, features: Tensor, times: int) -> Tensor:
        """Convolve each frame for itself and both beside it, then sum."""
        kernel = self.weight.permute(2, 0, 1, 3, 4).flatten(0, 1)
        output = functional.conv2d(features, _last(kernel), padding=1)
        output = output.unflatten(1, (3, -1)).unflatten(0, (-1, times))
        before, here, after = output.unbind(2)
        summed = here + _later(before[:, :-1], 1) + _later(after[:, 1:], -1)
        return summed.flatten(0, 1) + self.bias.to(summed.dtype)[:, None, None]


def _last(kernel: Tensor) -> Tensor:
    """Convert to channels-last, as the features are."""
    return kernel.contiguous(memory_format=torch.channels_last)


def _later(frames_btfhw: Tensor, by: int) -> Tensor:
    """Put a black frame before (by 1) or after (by -1) the others."""
    padding = (1, 0) if by > 0 else (0, 1)
    return functional.pad(frames_btfhw, (0, 0, 0, 0, 0, 0, *padding))


class Block(nn.Module):
    """Concatenate features of 3x3x3 pixels: F to F + growth channels.

    A full block sees black frames beyond the seven; a shrinking one gives two fewer.
    """

    def __init__(
        self, channels: int, growth: int, share: float, *, shrinks: bool
    ) -> None:
        """Build the layers."""
        super().__init__()
        self.shrinks = shrinks
        self.norm_a = Norm(channels, share)
        self.conv_a = nn.Conv2d(channels, channels, 1)
        self.norm_b = Norm(channels, share)
        self.conv_b = Conv(channels, growth, shrinks=shrinks)

    def forward(self, features: Tensor, times: int) -> Tensor:
        """Map (B T, F, h, w), T = `times`, to F + growth channels, T or T-2 frames."""
        added = self.conv_a(self.norm_a(features).relu_())
        added = self.conv_b(self.norm_b(added).relu_(), times)
        if self.shrinks:
            features = features.unflatten(0, (-1, times))[:, 1:-1].flatten(0, 1)
        return torch.cat([features, added], dim=1)


class Duf(nn.Module):
    """Filter the middle frame by filters predicted for each pixel, and add a residual.

    Beyond a clip's ends it reads black frames, as the published code does.
    """

    frames = FRAMES
    zeros_beyond = True

    def __init__(
        self, *, depth: int, width: int, growth: int, head: int, share: float
    ) -> None:
        """Build the layers; see `build`."""
        super().__init__()
        count = (depth - 4) // 2
        self.conv1 = nn.Conv2d(3, width, 3, padding=1)
        self.blocks = nn.ModuleList(
            Block(width + growth * r, growth, share, shrinks=r >= count - SHRINKING)
            for r in range(count)
        )
        last = width + growth * count
        self.norm = Norm(last, share)
        self.conv2 = nn.Conv2d(last, head, 3, padding=1)
        self.residual1 = nn.Conv2d(head, head, 1)
        self.residual2 = nn.Conv2d(head, 3 * SUBPIXELS, 1)
        self.filter1 = nn.Conv2d(head, 2 * head, 1)
        self.filter2 = nn.Conv2d(2 * head, SIDE * SIDE * SUBPIXELS, 1)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | Conv):
                nn.init.kaiming_normal_(module.weight)
                nn.init.zeros_(module.bias)  # type: ignore[arg-type]

    @property
    def reach(self) -> int:
        """Pixels around one that it reads."""
        return len(self.blocks) + 2 + SIDE // 2

    def forward(self, low_bt3hw: Tensor) -> Tensor:
        """Enlarge the middle frame: (B, 7, 3, h, w) to (B, 3, 4h, 4w), not clipped."""
        frames = low_bt3hw.flatten(0, 1)
        features = self.conv1(frames.contiguous(memory_format=torch.channels_last))
        times = FRAMES
        for block in self.blocks:
            features = block(features, times)
            times -= 2 if block.shrinks else 0
        features = self.conv2(self.norm(features).relu_()).relu_()
        residual = self.residual2(self.residual1(features).relu_())
        filters = self.filter2(self.filter1(features).relu_())
        output = filtered(low_bt3hw[:, FRAMES // 2], filters)
        return functional.pixel_shuffle(output + residual, SCALE)


def filtered(frame_b3hw: Tensor, filters_bfhw: Tensor) -> Tensor:
    """Filter each pixel's 5x5 neighbours, zeros beyond the borders, by its 16 filters.

    Args:
        frame_b3hw: low resolution.
        filters_bfhw: (B, K S, h, w) before softmax over K, which runs slower than S.

    Returns:
        (B, 3 S, h, w), colours running slower.
    """
    batch, _, height, width = frame_b3hw.shape
    near = functional.unfold(frame_b3hw, SIDE, padding=SIDE // 2)
    near = near.view(batch, 3, SIDE * SIDE, 1, height, width)
    weights = filters_bfhw.contiguous().view(batch, 1, -1, SUBPIXELS, height, width)
    return (near * weights.softmax(2)).sum(2).flatten(1, 2)


def build(
    *,
    depth: int = 16,
    width: int = 64,
    growth: int | None = None,
    head: int = 256,
    share: float = 0.001,
    bilinear: bool = False,
) -> Duf:
    """Build the network with random weights (He et al.'s).

    Args:
        depth: 16, 28 or 52 layers as published, or another even number from 10 on.
        width: channels after the first layer (published: 64).
        growth: channels that a block adds; published, and by default: 32 with 16
            layers, else 16.
        head: channels of the last layers (published: 256).
        share: of a training step in the running statistics (published: 0.001; short
            trainings need more).
        bilinear: begin with filters that interpolate and with no residual, so that a
            short training gets beyond interpolation; published networks begin at
            random.

    Returns:
        The network, channels-last; 1,900,640, 2,118,432 and 5,821,952 parameters at the
        published sizes.

    Raises:
        ValueError: there is no such depth.
    """
    if depth % 2 or depth < 4 + 2 * SHRINKING:
        raise ValueError(f"VSR-DUF of {depth} layers: even, and 10 or more")
    if growth is None:
        growth = 32 if depth == 16 else 16
    network = Duf(depth=depth, width=width, growth=growth, head=head, share=share)
    if bilinear:
        _begin_bilinear(network)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network


def _begin_bilinear(network: Duf) -> None:
    """Make filters bilinear interpolation, for all that they still depend on."""
    offsets = (torch.arange(SCALE) - (SCALE - 1) / 2) / SCALE  # of subpixels, low px
    taps = torch.arange(SIDE) - SIDE // 2
    line = (1 - (taps[:, None] - offsets).abs()).clamp_min(0)
    weights = torch.einsum("yb,xa->yxba", line, line).flatten()
    with torch.no_grad():
        for layer in (network.filter2, network.residual2):
            layer.weight *= 0.01
        network.filter2.bias.copy_(weights.clamp_min(1e-3).log())  # type: ignore[union-attr]


def convert(published: Mapping[str, Any]) -> dict[str, Tensor]:
    """Return the state dict of published weights, read by `twinlens.weights.read`.

    Known: `params_16L_x4.h5`, `params_28L_x4.h5`, `params_52L_x4.h5` (project
    yhjo09/VSR-DUF) and files in BasicSR's names (`DUF_x4_16L_official.pth`). They were
    trained on Gaussian low resolution, not on bicubic.

    Raises:
        ValueError: the file holds another network.
    """
    if any(key.startswith("params/") for key in published):
        return _from_tensorflow(published)
    if "conv3d1.weight" in published:
        return _from_basicsr(published)
    raise ValueError(f"no VSR-DUF in it, but {', '.join(sorted(published)[:6])}, ...")


_TF_LAYERS = {
    "conv1": "conv1",
    "fbn1": "norm",
    "conv2": "conv2",
    "rconv1": "residual1",
    "rconv2": "residual2",
    "fconv1": "filter1",
    "fconv2": "filter2",
}
_TF_VARIABLES = {
    "W": "weight",
    "b": "bias",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}


def _from_tensorflow(published: Mapping[str, Any]) -> dict[str, Tensor]:
    """Map variables `G/<layer>/<variable>:0`, "/" written "_" and "_" written "__"."""
    state = {}
    for key, value in published.items():
        name = re.sub(r"(?<!_)_(?!_)", "/", key.removeprefix("params/"))
        _, layer, *rest = name.replace("__", "_").split("/")
        if layer.startswith("filter_localexpand"):
            _check_cut(key, value)
        elif len(rest) == 1:  # else a helper of running means
            variable = _TF_VARIABLES.get(rest[0].removesuffix(":0"), rest[0])
            state[f"{_tf_layer(layer)}.{variable}"] = _tf_tensor(value)
    for part in ("weight", "bias"):
        # depth_to_space reads (row, column, colour), pixel_shuffle colour first.
        taken = state.get(f"residual2.{part}")
        if taken is not None and len(taken) == 3 * SUBPIXELS:
            ours = taken.unflatten(0, (SUBPIXELS, 3)).transpose(0, 1).flatten(0, 1)
            state[f"residual2.{part}"] = ours.contiguous()
    return _counted(state)


def _check_cut(key: str, value: np.ndarray[Any, Any]) -> None:
    """Refuse a file whose cut of neighbours was trained: here it is the identity."""
    identity = np.eye(SIDE * SIDE).reshape(SIDE, SIDE, 1, SIDE * SIDE)
    if value.shape != identity.shape or not np.allclose(value, identity, atol=1e-6):
        raise ValueError(
            f"{key} is not the identity that it was at first: a training changed how"
            " neighbours are cut out, which this network can't follow"
        )


def _tf_layer(layer: str) -> str:
    inner = re.fullmatch(r"R(bn|conv)(\d+)([ab])", layer)
    if not inner:
        return _TF_LAYERS.get(layer, layer)
    kind = {"bn": "norm", "conv": "conv"}[inner[1]]
    return f"blocks.{int(inner[2]) - 1}.{kind}_{inner[3]}"


def _tf_tensor(value: np.ndarray[Any, Any]) -> Tensor:
    """Transpose kernels [time, row, column, in, out] to PyTorch's order."""
    ours = value.transpose(4, 3, 0, 1, 2) if value.ndim == 5 else value
    return _flat(torch.tensor(ours, dtype=torch.float32))


def _flat(weight: Tensor) -> Tensor:
    """Drop the axis of time of kernels of one frame."""
    return weight[:, :, 0] if weight.ndim == 5 and weight.shape[2] == 1 else weight


ORIGIN = "BasicSR, `DUF` with `adapt_official_weights=True`"
_SR_LAYERS = {
    "conv3d1": "conv1",
    "bn3d2": "norm",
    "conv3d2": "conv2",
    "conv3d_r1": "residual1",
    "conv3d_r2": "residual2",
    "conv3d_f1": "filter1",
    "conv3d_f2": "filter2",
}
_SR_BLOCK = {"0": "norm_a", "2": "conv_a", "3": "norm_b", "5": "conv_b"}


def _from_basicsr(published: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Map names of BasicSR's module; channels are in PyTorch's order already."""
    full = re.compile(r"dense_block1\.dense_blocks\.(\d+)\.(\d)\.(\w+)")
    shrinking = re.compile(r"dense_block2\.temporal_reduce(\d)\.(\d)\.(\w+)")
    counts = [int(m[1]) + 1 for key in published if (m := full.fullmatch(key))]
    state = {}
    for key, value in published.items():
        if inner := full.fullmatch(key):
            block = int(inner[1])
        elif inner := shrinking.fullmatch(key):
            block = max(counts, default=0) + int(inner[1]) - 1
        else:
            layer, _, variable = key.rpartition(".")
            state[f"{_SR_LAYERS.get(layer, layer)}.{variable}"] = _flat(value)
            continue
        layer = _SR_BLOCK.get(inner[2], inner[2])
        state[f"blocks.{block}.{layer}.{inner[3]}"] = _flat(value)
    return _counted(state)


def _counted(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Add the number of steps behind each running mean."""
    for key in [key for key in state if key.endswith(".running_mean")]:
        counter = key.replace("running_mean", "num_batches_tracked")
        state[counter] = torch.tensor(LONG_AGO)
    return state


def export(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Name a state dict's entries as BasicSR's module does; all kernels have time."""
    layers = {ours: theirs for theirs, ours in _SR_LAYERS.items()}
    inner = {ours: theirs for theirs, ours in _SR_BLOCK.items()}
    count = 1 + max(int(key.split(".")[1]) for key in state if key.startswith("blocks"))
    published = {}
    for key, value in state.items():
        layer, _, variable = key.rpartition(".")
        if layer.startswith("blocks."):
            _, number, part = layer.split(".")
            theirs = f"{_basicsr_block(int(number), count)}.{inner[part]}"
        else:
            theirs = layers[layer]
        timed = value.unsqueeze(2) if value.ndim == 4 else value
        published[f"{theirs}.{variable}"] = timed
    return published


def _basicsr_block(block: int, count: int) -> str:
    """Name the module of a block, of `count` whose last ones shrink."""
    shrinking = block - (count - SHRINKING)
    if shrinking < 0:
        return f"dense_block1.dense_blocks.{block}"
    return f"dense_block2.temporal_reduce{shrinking + 1}"
