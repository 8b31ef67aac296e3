"""MATLAB's bicubic, against vectors derived from its definition and known images."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from twinlens.resample import downscale, upscale
from twinlens.resample.bicubic import resize

ROW = np.array("10 20 40 80 160 120 60 30 15 5 250 200 100 50 25 12".split(), float)
ROW_DOWN = [45.2197, 79.8047, 109.7070, 59.5186]
ROW_UP = """
8.8281 9.4531 10.7031 12.5781 15.0781 18.2031 21.8848 25.8887 30.5957 36.4746 44.3164
55.2930 67.0508 76.7773 82.1875 84.6875
""".split()


def _columns(row):
    """A picture whose columns are all `row`, so that one direction does nothing."""
    return np.repeat(row[:, None], 16, axis=1)


def test_shrinking_gives_matlabs_numbers():
    output = downscale(_columns(ROW))
    np.testing.assert_allclose(output[:, 0], ROW_DOWN, atol=1e-4)


def test_enlarging_gives_matlabs_numbers():
    output = upscale(_columns(ROW[:4]))
    np.testing.assert_allclose(output[:, 0], np.array(ROW_UP, float), atol=1e-4)


def test_sides_that_four_does_not_divide_round_up():
    assert downscale(np.zeros((50, 427, 3), np.uint8)).shape == (13, 107, 3)


def test_rows_and_columns_are_treated_alike():
    picture = np.random.default_rng(0).random((24, 36))
    np.testing.assert_allclose(downscale(picture).T, downscale(picture.T))


def test_bytes_are_rounded_after_each_pass():
    picture = np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)
    rows = np.floor(resize(picture.astype(float), (16, 64)).clip(0, 255) + 0.5)
    both = np.floor(resize(rows, (16, 16)).clip(0, 255) + 0.5)
    np.testing.assert_array_equal(downscale(picture), both)
    once = np.floor(downscale(picture.astype(float)).clip(0, 255) + 0.5)
    assert (once != both).any()


def test_bytes_stay_bytes_and_floats_stay_floats():
    assert upscale(np.zeros((4, 4), np.uint8)).dtype == np.uint8
    assert upscale(np.zeros((4, 4), np.float32)).dtype == np.float32


def test_an_even_picture_stays_even():
    assert (upscale(np.full((5, 7, 3), 77, np.uint8)) == 77).all()


def test_a_clip_is_the_same_as_its_frames():
    clip = np.random.default_rng(0).integers(0, 256, (3, 12, 20, 3), dtype=np.uint8)
    one_by_one = np.stack([downscale(frame) for frame in clip])
    np.testing.assert_array_equal(downscale(clip), one_by_one)


def test_a_clip_without_frames_stays_one():
    assert upscale(np.zeros((0, 4, 4, 3), np.uint8)).shape == (0, 16, 16, 3)


def test_any_size_can_be_asked_for():
    assert resize(np.zeros((2, 720, 1280, 3), np.uint8), (240, 427)).shape[1:3] == (
        240,
        427,
    )


@pytest.mark.parametrize("shape", [(4,), (4, 4, 4)])
def test_other_shapes_are_refused_in_words(shape):
    with pytest.raises(ValueError, match=r"\(H, W\)"):
        downscale(np.zeros(shape, np.uint8))


def test_other_integers_are_refused_in_words():
    with pytest.raises(ValueError, match="uint8 or float"):
        downscale(np.zeros((4, 4), np.int32))


def test_set5_gives_the_psnr_of_the_literature(realdata: Path):
    found = [_psnr(path) for path in sorted((realdata / "set5").glob("*.bmp"))]
    assert len(found) == 5
    assert np.mean(found) == pytest.approx(28.42, abs=0.02)


def _psnr(path):
    """PSNR of x4 bicubic on Y, border of 4 pixels left out, as the literature does."""
    picture = cv2.imread(str(path))[..., ::-1]
    height, width = (side // 4 * 4 for side in picture.shape[:2])
    luma = 16 + picture[:height, :width] @ np.array([65.481, 128.553, 24.966]) / 255
    luma = np.round(luma).astype(np.uint8)
    error = luma.astype(float) - upscale(downscale(luma))
    return 10 * np.log10(255**2 / np.mean(error[4:-4, 4:-4] ** 2))
