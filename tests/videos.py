"""Videos, decoded whole."""

from types import SimpleNamespace

import numpy as np

from twinlens.media import ffmpeg
from twinlens.media.settings import Limits


def decoded(path, **limits):
    """All frames (T, H, W, 3) of a video, and what is known of it."""

    def consume(video):
        frames = np.stack(list(video.frames))
        return SimpleNamespace(
            frames=frames, fps=video.fps, end=video.end, notes=video.notes
        )

    return ffmpeg.decode(path, Limits(**limits), consume)
