"""TV-L1 optical flow on the CPU: as OpenCV computes it, and faster.

The method: C. Zach, T. Pock, H. Bischof, "A Duality Based Approach for Realtime TV-L1
Optical Flow", DAGM 2007; the schedules are those of OpenCV (opencv_contrib, optflow)
and of its GPU modules. Presets:

- `opencv`: the CPU class of OpenCV 5 with its default settings, to the last bit.
- `fast`: the same energy and the same weights, with fewer warps and iterations; its
  mean end-point error is at most OpenCV's on all motions that we tried.
- `gpu24`: the GPU class of early OpenCV 2.4 (pyramid by halves, no median), from which
  published two-stream networks got their input.
- `cuda`: the GPU class of later versions, with a pyramid step of 0.8.
"""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
from numpy.typing import NDArray

PRESETS = ("opencv", "fast", "gpu24", "cuda")
SMALLEST = 3  # px; a gradient needs a pixel between two others
LARGEST = 8191  # px


def tvl1(
    first: NDArray[np.uint8],
    second: NDArray[np.uint8],
    preset: str = "opencv",
    *,
    threads: int = 1,
) -> NDArray[np.float32]:
    """Compute the optical flow of pairs of grey pictures.

    A pair's flow depends on that pair alone, bit by bit: neither on the others of the
    batch nor on the number of threads. The first call compiles (seconds; cached).

    Args:
        first: uint8 (N, H, W), grey 0..255; N may be 0, sides 3..8191.
        second: the same shape, what `first` turned into.
        preset: one of `PRESETS`.
        threads: how many pairs are worked on at the same time.

    Returns:
        float32 (N, 2, H, W): in pixels, first to the right, then down. What is at
        (x, y) in `first` is at (x, y) + flow[n, :, y, x] in `second`.

    Raises:
        ValueError: pictures are no such arrays, or an argument is out of range.
    """
    _check(first, second, preset, threads)
    if not len(first):
        return np.zeros((0, 2, *first.shape[1:]), np.float32)
    # Imported late: numba takes longer to load than most commands that import us run.
    from twinlens.flow import tvl1_presets

    solve = partial(tvl1_presets.solve_pair, preset=tvl1_presets.PRESETS[preset])
    if threads == 1:
        return np.stack(list(map(solve, first, second)))
    with ThreadPoolExecutor(threads) as pool:
        return np.stack(list(pool.map(solve, first, second)))


def _check(first: object, second: object, preset: str, threads: int) -> None:
    if preset not in PRESETS:
        known = ", ".join(PRESETS)
        raise ValueError(f"there is no TV-L1 preset {preset!r}; there are: {known}")
    if threads < 1:
        raise ValueError(f"threads is {threads}, but must be at least 1")
    first_shape, second_shape = _shape("first", first), _shape("second", second)
    if first_shape != second_shape:
        raise ValueError(
            f"first has shape {first_shape} but second {second_shape}; they must agree"
        )
    sides = first_shape[1:]
    if min(sides) < SMALLEST or max(sides) > LARGEST:
        raise ValueError(
            f"pictures are {sides[1]} x {sides[0]} px (width x height), "
            f"but each side must have {SMALLEST} to {LARGEST}"
        )


def _shape(name: str, pictures: object) -> tuple[int, ...]:
    if not isinstance(pictures, np.ndarray):
        raise ValueError(
            f"{name} is a {type(pictures).__name__}, but must be a numpy array"
        )
    if pictures.dtype != np.uint8 or pictures.ndim != 3:
        raise ValueError(
            f"{name} is {pictures.dtype} of shape {pictures.shape}, "
            "but must be uint8 of shape (pictures, height, width)"
        )
    return pictures.shape
