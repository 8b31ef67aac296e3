"""The spectrum of low-resolution frames tells how they were shrunk."""

import cv2
import numpy as np
import pytest

from tests.videos import decoded
from twinlens.media import detail
from twinlens.resample.bicubic import resize


def shrunk(frame, how):
    height, width = frame.shape[0] // 4 * 4, frame.shape[1] // 4 * 4
    frame = frame[:height, :width]
    match how:
        case "bicubic":
            return resize(frame[None], (height // 4, width // 4))[0]
        case "gaussian":
            return cv2.GaussianBlur(frame, (0, 0), 1.6)[::4, ::4]
        case "nearest":
            return frame[::4, ::4]


@pytest.fixture(scope="module")
def frames(realdata):
    clips = sorted((realdata / "UCF-101").rglob("*.avi"))[::4]
    return [each[len(each) // 2] for each in (decoded(clip).frames for clip in clips)]


def mean(frames, how):
    return np.mean([detail.of_low(shrunk(frame, how)) for frame in frames])


def test_kernels_differ_in_real_clips(frames):
    bicubic = mean(frames, "bicubic")
    assert mean(frames, "gaussian") < bicubic - 0.2
    assert mean(frames, "nearest") > bicubic + 1


def test_full_resolution_is_measured_as_bicubic_shrinks_it(frames):
    low = detail.of_low(shrunk(frames[0], "bicubic"))
    assert detail.of_high(frames[0], 4) == low


@pytest.mark.parametrize("size", [1, 2, 3, 4, 7, 40])
def test_frames_of_one_colour_or_too_small_say_nothing(size):
    assert detail.of_low(np.full((size, size, 3), 9, np.uint8)) is None
    rng = np.random.default_rng(0)
    frame = rng.integers(0, 256, (size, size, 3), dtype=np.uint8)
    found = detail.of_high(frame, 4)
    assert (found is None) == (size < 16)
