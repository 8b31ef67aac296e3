"""BN-Inception as temporal segment networks use it (Wang et al., ECCV 2016).

Layer sizes, pooling and names are those of the published Caffe network definitions
(yjxiong/temporal-segment-networks, files tsn_bn_inception_*_deploy.prototxt), whose
blocks 4c and 4d give 608 channels, not the 576 of the batch normalisation paper. The
state dict's names are those of the conversions to PyTorch: Caffe's, with `/` as `_`.

Legend: B batch, C channels, H W pixels, K classes.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

FIRST_CONV = "conv1_7x7_s2"
"""The convolution that sees the input, for cross-modality initialisation."""


@dataclass(frozen=True, slots=True)
class Block:
    """One inception block: how many channels its convolutions give.

    A block without a `straight` branch halves the map: its last 3x3 convolutions and
    its max-pooling step by two, and the pooled input joins without a projection.
    """

    name: str
    straight: int
    """Channels of the 1x1 branch; 0 where there is none."""
    single: tuple[int, int]
    """Channels of the 3x3 branch: its 1x1 reduction, its 3x3."""
    double: tuple[int, int]
    """Channels of the double 3x3 branch: its 1x1 reduction, each of its two 3x3."""
    pooled: int
    """Channels of the projection after pooling; 0 where there is none."""
    pool: str = "mean"

    @property
    def stride(self) -> int:
        """Step of the block's last convolutions and of its pooling, in pixels."""
        return 1 if self.straight else 2

    def channels(self, before: int) -> int:
        """Channels of the block's output, by those of its input."""
        pooled = self.pooled or before
        return self.straight + self.single[1] + self.double[1] + pooled


BLOCKS = (
    Block("inception_3a", 64, (64, 64), (64, 96), 32),
    Block("inception_3b", 64, (64, 96), (64, 96), 64),
    Block("inception_3c", 0, (128, 160), (64, 96), 0, "max"),
    Block("inception_4a", 224, (64, 96), (96, 128), 128),
    Block("inception_4b", 192, (96, 128), (96, 128), 128),
    Block("inception_4c", 160, (128, 160), (128, 160), 128),
    Block("inception_4d", 96, (128, 192), (160, 192), 128),
    Block("inception_4e", 0, (128, 192), (192, 256), 0, "max"),
    Block("inception_5a", 352, (192, 320), (160, 224), 128),
    Block("inception_5b", 352, (192, 320), (192, 224), 128, "max"),
)


