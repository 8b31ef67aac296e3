"""ResNet in MSRA's layout: bottlenecks whose first 1x1 convolution has the stride.

He et al. (CVPR 2016), as Caffe's published ResNet-50 is laid out and MatConvNet
imported it; torchvision's has the stride in the 3x3 convolution and pads its first
pooling symmetrically, so their weights do not fit each other.

Legend: N images, C channels, H W pixels, K classes.
"""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

FIRST_CONV = "conv1"
"""The convolution that sees the input, for cross-modality initialisation."""
EXPANSION = 4
STAGES = (2, 3, 4, 5)
"""As MSRA numbers them; the first convolution is stage 1."""
EPS = 1e-5


class Block(nn.Module):
    """A bottleneck: relu(shortcut(x) + branch(x))."""

    def __init__(self, inputs: int, width: int, stride: int, project: bool) -> None:
        """Lay out the layers.

        Args:
            inputs: channels that come in.
            width: channels of the bottleneck; four times as many come out.
            stride: of the first 1x1 convolution, and of the projection.
            project: whether the shortcut is a convolution, as in the a blocks.
        """
        super().__init__()
        outputs = EXPANSION * width
        self.project = project
        if project:
            self.branch1 = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
            self.bn1 = nn.BatchNorm2d(outputs, eps=EPS)
        self.branch2a: nn.Module = nn.Conv2d(inputs, width, 1, stride, bias=False)
        self.bn2a = nn.BatchNorm2d(width, eps=EPS)
        self.branch2b = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2b = nn.BatchNorm2d(width, eps=EPS)
        self.branch2c: nn.Module = nn.Conv2d(width, outputs, 1, bias=False)
        self.bn2c = nn.BatchNorm2d(outputs, eps=EPS)

    def shortcut(self, image_nchw: Tensor) -> Tensor:
        """Pass the input on, projected in the a blocks."""
        if not self.project:
            return image_nchw
        projected: Tensor = self.bn1(self.branch1(image_nchw))
        return projected

    def branch(self, image_nchw: Tensor) -> Tensor:
        """Compute the residual."""
        found = functional.relu(self.bn2a(self.branch2a(image_nchw)))
        found = functional.relu(self.bn2b(self.branch2b(found)))
        residual: Tensor = self.bn2c(self.branch2c(found))
        return residual

    def forward(self, image_nchw: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, 4 width, h, w)."""
        return functional.relu(self.shortcut(image_nchw) + self.branch(image_nchw))


class ResNet(nn.Module):
    """Stages of bottlenecks, a mean over space, a classifier."""

    def __init__(
        self,
        *,
        channels: int,
        classes: int,
        width: int,
        blocks: Sequence[int],
        dropout: float,
    ) -> None:
        """Lay out the layers; see `build`."""
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 7, 2, padding=3, bias=False)
        self.bn_conv1 = nn.BatchNorm2d(width, eps=EPS)
        inputs = width
        self.stages: list[list[str]] = []
        for stage, count in zip(STAGES, blocks, strict=True):
            self.stages.append([])
            inner = width << (stage - STAGES[0])
            for number in range(count):
                stride = 2 if number == 0 and stage > STAGES[0] else 1
                name = f"res{stage}{'abcdefghijklmnopqrstuvwxyz'[number]}"
                self.add_module(name, Block(inputs, inner, stride, number == 0))
                self.stages[-1].append(name)
                inputs = EXPANSION * inner
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(inputs, classes)
        _initialise(self)

    def block(self, name: str) -> Block:
        """Return a block by its name, such as "res2a"."""
        found = self.get_submodule(name)
        assert isinstance(found, Block)
        return found

    def begin(self, image_nchw: Tensor) -> Tensor:
        """Compute what stage 2 takes: (N, width, H / 4, W / 4)."""
        found = functional.relu(self.bn_conv1(self.conv1(image_nchw)))
        return functional.max_pool2d(found, 3, 2, ceil_mode=True)

    def end(self, maps_nchw: Tensor) -> Tensor:
        """Score maps: (N, C, h, w) to (N, K).

        The classifier stands at every place of a mean over 7x7; scores are averaged
        over places. Smaller maps have one mean.
        """
        sides = [min(7, side) for side in maps_nchw.shape[-2:]]
        means = functional.avg_pool2d(maps_nchw, sides, 1).mean(dim=(2, 3))
        scores: Tensor = self.fc(self.dropout(means))
        return scores

    def forward(self, image_nchw: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, K) scores before softmax."""
        found = self.begin(image_nchw)
        for stage in self.stages:
            for name in stage:
                found = self.block(name)(found)
        return self.end(found)


def _initialise(network: nn.Module) -> None:
    """Draw weights as He et al. (ICCV 2015) do."""
    for part in network.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")


def build(
    *,
    channels: int,
    classes: int,
    width: int = 64,
    blocks: Sequence[int] = (3, 4, 6, 3),
    dropout: float = 0.0,
) -> ResNet:
    """Build the network with random weights; by default ResNet-50.

    Args:
        channels: of the input; 3 for colours, 20 for ten flow fields.
        classes: scores an image.
        width: channels of the first convolution; 64 in ResNet-50.
        blocks: bottlenecks of each of the four stages.
        dropout: share of the last features dropped in training.

    Returns:
        Maps float (N, C, H, W), sides of 32 pixels or more, to float (N, K) scores
        before softmax.
    """
    return ResNet(
        channels=channels, classes=classes, width=width, blocks=blocks, dropout=dropout
    )
