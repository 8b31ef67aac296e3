"""What a recogniser sees of a frame."""

import numpy as np
import pytest

from twinlens.errors import ArtifactError
from twinlens.recognisers.tsn import Views
from twinlens.recognition.recode import mirror, recode_flow, recode_rgb
from twinlens.recognition.tsn.views import (
    network_input,
    train_crop,
)
from twinlens.recognition.tsn.views import (
    test_crops as crops_of,
)

RNG = np.random.default_rng(0)


def _images(count=2, channels=3, height=256, width=340):
    return RNG.integers(0, 256, (count, channels, height, width), dtype=np.uint8)


def test_ten_crops_are_corners_centre_and_their_mirrors():
    images = _images()
    output = crops_of(images, Views(), flow=False)
    assert output.shape == (2, 10, 3, 224, 224)
    np.testing.assert_array_equal(output[:, 0], images[..., :224, :224])
    np.testing.assert_array_equal(output[:, 3], images[..., 32:, 116:])
    np.testing.assert_array_equal(output[:, 4], images[..., 16:240, 58:282])
    np.testing.assert_array_equal(output[:, 5:], output[:, :5, ..., ::-1])


def test_mirrored_flow_points_the_other_way():
    flow = _images(channels=10)
    output = mirror(flow, flow=True)
    np.testing.assert_array_equal(output[:, 0], 255 - flow[:, 0, :, ::-1])
    np.testing.assert_array_equal(output[:, 1], flow[:, 1, :, ::-1])


@pytest.mark.parametrize(("crops", "count"), [(1, 1), (2, 2), (5, 5), (10, 10)])
def test_fewer_crops_can_be_asked_for(crops, count):
    assert crops_of(_images(), Views(crops=crops), flow=False).shape[1] == count


def test_an_image_smaller_than_the_crop_is_refused_in_words():
    with pytest.raises(ArtifactError, match="100x90 are smaller than .* 224"):
        crops_of(_images(height=90, width=100), Views(), flow=False)


def test_frames_become_blue_green_red_at_the_recogniser_s_size():
    frames = np.zeros((1, 240, 320, 3), np.uint8)
    frames[..., 0] = 200
    output = recode_rgb(frames, Views(size=(340, 256)))
    assert output.shape == (1, 3, 256, 340)
    assert (output[0, 2] == 200).all()
    assert (output[0, :2] == 0).all()


def test_jpeg_changes_little_and_something():
    frames = RNG.integers(100, 130, (1, 96, 128, 3), dtype=np.uint8)
    output = recode_rgb(frames, Views(jpeg=95)).astype(int)
    before = recode_rgb(frames, Views()).astype(int)
    assert 0 < np.abs(output - before).mean() < 8


def test_flow_passes_through_jpeg_plane_by_plane():
    flow = np.full((3, 2, 32, 48), 128, np.uint8)
    flow[:, 1] = 90
    np.testing.assert_array_equal(recode_flow(flow, Views(jpeg=95)), flow)


def test_a_training_crop_is_one_for_all_images_of_a_snippet():
    images = np.repeat(_images(count=1), 2, axis=0)
    output = train_crop(images, Views(crop=112), False, np.random.default_rng(1))
    assert output.shape == (2, 3, 112, 112)
    np.testing.assert_array_equal(output[0], output[1])


def test_training_crops_depend_on_their_generator_alone():
    images = _images()
    one, same, other = (
        train_crop(images, Views(), False, np.random.default_rng(seed))
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


def test_means_are_those_of_the_published_networks():
    images = np.zeros((1, 3, 2, 2), np.uint8)
    assert network_input(images, flow=False)[0, :, 0, 0].tolist() == [-104, -117, -123]
    assert network_input(images, flow=True)[0, 0, 0, 0] == -128
