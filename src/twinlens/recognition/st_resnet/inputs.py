"""What ST-ResNet sees of frames and flow: sides, crops, mirroring, mean subtraction.

T frames, H W sides. Images are uint8, (T, C, H, W), BGR or x and y of each flow of a
stack, until `network_input`.
"""

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from torch import Tensor

from twinlens.recognisers.st_resnet import Views
from twinlens.recognition.recode import FLOW_MEAN, Images, mirror
from twinlens.recognition.shards import TEMPORAL

CORNER_STEPS = 20
"""Places of a crop along a quarter of its room, from a corner on."""


Snippet = dict[str, Images]
"""By stream, frames (T, 3, H, W), BGR, and the flow around each (T, 2 L, H, W)."""


def whole(images: Images, views: Views) -> Images:
    """Resize images whose sides are too small or too large; others stay."""
    least, most = views.sides
    height, width = (int(np.clip(side, least, most)) for side in images.shape[-2:])
    return _resized(images, height, width)


def train_crop(snippet: Snippet, views: Views, rng: np.random.Generator) -> Snippet:
    """Cut one random crop, the same of all images, mirrored or not.

    Sides are drawn from `scales` times the crop's, each on its own; the place lies
    within a quarter of the room from the first corner or the last ("f25noCtr").
    """
    room = next(iter(snippet.values())).shape[-2:]
    drawn = views.crop * rng.uniform(*views.scales, size=2)
    sides = [max(1, round(min(a, b))) for a, b in zip(drawn, room, strict=True)]
    shares = np.linspace(0, 0.25, CORNER_STEPS)[rng.integers(CORNER_STEPS, size=2)]
    if rng.integers(2):
        shares = 1 - shares
    top, left = (
        int((whole_side - side) * share)
        for whole_side, side, share in zip(room, sides, shares, strict=True)
    )
    mirrored = bool(rng.integers(2))
    found = {}
    for stream, images in snippet.items():
        cut = images[..., top : top + sides[0], left : left + sides[1]]
        cut = _resized(cut, views.crop, views.crop)
        found[stream] = mirror(cut, stream == TEMPORAL) if mirrored else cut
    return found


def _resized(images: Images, height: int, width: int) -> Images:
    if images.shape[-2:] == (height, width):
        return images
    planes = images.reshape(-1, *images.shape[-2:])
    resized = [cv2.resize(plane, (width, height)) for plane in planes]
    return np.stack(resized).reshape(*images.shape[:-2], height, width)


def network_input(images: Images, stream: str, mean: Sequence[float]) -> Tensor:
    """Subtract the mean: float32 RGB (..., 3, H, W) or flow (..., 2 L, H, W).

    Args:
        images: BGR or flow, as read.
        stream: "spatial" or "temporal".
        mean: of red, green and blue; that of flow is the middle of its range.
    """
    if stream == TEMPORAL:
        return torch.from_numpy(images.astype(np.float32) - np.float32(FLOW_MEAN))
    rgb = images[..., ::-1, :, :].astype(np.float32)
    return torch.from_numpy(rgb - np.array(mean, np.float32)[:, None, None])
