"""How fine the detail of low-resolution frames is: it depends on how they were shrunk.

Bicubic interpolation with antialiasing, which the paper uses (section 4.1), leaves a
known share of the spectrum near the sampling limit. A Gaussian leaves less, averages
over areas and Lanczos more, and interpolation without antialiasing folds in what lies
beyond: 2 to 3 times the energy.
"""

import numpy as np
from numpy.typing import NDArray

from twinlens.resample.bicubic import resize

BANDS = ((0.12, 0.25), (0.35, 0.5))
"""Middle and fine frequencies, in cycles a pixel."""
LEAST_ENERGY = 1e-6
"""Less is rounding: of frames of one colour."""
LUMA = (0.299, 0.587, 0.114)


def of_low(frame: NDArray[np.uint8]) -> float | None:
    """Measure a low-resolution frame.

    Args:
        frame: (H, W, 3), RGB 0..255.

    Returns:
        log2 of the mean energy at fine over that at middle frequencies; -4 or so for
        videos that bicubic shrank by 4. None for frames that are too small or too
        plain to have both.
    """
    luma = frame.astype(np.float64) @ LUMA
    height, width = luma.shape
    window = np.outer(np.hanning(height), np.hanning(width))
    energy = np.abs(np.fft.fft2((luma - luma.mean()) * window)) ** 2
    radius = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width))
    middle, fine = (
        _mean(energy[(radius > low) & (radius < high)]) for low, high in BANDS
    )
    if min(fine, middle) < LEAST_ENERGY:
        return None
    return float(np.log2(fine / middle))


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if values.size else 0.0


def of_high(frame: NDArray[np.uint8], scale: int) -> float | None:
    """Measure what bicubic would leave of a full-resolution frame."""
    height, width = (side // scale for side in frame.shape[:2])
    if min(height, width) < 1:
        return None
    cut = frame[None, : height * scale, : width * scale]
    return of_low(resize(cut, (height, width))[0])
