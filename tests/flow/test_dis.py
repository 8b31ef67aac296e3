"""Dense inverse search: what it finds, and that nothing else decides it."""

import cv2
import numpy as np
import pytest
import skimage.data

from tests.flow.known_flow import make_pairs
from twinlens.flow import estimators

PRESETS = {"ultrafast": 0.5, "fast": 0.3, "medium": 0.2}
"""With the mean error in px that we allow."""
SIDE, MARGIN = 128, 16


def dis(first, second, preset="medium", threads=1):
    entry = {"kind": "dis", "preset": preset}
    return estimators.load(entry, threads=threads)(first, second)


def shifted(right, down):
    """A pair of pictures (1, H, W, 3), the second moved by whole pixels."""
    photograph = skimage.data.astronaut()[100:, 100:]
    first, second = (
        photograph[MARGIN - y : MARGIN - y + SIDE, MARGIN - x : MARGIN - x + SIDE]
        for x, y in ((0, 0), (right, down))
    )
    return first[None].copy(), second[None].copy()


def pairs():
    """Three pairs of pictures in colour, (3, H, W, 3) twice."""
    found = [make_pairs(name, 1, 96, 80)[0] for name in ("small", "large", "layers")]
    both = np.array([[each.first, each.second] for each in found])
    return np.repeat(both[..., None], 3, axis=-1).swapaxes(0, 1)


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize(("right", "down"), [(3, 0), (-3, 0), (0, 4), (-2, -5), (0, 0)])
def test_a_translation_is_found_with_its_direction_and_size(preset, right, down):
    found = dis(*shifted(right, down), preset)
    assert found.shape == (1, 2, SIDE, SIDE)
    assert found.dtype == np.float32
    inner = found[0, :, MARGIN:-MARGIN, MARGIN:-MARGIN]
    off = np.hypot(inner[0] - right, inner[1] - down)
    assert off.mean() < PRESETS[preset]


def test_no_pairs_give_no_flow():
    none = np.zeros((0, 24, 32, 3), np.uint8)
    found = dis(none, none)
    assert found.shape == (0, 2, 24, 32)
    assert found.dtype == np.float32


@pytest.mark.parametrize("preset", PRESETS)
def test_a_pair_gives_the_same_flow_twice(preset):
    first, second = pairs()
    np.testing.assert_array_equal(
        dis(first, second, preset), dis(first, second, preset)
    )


@pytest.mark.parametrize("threads", [1, 2])
def test_a_pair_s_flow_does_not_depend_on_its_neighbours_or_threads(threads):
    first, second = pairs()
    alone = np.concatenate(
        [dis(first[n : n + 1], second[n : n + 1]) for n in range(len(first))]
    )
    batch = dis(first, second, threads=threads)
    np.testing.assert_array_equal(batch, alone)
    turned = dis(first[::-1].copy(), second[::-1].copy(), threads=threads)
    np.testing.assert_array_equal(turned[::-1], alone)


def test_one_estimator_gives_the_same_whatever_it_saw_before():
    first, second = pairs()
    estimate = estimators.load({"kind": "dis"})
    wanted = estimate(first[:1], second[:1])
    estimate(first[1:], second[1:])
    np.testing.assert_array_equal(estimate(first[:1], second[:1]), wanted)


@pytest.mark.parametrize("preset", PRESETS)
def test_it_is_opencv_s_on_the_grey_of_frames(preset):
    first, second = shifted(2, 1)
    choice = getattr(cv2, f"DISOPTICAL_FLOW_PRESET_{preset.upper()}")
    one, other = (cv2.cvtColor(each[0], cv2.COLOR_RGB2GRAY) for each in (first, second))
    wanted = cv2.DISOpticalFlow_create(choice).calc(one, other, None)
    np.testing.assert_array_equal(
        dis(first, second, preset)[0], np.moveaxis(wanted, -1, 0)
    )


def test_an_unknown_preset_is_refused():
    with pytest.raises(ValueError, match="'ultrafast', 'fast' or 'medium'"):
        estimators.load({"kind": "dis", "preset": "slow"})
