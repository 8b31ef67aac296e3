"""Bring frames and flow to the form that recognisers' own extractions store.

N images, C channels, H W sides; all are uint8.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from twinlens.flow.frames import resized
from twinlens.recognisers import Recoding

Images = NDArray[np.uint8]
FLOW_MEAN = 128.0
"""What networks subtract from 8-bit flow."""


def recode_rgb(frames_nhwc: Images, views: Recoding) -> Images:
    """Recode RGB frames as TSN's extraction stored them, channels first, BGR.

    Returns:
        uint8 (N, 3, H, W), channels blue, green, red.
    """
    bgr = np.ascontiguousarray(frames_nhwc[..., ::-1])
    stored = [_jpeg(frame, views.jpeg) for frame in resized(bgr, views.size)]
    return np.ascontiguousarray(np.stack(stored).transpose(0, 3, 1, 2))


def recode_flow(flow_n2hw: Images, views: Recoding) -> Images:
    """Recode 8-bit flow as TSN's extraction did: x and y in files of their own."""
    if views.jpeg is None:
        return flow_n2hw
    planes = [_jpeg(plane, views.jpeg) for pair in flow_n2hw for plane in pair]
    return np.stack(planes).reshape(flow_n2hw.shape)


def _jpeg(image: Any, quality: int | None) -> Images:
    if quality is None:
        return image
    _, coded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return cv2.imdecode(coded, cv2.IMREAD_UNCHANGED)


def mirror(images_nchw: Images, flow: bool) -> Images:
    """Mirror left to right; x flow then points the other way: 255 - x."""
    mirrored = images_nchw[..., ::-1].copy()
    if flow:
        mirrored[:, 0::2] = 255 - mirrored[:, 0::2]
    return mirrored
