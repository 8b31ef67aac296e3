"""Enlarge frames by a network of the common contract (`twinlens.models`).

T frames that the network reads, h w low resolution.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from twinlens import models
from twinlens.arrays import Frame, Frames
from twinlens.errors import ArtifactError

AT_ONCE = {"cuda": 16 * 80 * 60, "cpu": 4096}
"""Pixels of low resolution: small pictures go several together, large ones alone."""


def enlarge(
    network: Any,
    low_nhw3: Frames,
    index: NDArray[np.integer],
    wanted: NDArray[np.integer],
    total: int,
    device: torch.device,
) -> Frames:
    """Enlarge some frames of a clip.

    A network of several frames gets its neighbours; beyond the clip's ends the last
    frame repeated, or black where the network says `zeros_beyond = True`.

    Args:
        network: on `device`, in evaluation mode.
        low_nhw3: uint8 (n, h, w, 3), RGB 0..255, the frames there are.
        index: (n,), of each of them in the clip, ascending.
        wanted: (m,), indices of the frames to enlarge.
        total: frames of the clip.
        device: where to work.

    Returns:
        uint8 (m, 4h, 4w, 3), rounded and clipped.

    Raises:
        ArtifactError: a frame that is needed is not there, or the network gives values
            that are not finite.
    """
    if network.frames == models.WHOLE_CLIP:
        if not np.array_equal(index, np.arange(total)):
            raise ArtifactError(
                "the network reads whole clips, but some frames are not stored"
            )
        return _whole(network, low_nhw3, wanted, device)
    half = int(network.frames) // 2
    around = wanted[:, None] + np.arange(-half, half + 1)
    inside = (around >= 0) & (around < total)
    needed = np.clip(around, 0, total - 1)
    rows = np.searchsorted(index, needed).clip(max=len(index) - 1)
    if not np.array_equal(index[rows], needed):
        raise ArtifactError("frames that the network reads are not stored")
    black = ~inside if getattr(network, "zeros_beyond", False) else inside & False
    size = max(1, AT_ONCE[device.type] // (low_nhw3.shape[1] * low_nhw3.shape[2]))
    output = [
        _bytes(network(_tensor(low_nhw3[rows[part]], black[part], device)))
        for part in _parts(len(wanted), size)
    ]
    return np.concatenate(output) if output else _none(low_nhw3)


def _parts(count: int, size: int) -> Iterator[slice]:
    return (slice(start, start + size) for start in range(0, count, size))


def _tensor(
    low_bthw3: NDArray[np.uint8], black_bt: NDArray[np.bool_], device: torch.device
) -> torch.Tensor:
    pixels = torch.from_numpy(low_bthw3).to(device).movedim(-1, -3).float() / 255
    pixels[torch.from_numpy(black_bt).to(device)] = 0
    return pixels


def _bytes(high_b3hw: torch.Tensor) -> Frames:
    if not high_b3hw.isfinite().all():
        raise ArtifactError(
            "the network gives frames with values that are not finite numbers"
        )
    levels = (high_b3hw.clamp(0, 1) * 255).round().byte()
    return levels.movedim(1, -1).cpu().numpy()


def clip(network: Any, low_nhw3: Frames, device: torch.device) -> Iterator[Frames]:
    """Enlarge all frames of a clip by a network of whole clips: (4h, 4w, 3) each.

    Low resolution is held in floats: 12 bytes a pixel of the clip.
    """
    low = _tensor(low_nhw3[None], np.zeros((1, len(low_nhw3)), np.bool_), device)
    for picture in network.clip(low):
        yield _bytes(picture)[0]


def steps(
    network: Any, low_hw3: Iterable[Frame], device: torch.device
) -> Iterator[Frames]:
    """Enlarge frames as they come by a network of whole clips that has `step`.

    Args:
        network: as for `enlarge`.
        low_hw3: uint8 (h, w, 3), RGB 0..255, from the first of a clip on.
        device: where to work.

    Yields:
        (4h, 4w, 3) of each, as `clip` gives them.
    """
    state = None
    for frame in low_hw3:
        low = _tensor(frame[None, None], np.zeros((1, 1), np.bool_), device)[:, 0]
        state = network.start(low) if state is None else state
        picture, *state = network.step(low, *state)
        yield _bytes(picture)[0]


def _whole(
    network: Any, low_nhw3: Frames, wanted: NDArray[np.integer], device: torch.device
) -> Frames:
    """Enlarge the clip in one pass; keep the wanted frames, in their order."""
    indices = set(wanted.tolist())
    pictures = enumerate(clip(network, low_nhw3, device))
    output = {at: picture for at, picture in pictures if at in indices}
    if not indices:
        return _none(low_nhw3)
    return np.stack([output[at] for at in wanted.tolist()])


def _none(low_nhw3: Frames) -> Frames:
    height, width = low_nhw3.shape[1:3]
    return np.zeros((0, models.SCALE * height, models.SCALE * width, 3), np.uint8)
