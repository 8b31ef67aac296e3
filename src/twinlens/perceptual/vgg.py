"""VGG-16 up to conv3_3, whose features the perceptual loss of eq. 2 compares.

Johnson, Alahi, Fei-Fei, "Perceptual Losses for Real-Time Style Transfer and
Super-Resolution", ECCV 2016; Simonyan and Zisserman's VGG-16.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from twinlens.networks import artifact

WIDTHS = (64, 128, 256)
LAYERS = tuple(
    f"conv{block}_{layer}"
    for block, count in ((1, 2), (2, 2), (3, 3))
    for layer in range(1, count + 1)
)
# torchvision numbers convolutions, ReLUs and poolings through.
TORCHVISION = dict(zip(LAYERS, (0, 2, 5, 7, 10, 12, 14), strict=True))
INPUTS = ("caffe", "torchvision")


class Vgg(nn.Module):
    """VGG-16 from the picture to conv3_3, pools of 2 before blocks 2 and 3.

    At its full widths it has 1,735,488 parameters; a 128x128 picture gives 256x32x32.
    """

    mean: Tensor
    scale: Tensor

    def __init__(
        self,
        widths: Sequence[int] = WIDTHS,
        *,
        inputs: str = "caffe",
        after_relu: bool = True,
    ) -> None:
        """Lay out the layers.

        Args:
            widths: channels of the three blocks.
            inputs: what its weights were trained on: "caffe" is BGR 0..255 less
                103.939, 116.779, 123.68; "torchvision" is RGB 0..1, normalised.
            after_relu: whether conv3_3 is taken after its ReLU. Caffe's ReLU works
                in-place, so its blob "conv3_3" is (as relu3_3 in Johnson et al.).

        Raises:
            ValueError: no such inputs.
        """
        super().__init__()
        if inputs not in INPUTS:
            raise ValueError(f"no inputs {inputs!r}; there are: {', '.join(INPUTS)}")
        before = 3
        for name in LAYERS:
            after = widths[int(name[4]) - 1]
            self.add_module(name, nn.Conv2d(before, after, 3, padding=1))
            before = after
        self.after_relu, self.flipped = after_relu, inputs == "caffe"
        caffe = (
            torch.tensor([103.939, 116.779, 123.68]) / 255,
            torch.full((3,), 255.0),
        )
        other = (
            torch.tensor([0.485, 0.456, 0.406]),
            1 / torch.tensor([0.229, 0.224, 0.225]),
        )
        mean, scale = caffe if self.flipped else other
        self.register_buffer("mean", mean[:, None, None], persistent=False)
        self.register_buffer("scale", scale[:, None, None], persistent=False)

    def forward(self, rgb_b3hw: Tensor) -> Tensor:
        """Compute features of RGB 0..1: (B, widths[2], ceil(H / 4), ceil(W / 4))."""
        features = rgb_b3hw.flip(1) if self.flipped else rgb_b3hw
        features = (features - self.mean) * self.scale
        for name in LAYERS:
            if name in {"conv2_1", "conv3_1"}:
                features = nn.functional.max_pool2d(features, 2, ceil_mode=True)
            features = self.get_submodule(name)(features)
            if name != LAYERS[-1] or self.after_relu:
                features = features.relu()
        return features


def build(
    *,
    widths: Sequence[int] = WIDTHS,
    inputs: str = "caffe",
    after_relu: bool = True,
) -> Vgg:
    """Build the network with random weights; see `Vgg`."""
    return Vgg(widths, inputs=inputs, after_relu=after_relu)


def load(path: Path, *, after_relu: bool = True) -> Vgg:
    """Load a trained network, frozen: gradients pass through to pictures alone.

    Args:
        path: HDF5 "network/1".
        after_relu: whether conv3_3 is taken after its ReLU.

    Raises:
        ArtifactError: see `artifact.load`.
    """
    network = artifact.load(path, "perceptual", kind="vgg")
    assert isinstance(network, Vgg)
    network.after_relu = after_relu
    return network.requires_grad_(False)


def convert(found: Mapping[str, Any]) -> dict[str, Tensor]:
    """Convert a published VGG-16 to a state dict up to conv3_3.

    Args:
        found: what `twinlens.weights.read` returns of `VGG_ILSVRC_16_layers.caffemodel`
            or of torchvision's `vgg16-*.pth`.

    Raises:
        ValueError: another network, or layers are missing.
    """
    # VGG-19's first layers have the same shapes, but are others.
    if {"conv3_4", "features.16.weight"} & set(found):
        raise ValueError("a VGG-19: it has a conv3_4; name a VGG-16")
    if settings_of(found)["inputs"] == "caffe":
        return _state(found, {name: name for name in LAYERS})
    layers = {
        f"features.{number}": [
            found.get(f"features.{number}.weight"),
            found.get(f"features.{number}.bias"),
        ]
        for number in TORCHVISION.values()
    }
    names = {name: f"features.{number}" for name, number in TORCHVISION.items()}
    return _state(layers, names)


def settings_of(found: Mapping[str, Any]) -> dict[str, Any]:
    """Infer what a file's weights were trained on from the names that it uses.

    Caffe's weights under torchvision's names need `inputs` set in the config.
    """
    if "conv1_1" in found:
        return {"inputs": "caffe"}
    if "features.0.weight" in found:
        return {"inputs": "torchvision"}
    raise ValueError(f"no VGG-16 in it, but {', '.join(sorted(found)[:6])}, ...")


def _state(layers: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Tensor]:
    state = {}
    for name, theirs in names.items():
        blobs = layers.get(theirs) or []
        if len(blobs) < 2 or any(blob is None for blob in blobs):
            raise ValueError(f"no VGG-16 in it: {theirs} lacks weights or biases")
        state[f"{name}.weight"] = torch.as_tensor(blobs[0]).float()
        state[f"{name}.bias"] = torch.as_tensor(blobs[1]).float().reshape(-1)
    return state
