"""Types of arrays that many modules pass on."""

import numpy as np
from numpy.typing import NDArray

Frame = NDArray[np.uint8]
"""(H, W, 3), RGB 0..255."""
Frames = NDArray[np.uint8]
"""(N, H, W, 3), RGB 0..255."""
