"""FlowNet2's four networks, their parts named as in NVIDIA's published files.

B batch, H W picture, both multiples of 64. A network's flows come coarsest first, at
1/64, 1/32, 1/16, 1/8 and 1/4 of the picture's size.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from twinlens.flow.flownet2.layers import (
    SHIFTS,
    conv,
    correlation,
    deconv,
    flow_head,
    flow_up,
    linear,
)

LEVELS = (6, 5, 4, 3, 2)
"""Halvings of the size at which there is flow, coarsest first."""
DECODED = {5: 512, 4: 256, 3: 128, 2: 64}
"""Channels that the upward path gives to each level, at full width."""


def channels(full: int, width: float) -> int:
    """Scale channels to a width: a multiple of 4, at least 4; `full` at width 1."""
    return max(4, 4 * round(full * width / 4))


class _Encoding(nn.Module):
    """What the four share: convolutions by name, of a width."""

    def __init__(self, width: float) -> None:
        super().__init__()
        self.width = width

    def _wide(self, full: int) -> int:
        return channels(full, self.width)

    def _conv(
        self, name: str, before: int, full: int, kernel: int = 3, stride: int = 1
    ) -> int:
        """Add a convolution; its output's channels."""
        after = self._wide(full)
        self.add_module(name, conv(before, after, kernel, stride))
        return after

    def _run(self, names: str, features: Tensor) -> Tensor:
        """Run some layers by name, one after the other."""
        for name in names.split():
            features = self.get_submodule(name)(features)
        return features


class _Pyramid(_Encoding):
    """The upward path of FlowNetC, -S and -SD: flow at five sizes."""

    def _add_upward(
        self, encoded: Mapping[int, int], *, bias: bool = True, inter: bool = False
    ) -> None:
        """Add the path's layers.

        Args:
            encoded: channels of the features at each level, 6 to 2.
            bias: whether the layers that enlarge flow have biases.
            inter: whether a linear layer stands before each head but the first.
        """
        before = encoded[6]
        self.predict_flow6 = flow_head(before)
        for level, full in DECODED.items():
            after = self._wide(full)
            self.add_module(f"deconv{level}", deconv(before, after))
            self.add_module(f"upsampled_flow{level + 1}_to_{level}", flow_up(bias=bias))
            before = encoded[level] + after + 2
            seen = self._wide(full) if inter else before
            if inter:
                self.add_module(f"inter_conv{level}", linear(before, seen))
            self.add_module(f"predict_flow{level}", flow_head(seen))
        self.inter = inter

    def _tail(self, before: int) -> dict[int, int]:
        """Add levels 4 to 6 on level 3's features; the channels of levels 3 to 6."""
        counts = {3: before}
        for level, full in ((4, 512), (5, 512), (6, 1024)):
            inner = self._conv(f"conv{level}", counts[level - 1], full, stride=2)
            counts[level] = self._conv(f"conv{level}_1", inner, full)
        return counts

    def _deeper(self, features: dict[int, Tensor]) -> dict[int, Tensor]:
        """Add the features of levels 4 to 6 to those of 2 and 3."""
        for level in (4, 5, 6):
            before = features[level - 1]
            features[level] = self._run(f"conv{level} conv{level}_1", before)
        return features

    def _upward(self, features: Mapping[int, Tensor]) -> list[Tensor]:
        """Compute flows (B, 2, H / 2**level, W / 2**level), coarsest first."""
        joined, flows = features[6], [self.predict_flow6(features[6])]
        for level in DECODED:
            up = self._run(f"upsampled_flow{level + 1}_to_{level}", flows[-1])
            decoded = self._run(f"deconv{level}", joined)
            joined = torch.cat([features[level], decoded, up], dim=1)
            head = f"predict_flow{level}"
            names = f"inter_conv{level} {head}" if self.inter else head
            flows.append(self._run(names, joined))
        return flows


