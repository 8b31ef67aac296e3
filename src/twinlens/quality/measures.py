"""Compute PSNR, SSIM and warping error of single frames. H W sides."""

import numpy as np
from numpy.typing import NDArray
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from twinlens import colour
from twinlens.arrays import Frame
from twinlens.flow.warp import inside, warp
from twinlens.models import SCALE

CUT = SCALE
"""Pixels cut at each border before PSNR and SSIM: as many as the scale (VDSR)."""
EXACT = 100.0
"""PSNR in dB of equal frames, such as black ones, whose own would be infinite."""
Flow = NDArray[np.floating]


def luma(frame: Frame) -> NDArray[np.float64]:
    """Compute luma of RGB (H, W, 3) in 0..255, not rounded, borders cut."""
    planes = np.moveaxis(frame[CUT:-CUT, CUT:-CUT] / 255.0, -1, 0)
    return 255 * colour.luma(*planes)


def psnr(output: Frame, target: Frame) -> float:
    """Compute PSNR of luma in dB, `EXACT` at most: a mean over frames stays finite."""
    one, other = luma(target), luma(output)
    if np.array_equal(one, other):
        return EXACT
    return min(EXACT, float(peak_signal_noise_ratio(one, other, data_range=255)))


def ssim(output: Frame, target: Frame) -> float:
    """Compute SSIM of luma (Wang et al. 2004): Gaussian 11, sigma 1.5, inner part."""
    return float(
        structural_similarity(
            luma(target),
            luma(output),
            data_range=255,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
    )


def reliable_flow(forward: Flow, backward: Flow) -> NDArray[np.bool_]:
    """Mask reliable flow: pixels seen in both frames, not at a motion border.

    Args:
        forward: (2, H, W), pixels, from frame t to t + 1 of the original.
        backward: from t + 1 to t.

    Returns:
        (H, W). The rules of Lai et al., "Learning Blind Video Temporal Consistency",
        ECCV 2018.
    """
    ahead = forward.astype(np.float32)
    back = np.stack([warp(plane, ahead) for plane in backward])
    lengths = np.square(ahead).sum(0) + np.square(back).sum(0)
    seen = np.square(ahead + back).sum(0) <= 0.01 * lengths + 0.5
    slope = sum(
        np.square(np.gradient(plane)[0]) + np.square(np.gradient(plane)[1])
        for plane in ahead
    )
    smooth = slope <= 0.01 * np.square(ahead).sum(0) + 0.002
    found: NDArray[np.bool_] = seen & smooth & inside(ahead)
    return found


def warping_error(
    first: Frame, second: Frame, forward: Flow, reliable: NDArray[np.bool_]
) -> float | None:
    """Average squared differences of a frame and the next, warped backward onto it.

    Args:
        first: (H, W, 3), RGB 0..255.
        second: the next frame.
        forward: (2, H, W), pixels, the original's motion from first to second.
        reliable: mask of the pixels that count, (H, W).

    Returns:
        Of frames in 0..1, mean over colours; None where no pixel counts.
    """
    if not reliable.any():
        return None
    back = warp(second.astype(np.float32) / 255, forward)
    return float(np.square(first / 255.0 - back)[reliable].mean())