class BnInception(nn.Module):
    """Ten inception blocks with batch normalisation after every convolution."""

    def __init__(self, *, channels: int, classes: int, dropout: float) -> None:
        """Lay out the layers; see `build`."""
        super().__init__()
        self._add(FIRST_CONV, channels, 64, 7, stride=2)
        self._add("conv2_3x3_reduce", 64, 64, 1)
        self._add("conv2_3x3", 64, 192, 3)
        width = 192
        for block in BLOCKS:
            self._add_block(block, width)
            width = block.channels(width)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(width, classes) if classes else nn.Identity()
        self._initialise()

    def _add(
        self, name: str, before: int, after: int, size: int, stride: int = 1
    ) -> None:
        """Add a convolution and its normalisation under the published names."""
        conv = nn.Conv2d(before, after, size, stride=stride, padding=size // 2)
        self.add_module(name, conv)
        self.add_module(f"{name}_bn", nn.BatchNorm2d(after, eps=1e-5))

    def _add_block(self, block: Block, before: int) -> None:
        name, stride = block.name, block.stride
        reduced, after = block.single
        if block.straight:
            self._add(f"{name}_1x1", before, block.straight, 1)
        self._add(f"{name}_3x3_reduce", before, reduced, 1)
        self._add(f"{name}_3x3", reduced, after, 3, stride)
        reduced, after = block.double
        self._add(f"{name}_double_3x3_reduce", before, reduced, 1)
        self._add(f"{name}_double_3x3_1", reduced, after, 3)
        self._add(f"{name}_double_3x3_2", after, after, 3, stride)
        if block.pooled:
            self._add(f"{name}_pool_proj", before, block.pooled, 1)

    def _initialise(self) -> None:
        """Initialise as published, for training without a weight file."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_uniform_(module.weight, nonlinearity="linear")
                nn.init.constant_(module.bias, 0.2)  # type: ignore[arg-type]
        if isinstance(self.fc, nn.Linear):
            nn.init.normal_(self.fc.weight, std=0.001)
            nn.init.zeros_(self.fc.bias)

    def forward(self, image_bchw: Tensor) -> Tensor:
        """Score each image: (B, K), before softmax."""
        features = self._unit(FIRST_CONV, image_bchw)
        features = functional.max_pool2d(features, 3, 2, ceil_mode=True)
        features = self._unit("conv2_3x3", self._unit("conv2_3x3_reduce", features))
        features = functional.max_pool2d(features, 3, 2, ceil_mode=True)
        for block in BLOCKS:
            features = self._block(block, features)
        features = functional.adaptive_avg_pool2d(features, 1).flatten(1)
        return self.fc(self.dropout(features))

    def _unit(self, name: str, image_bchw: Tensor) -> Tensor:
        """Apply a convolution, its normalisation and ReLU."""
        features = getattr(self, f"{name}_bn")(getattr(self, name)(image_bchw))
        return functional.relu(features, inplace=True)

    def _block(self, block: Block, image_bchw: Tensor) -> Tensor:
        name = block.name
        single = self._unit(f"{name}_3x3_reduce", image_bchw)
        double = self._unit(f"{name}_double_3x3_reduce", image_bchw)
        double = self._unit(f"{name}_double_3x3_1", double)
        branches = [
            self._unit(f"{name}_3x3", single),
            self._unit(f"{name}_double_3x3_2", double),
            _pooled(block, image_bchw),
        ]
        if block.straight:
            branches.insert(0, self._unit(f"{name}_1x1", image_bchw))
        if block.pooled:
            branches[-1] = self._unit(f"{name}_pool_proj", branches[-1])
        return torch.cat(branches, dim=1)


def _pooled(block: Block, image_bchw: Tensor) -> Tensor:
    """Pool as Caffe does: padding counts in means, sizes are rounded up."""
    if block.pool == "mean":
        return functional.avg_pool2d(image_bchw, 3, 1, 1, count_include_pad=True)
    if block.stride == 2:
        # An odd map gets a row and a column of zeros, which change no maximum after
        # ReLU, so that it fits its neighbours; the published 28 and 14 are even.
        height, width = image_bchw.shape[-2:]
        even_bchw = functional.pad(image_bchw, (0, width % 2, 0, height % 2))
        return functional.max_pool2d(even_bchw, 3, 2, ceil_mode=True)
    return functional.max_pool2d(image_bchw, 3, 1, 1)


def build(*, channels: int, classes: int, dropout: float = 0.8) -> BnInception:
    """Build the network with random weights.

    Args:
        channels: of the input; 3 for colours, 10 for five flow fields.
        classes: scores a clip; 0 leaves the classifier out.
        dropout: share of the 1,024 features dropped in training; the published
            settings are 0.8 for colours and 0.7 for flow.

    Returns:
        Maps float (B, C, 224, 224) to float (B, K) scores before softmax; other sides
        of 7 pixels or more work too.
    """
    return BnInception(channels=channels, classes=classes, dropout=dropout)


_CONV_PARTS = ("weight", "bias")
_BN_PARTS = ("weight", "bias", "running_mean", "running_var")
_COUNTER = "num_batches_tracked"


def convert(found: Mapping[str, Any]) -> dict[str, Tensor]:
    """Convert a published file to a state dict.

    Args:
        found: what `twinlens.weights.read` returns of a .caffemodel, or of a PyTorch
            file: an ImageNet conversion (`conv1_7x7_s2.weight`, ..., `last_linear` or
            `fc`), a checkpoint of tsn-pytorch (`module.base_model.*`,
            `module.new_fc.*`) or of mmaction (`backbone.*`, `cls_head.fc_cls.*`).

    Returns:
        float32 state dict; without `fc` if the file has none.

    Raises:
        ValueError: entries are missing, unexpected or of another shape.
    """
    return _fitted(_renamed(found))


def settings_of(found: Mapping[str, Any]) -> dict[str, Any]:
    """Read channels and classes of a file; 0 classes if it has no classifier."""
    return _sizes(_renamed(found))


def _renamed(found: Mapping[str, Any]) -> dict[str, Tensor]:
    """Rename a file's tensors as in this network."""
    if any(isinstance(value, list) for value in found.values()):
        return _from_caffe(found)
    state = found.get("state_dict", found)
    return {_plain_name(name): state[name] for name in state}


def _from_caffe(blobs: Mapping[str, Sequence[np.ndarray]]) -> dict[str, Tensor]:
    """Convert layers: [weights, bias]; of normalisations _BN_PARTS, each (1, C)."""
    state: dict[str, Tensor] = {}
    for layer, arrays in blobs.items():
        name = "fc" if layer == "fc-action" else layer.replace("/", "_")
        parts = _BN_PARTS if name.endswith("_bn") else _CONV_PARTS
        if len(arrays) != len(parts):
            raise ValueError(f"layer {layer}: {len(arrays)} blobs, not {len(parts)}")
        for part, array in zip(parts, arrays, strict=True):
            state[f"{name}.{part}"] = torch.as_tensor(array)
    return state


def _plain_name(name: str) -> str:
    """Strip an entry's name of what the training code put around the network."""
    for prefix in ("module.", "base_model.", "backbone.", "cls_head."):
        name = name.removeprefix(prefix)
    layer, _, part = name.rpartition(".")
    return f"fc.{part}" if layer in ("new_fc", "fc_cls", "last_linear") else name


def _sizes(state: Mapping[str, Tensor]) -> dict[str, Any]:
    first = state.get(f"{FIRST_CONV}.weight")
    if first is None or first.ndim != 4:
        raise ValueError(
            f"not BN-Inception's weights: no {FIRST_CONV}.weight of 4 axes"
        )
    last = state.get("fc.weight")
    classes = 0 if last is None else last.shape[-2]
    return {"channels": first.shape[1], "classes": classes}


def _fitted(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Check every entry against the network, and give it the network's shape."""
    with torch.device("meta"):
        network = build(**_sizes(state))
    shapes = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    missing = [k for k in shapes if k not in state and not k.endswith(_COUNTER)]
    unexpected = [k for k in state if k not in shapes]
    misshapen = [
        f"{k} {tuple(v.shape)} instead of {shapes[k]}"
        for k, v in state.items()
        if k in shapes and _sides(v.shape) != _sides(shapes[k])
    ]
    problems = {"missing": missing, "unexpected": unexpected, "misshapen": misshapen}
    if any(problems.values()):
        raise ValueError("not BN-Inception's weights: " + _listed(problems))
    counters = {k: torch.tensor(0) for k in shapes if k.endswith(_COUNTER)}
    return counters | {
        name: tensor.reshape(shapes[name]).to(
            torch.int64 if name.endswith(_COUNTER) else torch.float32, copy=True
        )
        for name, tensor in state.items()
    }


def _sides(shape: Iterable[int]) -> list[int]:
    """Drop axes of length one from a shape: old files keep vectors as (1, C)."""
    return [side for side in shape if side != 1]


def _listed(problems: Mapping[str, Sequence[str]], most: int = 6) -> str:
    """List the problems, with no more than a few names of each kind."""
    return "; ".join(
        f"{len(names)} {kind}: {', '.join(names[:most])}"
        + (", ..." if len(names) > most else "")
        for kind, names in problems.items()
        if names
    )