class FlowNetC(_Pyramid):
    """Flow from the correlation of both pictures' features."""

    def __init__(self, width: float = 1.0) -> None:
        super().__init__(width)
        one = self._conv("conv1", 3, 64, 7, 2)
        two = self._conv("conv2", one, 128, 5, 2)
        three = self._conv("conv3", two, 256, 5, 2)
        redirected = self._conv("conv_redir", three, 32, 1)
        three = self._conv("conv3_1", redirected + SHIFTS**2, 256)
        self._add_upward({2: two, **self._tail(three)})

    def forward(self, pair_b6hw: Tensor) -> list[Tensor]:
        """Compute the flows of a pair."""
        first, second = (
            self._run("conv1 conv2", picture) for picture in pair_b6hw.chunk(2, dim=1)
        )
        ahead, behind = self._run("conv3", first), self._run("conv3", second)
        alike = nn.functional.leaky_relu(correlation(ahead, behind), 0.1)
        joined = torch.cat([self._run("conv_redir", ahead), alike], dim=1)
        three = self._run("conv3_1", joined)
        return self._upward(self._deeper({2: first, 3: three}))


class FlowNetS(_Pyramid):
    """Better flow from a pair, the second warped backward, its flow, the difference."""

    def __init__(self, width: float = 1.0) -> None:
        super().__init__(width)
        one = self._conv("conv1", 12, 64, 7, 2)
        two = self._conv("conv2", one, 128, 5, 2)
        three = self._conv("conv3", two, 256, 5, 2)
        three = self._conv("conv3_1", three, 256)
        self._add_upward({2: two, **self._tail(three)}, bias=False)

    def forward(self, known_bchw: Tensor) -> list[Tensor]:
        """Compute flows from (B, 12, H, W)."""
        two = self._run("conv1 conv2", known_bchw)
        return self._upward(self._deeper({2: two, 3: self._run("conv3 conv3_1", two)}))


class FlowNetSD(_Pyramid):
    """Flow of small displacements, by small kernels."""

    def __init__(self, width: float = 1.0) -> None:
        super().__init__(width)
        before = self._conv("conv0", 6, 64)
        for level, fulls in ((1, (64, 128)), (2, (128, 128)), (3, (256, 256))):
            before = self._conv(f"conv{level}", before, fulls[0], stride=2)
            before = self._conv(f"conv{level}_1", before, fulls[1])
        two = self._wide(128)
        self._add_upward({2: two, **self._tail(before)}, inter=True)

    def forward(self, pair_b6hw: Tensor) -> list[Tensor]:
        """Compute the flows of a pair."""
        two = self._run("conv0 conv1 conv1_1 conv2 conv2_1", pair_b6hw)
        return self._upward(self._deeper({2: two, 3: self._run("conv3 conv3_1", two)}))


class FlowNetFusion(_Encoding):
    """One flow of two, at the picture's size."""

    def __init__(self, width: float = 1.0) -> None:
        super().__init__(width)
        zero = self._conv("conv0", 11, 64)
        one = self._conv("conv1_1", self._conv("conv1", zero, 64, stride=2), 128)
        two = self._conv("conv2_1", self._conv("conv2", one, 128, stride=2), 128)
        self.predict_flow2 = flow_head(two)
        before = two
        for level, full, encoded in ((1, 32, one), (0, 16, zero)):
            after = self._wide(full)
            self.add_module(f"deconv{level}", deconv(before, after))
            self.add_module(f"upsampled_flow{level + 1}_to_{level}", flow_up())
            before = encoded + after + 2
            self.add_module(f"inter_conv{level}", linear(before, after))
            self.add_module(f"predict_flow{level}", flow_head(after))

    def forward(self, known_bchw: Tensor) -> Tensor:
        """Compute flow (B, 2, H, W) from (B, 11, H, W)."""
        zero = self._run("conv0", known_bchw)
        one = self._run("conv1 conv1_1", zero)
        joined = self._run("conv2 conv2_1", one)
        flow = self.predict_flow2(joined)
        for level, features in ((1, one), (0, zero)):
            up = self._run(f"upsampled_flow{level + 1}_to_{level}", flow)
            decoded = self._run(f"deconv{level}", joined)
            joined = torch.cat([features, decoded, up], dim=1)
            flow = self._run(f"inter_conv{level} predict_flow{level}", joined)
        return flow
