"""What TSN sees of a frame: crops, mirroring, mean subtraction.

N images, C channels, H W sides. Images are uint8 until `network_input`.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from twinlens.errors import ArtifactError
from twinlens.recognisers.tsn import Views
from twinlens.recognition.recode import FLOW_MEAN, Images, mirror

# Blue, green, red: the means that the published Caffe networks were trained with.
MEAN_BGR = np.array([104.0, 117.0, 123.0], np.float32)
TRAIN_SPOTS = 13


def test_crops(images_nchw: Images, views: Views, flow: bool) -> Images:
    """Cut the crops of each test image.

    Returns:
        uint8 (N, crops, C, crop, crop): corners, centre, then the same mirrored.

    Raises:
        ArtifactError: images smaller than the crop.
    """
    height, width = images_nchw.shape[-2:]
    side = views.crop
    if min(height, width) < side:
        raise ArtifactError(
            f"images of {width}x{height} are smaller than views.crop {side} of the"
            " recogniser"
        )
    down, right = height - side, width - side
    spots = [(0, 0), (0, right), (down, 0), (down, right), (down // 2, right // 2)]
    if views.crops in {1, 2}:
        spots = spots[-1:]
    cut = [images_nchw[..., y : y + side, x : x + side] for y, x in spots]
    if views.crops in {2, 10}:
        cut += [mirror(each, flow) for each in cut]
    return np.stack(cut, axis=1)


def train_crop(
    images_nchw: Images, views: Views, flow: bool, rng: np.random.Generator
) -> Images:
    """Cut one random crop of a snippet: multi-scale, 13 offsets, mirrored or not.

    TSN's augmentation: the sides are drawn from `scales` times the short side, their
    indices in that list at most one apart; fixed offsets; all images of a snippet are
    cut alike and resized to the crop.
    """
    height, width = images_nchw.shape[-2:]
    sides = [round(scale * min(height, width)) for scale in views.scales]
    tall = int(rng.integers(len(sides)))
    wide = int(np.clip(tall + rng.integers(-1, 2), 0, len(sides) - 1))
    spot = _spots(height - sides[tall], width - sides[wide])[rng.integers(TRAIN_SPOTS)]
    y, x = spot
    cut = images_nchw[..., y : y + sides[tall], x : x + sides[wide]]
    if cut.shape[-2:] != (views.crop, views.crop):
        cut = _resized(cut, views.crop)
    return mirror(cut, flow) if rng.integers(2) else cut


def _spots(down: int, right: int) -> list[tuple[int, int]]:
    """Corners, centre, edge middles and quarter points: 13 offsets of a crop."""
    y, x = down // 4, right // 4
    grid = [(0, 0), (0, 4), (4, 0), (4, 4), (2, 2), (0, 2), (2, 0), (2, 4), (4, 2)]
    grid += [(1, 1), (1, 3), (3, 1), (3, 3)]
    return [(row * y, column * x) for row, column in grid]


def _resized(images_nchw: Images, side: int) -> Images:
    planes = images_nchw.reshape(-1, *images_nchw.shape[-2:])
    resized = [cv2.resize(plane, (side, side)) for plane in planes]
    return np.stack(resized).reshape(*images_nchw.shape[:-2], side, side)


def network_input(images_nchw: Images, flow: bool) -> NDArray[np.float32]:
    """Subtract the mean: float32 BGR or flow, not scaled."""
    if flow:
        return images_nchw.astype(np.float32) - np.float32(FLOW_MEAN)
    return images_nchw.astype(np.float32) - MEAN_BGR[:, None, None]
