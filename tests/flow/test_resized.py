"""Frames as flow reads them."""

import cv2
import numpy as np
import pytest

from twinlens.flow.frames import resized


@pytest.mark.parametrize("count", [0, 1, 3])
def test_frames_of_any_number_get_the_size(noise, count):
    frames = noise(count)
    found = resized(frames, (20, 12))
    assert found.shape == (count, 12, 20, 3)
    assert found.dtype == np.uint8
    for frame, each in zip(frames, found, strict=True):
        assert (cv2.resize(frame, (20, 12)) == each).all()


def test_without_a_size_frames_stay(noise):
    frames = noise(2)
    assert resized(frames, None) is frames
