"""Paint layers over one another, and know where every pixel goes next.

A layer is a flat picture and, for each frame, the affine map that carries it into the
frame. Flow follows from the maps alone, so it is exact.

T frames, H W frame size, h w a picture's own size.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from twinlens.media.playground.textures import Floats

Maps = npt.NDArray[np.float64]

Boxes = npt.NDArray[np.int64]
"""(T, 4): left, top, right, bottom of what a layer may touch; right, bottom beyond."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Layer:
    """A flat picture that moves."""

    picture: Floats
    """(h, w, 4): RGB 0..255 already multiplied by the alpha 0..1 beside it."""
    maps: Maps
    """(T, 3, 3): picture pixels (x, y, 1) to frame pixels."""
    window: Floats | None = None
    """(h', w') alpha 0..1: an outline the picture is seen through, if not its own."""
    window_maps: Maps | None = None
    """(T, 3, 3): window pixels to frame pixels."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Backdrop:
    """A picture that fills the frame, mirrored on and on beyond its borders."""

    picture: Floats
    """(h, w, 3): RGB 0..255."""
    maps: Maps
    """(T, 3, 3): picture pixels to frame pixels."""


def place(
    anchor: tuple[float, float],
    at: npt.NDArray[np.floating],
    angle: npt.ArrayLike = 0.0,
    scale_x: npt.ArrayLike = 1.0,
    scale_y: npt.ArrayLike = 1.0,
) -> Maps:
    """Compute maps that pin a picture's `anchor` to the points `at`, turned and scaled.

    Args:
        anchor: x, y in the picture's pixels.
        at: (T, 2), where the anchor goes, frame pixels.
        angle: radians, clockwise on screen; one or T of them.
        scale_x: along the picture's x before turning; one or T of them.
        scale_y: along the picture's y before turning; one or T of them.

    Returns:
        (T, 3, 3).
    """
    maps = np.zeros((len(at), 3, 3))
    cos, sin = np.cos(angle), np.sin(angle)
    maps[:, 0, 0], maps[:, 0, 1] = cos * scale_x, -sin * np.asarray(scale_y)
    maps[:, 1, 0], maps[:, 1, 1] = sin * np.asarray(scale_x), cos * scale_y
    maps[:, :2, 2] = at - maps[:, :2, :2] @ np.asarray(anchor, float)
    maps[:, 2, 2] = 1
    return maps


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """A backdrop and, from back to front, the layers before it, through T frames."""

    backdrop: Backdrop
    layers: list[Layer]
    size: tuple[int, int]
    """W, H of the frames."""

    def boxes(self) -> list[Boxes]:
        """What each layer may touch in each frame."""
        return [_boxes(layer, self.size) for layer in self.layers]


def paint(scene: Scene, boxes: list[Boxes], frame: int) -> Floats:
    """One frame, before light and noise: float32 (H, W, 3), RGB 0..255.

    Args:
        scene: what there is to see.
        boxes: `scene.boxes()`.
        frame: which one, from 0.
    """
    image = cv2.warpAffine(
        scene.backdrop.picture,
        scene.backdrop.maps[frame, :2],
        scene.size,
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    # Four channels, like the layers: numpy multiplies whole rows at once then.
    image = cv2.cvtColor(image, cv2.COLOR_RGB2RGBA)
    for layer, (left, top, right, bottom) in _visible(scene, boxes, frame):
        patch = _land(layer, frame, left, top, right, bottom)
        under = image[top:bottom, left:right]
        under *= cv2.merge([1 - patch[..., 3]] * 4)
        under += patch
    return cv2.cvtColor(image, cv2.COLOR_RGBA2RGB)


def flow(scene: Scene, boxes: list[Boxes], frame: int) -> Floats:
    """Where each pixel's visible surface goes from `frame` to the next.

    Args:
        scene: what there is to see.
        boxes: `scene.boxes()`.
        frame: which one, from 0 to T - 2.

    Returns:
        float32 (2, H, W): pixels to the right, pixels down.
    """
    moved = _travel(scene.backdrop.maps, frame, 0, 0, *scene.size)
    for layer, box in _visible(scene, boxes, frame):
        left, top, right, bottom = box
        covers = _land(layer, frame, *box)[..., 3] > 0.5
        under = moved[:, top:bottom, left:right]
        np.copyto(under, _travel(layer.maps, frame, *box), where=covers)
    return moved


def _visible(
    scene: Scene, boxes: list[Boxes], frame: int
) -> Iterator[tuple[Layer, list[int]]]:
    """The layers that touch a frame, each with left, top, right and bottom."""
    for layer, box in zip(scene.layers, boxes, strict=True):
        left, top, right, bottom = box[frame].tolist()
        if left < right and top < bottom:
            yield layer, [left, top, right, bottom]


def _boxes(layer: Layer, size: tuple[int, int]) -> Boxes:
    seen = layer.picture if layer.window is None else layer.window
    maps = layer.maps if layer.window_maps is None else layer.window_maps
    height, width = seen.shape[:2]
    corners = np.array([[-1, width, -1, width], [-1, -1, height, height]])
    landed = maps[:, :2, :2] @ corners + maps[:, :2, 2:]
    least, most = np.floor(landed.min(axis=2)), np.ceil(landed.max(axis=2)) + 1
    return np.hstack([np.maximum(least, 0), np.minimum(most, size)]).astype(np.int64)


def _land(
    layer: Layer, frame: int, left: int, top: int, right: int, bottom: int
) -> Floats:
    """The layer as it lands in a box of the frame: float32 (h, w, 4)."""
    size, shift = (right - left, bottom - top), (left, top)
    patch = _warp(layer.picture, layer.maps[frame], size, shift)
    if layer.window is not None and layer.window_maps is not None:
        hole = _warp(layer.window, layer.window_maps[frame], size, shift)
        patch *= cv2.merge([hole] * 4)
    return patch


def _warp(
    picture: Floats, to_frame: Maps, size: tuple[int, int], shift: tuple[int, int]
) -> Floats:
    shifted = to_frame[:2].copy()
    shifted[:, 2] -= shift
    return cv2.warpAffine(picture, shifted, size, flags=cv2.INTER_LINEAR)


def _travel(
    maps: Maps, frame: int, left: int, top: int, right: int, bottom: int
) -> Floats:
    """How far a layer's map carries the pixels of a box: float32 (2, h, w)."""
    step = (maps[frame + 1] @ np.linalg.inv(maps[frame]) - np.eye(3))[:2]
    x = np.arange(left, right, dtype=np.float64)
    y = np.arange(top, bottom, dtype=np.float64)[:, None]
    moved = [across * x + down * y + along for across, down, along in step]
    return np.stack(moved).astype(np.float32)
