"""The perceptual loss of eq. 2: features of VGG-16's conv3_3.

Johnson, Alahi, Fei-Fei, "Perceptual Losses for Real-Time Style Transfer and
Super-Resolution", ECCV 2016; Simonyan and Zisserman's VGG-16.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from twinlens import checkpoints
from twinlens.artifacts import reader
from twinlens.errors import ArtifactError

PERCEPTUAL = "perceptual/1"
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
        widths: tuple[int, int, int] = WIDTHS,
        *,
        inputs: str = "caffe",
        after_relu: bool = True,
    ) -> None:
        """Lay out the layers.

        Args:
            widths: channels of the three blocks.
            inputs: what its weights were trained on: "caffe" is BGR 0..255 less
                103.939, 116.779, 123.68; "torchvision" is RGB 0..1, normalised.
            after_relu: whether conv3_3 is taken after its ReLU. Caffe's ReLU works in
                place, so its blob "conv3_3" is (as relu3_3 in Johnson et al.).

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
        """Features of pictures, RGB 0..1: (B, widths[2], ceil(H / 4), ceil(W / 4))."""
        made = rgb_b3hw.flip(1) if self.flipped else rgb_b3hw
        made = (made - self.mean) * self.scale
        for name in LAYERS:
            if name in {"conv2_1", "conv3_1"}:
                made = nn.functional.max_pool2d(made, 2, ceil_mode=True)
            made = self.get_submodule(name)(made)
            if name != LAYERS[-1] or self.after_relu:
                made = made.relu()
        return made


def load(path: Path, *, after_relu: bool = True) -> Vgg:
    """The network of an artifact, frozen: gradients pass through to pictures alone.

    Args:
        path: HDF5 "perceptual/1": state/<key>; about: widths, pictures (its inputs).
        after_relu: whether conv3_3 is taken after its ReLU.

    Raises:
        ArtifactError: the file is not whole, of another kind, or was never trained.
    """
    with reader.open(path, PERCEPTUAL) as file:
        about = file.about
        if not about.get("trained"):
            raise ArtifactError(f"{path}: this network was never trained")
        network = Vgg(
            tuple(about["widths"]), inputs=about["pictures"], after_relu=after_relu
        )
        network.load_state_dict(checkpoints.load_state(file["state"]))
    return network.eval().requires_grad_(False)


def perceptual(made_b3hw: Tensor, true_b3hw: Tensor, network: nn.Module) -> Tensor:
    """Mean squared difference of the features of two batches of RGB pictures, 0..1.

    ASSUME: section 3.2 leaves the norm open; the mean over all elements, as
    Johnson et al. have it.
    """
    with torch.no_grad():
        wanted = network(true_b3hw)
    return nn.functional.mse_loss(network(made_b3hw), wanted)


def convert(
    found: Mapping[str, Any], inputs: str | None = None
) -> tuple[str, dict[str, Tensor]]:
    """What inputs a published VGG-16 takes, and its state dict up to conv3_3.

    Args:
        found: what `twinlens.weights.read` gives of `VGG_ILSVRC_16_layers.caffemodel`
            or of torchvision's `vgg16-*.pth`.
        inputs: what its weights were trained on, see `Vgg`; by default what its names
            tell. Caffe's weights under torchvision's names need it said.

    Raises:
        ValueError: another network, or layers are missing.
    """
    if "conv1_1" in found:
        return inputs or "caffe", _state(found, {name: name for name in LAYERS})
    if "features.0.weight" in found:
        layers = {
            f"features.{number}": [
                found.get(f"features.{number}.weight"),
                found.get(f"features.{number}.bias"),
            ]
            for number in TORCHVISION.values()
        }
        names = {name: f"features.{number}" for name, number in TORCHVISION.items()}
        return inputs or "torchvision", _state(layers, names)
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
