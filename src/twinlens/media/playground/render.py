"""Paint layers over one another, and know where every pixel goes next.

A layer is a flat picture and, for each frame, the affine map that carries it into the
frame. The true flow follows from the maps alone, so it is exact.

T frames, H W frame size, h w a picture's own size.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from twinlens.media.playground.textures import Floats

Maps = npt.NDArray[np.float64]


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
    """Maps that pin a picture's `anchor` to the points `at`, turned and scaled.

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


def paint(backdrop: Backdrop, layers: list[Layer], frame: int, size: tuple[int, int]) -> Floats:
    """One frame, before light and noise: float32 (H, W, 3), RGB 0..255.

    Args:
        backdrop: what lies behind everything.
        layers: from back to front.
        frame: which one, from 0.
        size: W, H.
    """
    image = cv2.warpAffine(
        backdrop.picture,
        backdrop.maps[frame, :2],
        size,
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    for layer in layers:
        found = _seen(layer, frame, size)
        if found is not None:
            patch, box = found
            image[box] *= 1 - patch[..., 3:]
            image[box] += patch[..., :3]
    return image.astype(np.float32, copy=False)


def flow(backdrop: Backdrop, layers: list[Layer], frame: int, size: tuple[int, int]) -> Floats:
    """Where each pixel's visible surface goes from `frame` to the next.

    Returns:
        float32 (2, H, W): pixels to the right, pixels down.
    """
    width, height = size
    whole = (slice(0, height), slice(0, width))
    moved = _travel(backdrop.maps, frame, whole)
    for layer in layers:
        found = _seen(layer, frame, size)
        if found is not None:
            patch, box = found
            covers = patch[..., 3] > 0.5
            moved[:, *box] = np.where(covers, _travel(layer.maps, frame, box), moved[:, *box])
    return moved


Box = tuple[slice, slice]


def _seen(layer: Layer, frame: int, size: tuple[int, int]) -> tuple[Floats, Box] | None:
    """The layer as it lands in the frame: RGBA (h, w, 4) and the box it fills."""
    shape = layer.picture.shape if layer.window is None else layer.window.shape
    outline = layer.maps if layer.window_maps is None else layer.window_maps
    box = _bounds(shape, outline[frame], size)
    if box is None:
        return None
    patch = _warp(layer.picture, layer.maps[frame], box)
    if layer.window is not None:
        patch *= _warp(layer.window, outline[frame], box)[..., None]
    return patch, box


def _bounds(shape: tuple[int, ...], to_frame: Maps, size: tuple[int, int]) -> Box | None:
    height, width = shape[:2]
    corners = to_frame[:2, :2] @ np.array([[0, width, 0, width], [0, 0, height, height]])
    corners += to_frame[:2, 2:]
    left, top = np.maximum(np.floor(corners.min(axis=1)).astype(int), 0)
    right, bottom = np.minimum(np.ceil(corners.max(axis=1)).astype(int) + 1, size)
    if left >= right or top >= bottom:
        return None
    return slice(top, bottom), slice(left, right)


def _warp(picture: Floats, to_frame: Maps, box: Box) -> Floats:
    shifted = to_frame[:2].copy()
    shifted[:, 2] -= box[1].start, box[0].start
    size = (box[1].stop - box[1].start, box[0].stop - box[0].start)
    return cv2.warpAffine(picture, shifted, size, flags=cv2.INTER_LINEAR).astype(
        np.float32, copy=False
    )


def _travel(maps: Maps, frame: int, box: Box) -> Floats:
    """How far a layer's map carries the pixels of `box`: float32 (2, h, w)."""
    step = maps[frame + 1] @ np.linalg.inv(maps[frame]) - np.eye(3)
    y, x = np.mgrid[box].astype(np.float32)
    return np.stack([step[i, 0] * x + step[i, 1] * y + step[i, 2] for i in (0, 1)]).astype(
        np.float32
    )
