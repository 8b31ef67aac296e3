"""Draw flow as a picture: hue is direction, saturation is speed, white is still."""

import flow_vis
import numpy as np
from numpy.typing import NDArray


def fastest(flows: NDArray[np.floating]) -> float:
    """Find the speed of full colour: near the maximum of (..., 2, H, W), at least 1."""
    speeds = np.hypot(flows[..., 0, :, :], flows[..., 1, :, :])
    return max(1.0, float(np.percentile(speeds, 99)))


def coloured(flow_2hw: NDArray[np.floating], full: float) -> NDArray[np.uint8]:
    """Colour flow in pixels: RGB (H, W, 3); `full` is the speed of full colour."""
    scaled = flow_2hw / np.maximum(full, np.hypot(*flow_2hw))
    picture: NDArray[np.uint8] = flow_vis.flow_uv_to_colors(*scaled)
    return picture


def wheel(side: int = 61) -> NDArray[np.uint8]:
    """Draw the colour of every direction up to full colour: RGB (side, side, 3)."""
    radius = side // 2
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1] / radius
    picture = coloured(np.stack([x, y]), 1.0)
    picture[np.hypot(x, y) > 1] = 255
    return picture
