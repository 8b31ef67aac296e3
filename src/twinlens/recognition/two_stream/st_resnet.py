"""ST-ResNet: two ResNets, motion injected into appearance, convolutions over time.

Feichtenhofer, Pinz, Wildes (NIPS 2016), as their release builds it. After the a block
of each stage, what the motion stream found is added to the appearance stream's sum
before its ReLU, and only the residual branch of the b block sees it: the shortcut stays
as it was. In the b blocks of both streams the 1x1 convolutions see three frames. Each
stream has a classifier of its own.

Legend: B batch, T frames, N = B T images, C channels, H W pixels, L flows a stack,
K classes.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from twinlens.recognition.backbones import resnet
from twinlens.recognition.backbones.resnet import MEAN_RGB, Block, ResNet
from twinlens.weights import matconvnet

STREAMS = ("spatial", "temporal")
TAPS = 3
POOL, POOL_STRIDE = 5, 2
"""Frames of the maximum over time, and its stride (stage 2)."""


class TimeConv(nn.Module):
    """A 1x1 convolution that also sees the frames before and after."""

    def __init__(self, plain: nn.Module) -> None:
        """Take a 1x1 convolution's weights, spread over time: (out, in, 3, 1)."""
        super().__init__()
        assert isinstance(plain, nn.Conv2d)
        self.weight = nn.Parameter(over_time(plain.weight.detach()))
        self.frames = 1

    def forward(self, image_nchw: Tensor) -> Tensor:
        """Map (B T, C, H, W) to (B T, out, H, W); before and after a clip is zero."""
        count, channels, height, width = image_nchw.shape
        clips = image_nchw.reshape(-1, self.frames, channels, height * width)
        found = functional.conv2d(
            clips.transpose(1, 2), self.weight, padding=(TAPS // 2, 0)
        )
        return found.transpose(1, 2).reshape(count, -1, height, width)


class StResNet(nn.Module):
    """Both streams."""

    def __init__(
        self,
        *,
        stack: int,
        classes: int,
        width: int,
        blocks: Sequence[int],
        dropout: float,
        pool: bool,
    ) -> None:
        """Lay out the layers; see `build`."""
        super().__init__()
        if min(blocks) < 2:
            raise ValueError(f"blocks {list(blocks)}: each stage needs an a and a b")
        stream = partial(
            resnet.build, classes=classes, width=width, blocks=blocks, dropout=dropout
        )
        self.spatial, self.temporal = stream(channels=3), stream(channels=2 * stack)
        self.pool, self.mean = pool, MEAN_RGB
        for network in (self.spatial, self.temporal):
            for _, second, *_ in network.stages:
                block = network.block(second)
                block.branch2a = TimeConv(block.branch2a)
                block.branch2c = TimeConv(block.branch2c)

    def forward(self, frames_bt: Tensor, flow_bt: Tensor) -> dict[str, Tensor]:
        """Score clips by each stream.

        Args:
            frames_bt: float (B, T, 3, H, W).
            flow_bt: float (B, T, 2 L, H, W), flow around each frame.

        Returns:
            (B, T, K) by stream, before softmax; with pooling (B, t, K), of t windows.
        """
        batch, count = frames_bt.shape[:2]
        for part in self.modules():
            if isinstance(part, TimeConv):
                part.frames = count
        appearance = self.spatial.begin(frames_bt.flatten(0, 1))
        motion = self.temporal.begin(flow_bt.flatten(0, 1))
        for names in self.spatial.stages:
            appearance, motion = self._stage(names, appearance, motion)
        return {
            "spatial": self._scores(self.spatial, appearance, batch),
            "temporal": self._scores(self.temporal, motion, batch),
        }

    def _stage(
        self, names: Sequence[str], appearance: Tensor, motion: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Go through a stage's blocks, which both streams name alike: (N, C, h, w)."""
        own = [self.spatial.block(name) for name in names]
        other = [self.temporal.block(name) for name in names]
        motion = other[0](motion)
        appearance = injected(own[0], own[1], appearance, motion)
        for block in own[2:]:
            appearance = block(appearance)
        for block in other[1:]:
            motion = block(motion)
        return appearance, motion

    def _scores(self, stream: ResNet, maps: Tensor, batch: int) -> Tensor:
        """Score maps (N, C, h, w): (B, t, K)."""
        if self.pool:
            windows = pooled(maps.unflatten(0, (batch, -1)))
            maps = windows.flatten(0, 1)
        return stream.end(maps).unflatten(0, (batch, -1))


def injected(first: Block, second: Block, image: Tensor, motion: Tensor) -> Tensor:
    """Compute an appearance stream's a and b blocks, the b's residual with motion.

    Args:
        first: the a block.
        second: the b block.
        image: (N, C, H, W), what the a block takes.
        motion: (N, c, h, w), what the motion stream's a block gives.

    Returns:
        (N, c, h, w): relu(relu(s) + branch(s + motion)), s the a block's sum before
        its ReLU.
    """
    before = first.shortcut(image) + first.branch(image)
    shortcut = second.shortcut(functional.relu(before))
    return functional.relu(shortcut + second.branch(before + motion))


def pooled(maps: Tensor) -> Tensor:
    """Take the maximum over windows of frames: (B, T, C, h, w) to (B, t, C, h, w).

    Windows of 5 frames, each 2 after the one before; all frames where there are fewer.
    """
    size = min(POOL, maps.shape[1])
    windows = maps.unfold(1, size, POOL_STRIDE)
    return windows.amax(dim=-1)


def over_time(weight: Tensor) -> Tensor:
    """Spread a 1x1 convolution over three frames: (O, I, 1, 1) to (O, I, 3, 1).

    Each tap has a third of it, so that a clip without motion gives what it gave before.
    """
    return (weight / TAPS).repeat(1, 1, TAPS, 1)


def from_streams(streams: Mapping[str, Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Join the state dicts of both base networks, their b blocks spread over time."""
    found: dict[str, Tensor] = {}
    for stream, state in streams.items():
        for name, value in state.items():
            second = name[4:5] == "b" and name[:3] == "res"
            timed = second and name.split(".", 1)[1] in (
                "branch2a.weight",
                "branch2c.weight",
            )
            found[f"{stream}.{name}"] = over_time(value) if timed else value
    return found


def build(
    *,
    stack: int = 10,
    classes: int,
    width: int = 64,
    blocks: Sequence[int] = (3, 4, 6, 3),
    dropout: float = 0.0,
    pool: bool = True,
    mean: Sequence[float] = MEAN_RGB,
) -> StResNet:
    """Build the network with random weights; by default of two ResNet-50.

    Args:
        stack: flows around each frame, L.
        classes: of each stream's classifier.
        width: channels of the first convolutions; 64 in ResNet-50.
        blocks: bottlenecks of each of the four stages, two or more.
        dropout: share of the last features dropped in training.
        pool: whether maps are pooled over time before the classifiers (stage 2).
        mean: of red, green and blue 0..255, subtracted from frames beforehand.
    """
    network = StResNet(
        stack=stack,
        classes=classes,
        width=width,
        blocks=blocks,
        dropout=dropout,
        pool=pool,
    )
    network.mean = tuple(mean)
    return network


def convert(found: Mapping[str, Any]) -> dict[str, Tensor]:
    """Convert MatConvNet's file of stage 1 or 2 to a state dict.

    Args:
        found: what `twinlens.weights.read` returns of a .mat file with a DagNN network,
            whose parameters end in `_spatial` and `_temporal`.

    Raises:
        ValueError: it is no ST-ResNet.
    """
    streams = _streams(found)
    return {
        f"{stream}.{name}": value
        for stream, state in streams.items()
        for name, value in state.items()
    }


def settings_of(found: Mapping[str, Any]) -> dict[str, Any]:
    """Read the size of a file's network, and the mean of frames that it subtracts."""
    sizes = {
        stream: resnet.sizes_of(state) for stream, state in _streams(found).items()
    }
    settings = {**sizes["spatial"], "stack": sizes["temporal"]["channels"] // 2}
    del settings["channels"]
    mean = matconvnet.average_image(found)
    if mean and len(mean) == sizes["temporal"]["channels"] + 3:
        settings["mean"] = mean[-3:]  # flow first
    return settings


def _streams(found: Mapping[str, Any]) -> dict[str, dict[str, Tensor]]:
    """The state dict of each stream."""
    parameters = matconvnet.parameters(found)
    odd = [name for name in parameters if name.rpartition("_")[2] not in STREAMS]
    if odd:
        raise ValueError(f"no ST-ResNet: {odd[0]} is of neither stream")
    return {
        stream: resnet.state_of(
            {
                name.removesuffix(f"_{stream}"): value
                for name, value in parameters.items()
                if name.endswith(f"_{stream}")
            }
        )
        for stream in STREAMS
    }
