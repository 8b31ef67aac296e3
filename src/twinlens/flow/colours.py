"""Flow as a picture: hue is direction, saturation is speed, white is still."""

import flow_vis
import numpy as np
from numpy.typing import NDArray


def fastest(flows: NDArray[np.floating]) -> float:
    """The speed of full colour: almost the largest of (..., 2, H, W), 1 or more."""
    speeds = np.hypot(flows[..., 0, :, :], flows[..., 1, :, :])
    return max(1.0, float(np.percentile(speeds, 99)))


def coloured(flow_2hw: NDArray[np.floating], full: float) -> NDArray[np.uint8]:
    """RGB (H, W, 3) of flow in pixels; `full` is the speed of full colour."""
    scaled = flow_2hw / np.maximum(full, np.hypot(*flow_2hw))
    made: NDArray[np.uint8] = flow_vis.flow_uv_to_colors(*scaled)
    return made
