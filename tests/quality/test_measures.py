import numpy as np
import pytest

from twinlens.quality import measures


@pytest.fixture
def frame():
    return np.random.default_rng(0).integers(0, 256, (40, 48, 3), dtype=np.uint8)


def _still(height=40, width=48):
    return np.zeros((2, height, width), np.float16)


def test_equal_frames_have_no_error(frame):
    assert measures.psnr(frame, frame) == measures.EXACT
    assert measures.ssim(frame, frame) == pytest.approx(1)


def test_psnr_is_of_luma_less_its_borders(frame):
    dark = (frame // 2).astype(np.uint8)
    grey = dark + np.uint8(10)  # luma changes by 219/255 of it
    assert measures.psnr(grey, dark) == pytest.approx(
        20 * np.log10(255 / (10 * 219 / 255)), abs=1e-6
    )
    framed = dark.copy()
    framed[:4] = 255
    assert measures.psnr(framed, dark) == measures.EXACT


def test_ssim_is_wang_s_formula_with_its_window():
    rng = np.random.default_rng(1)
    one = rng.integers(0, 256, (30, 30, 3), dtype=np.uint8)
    other = np.clip(one.astype(int) + rng.integers(-30, 31, one.shape), 0, 255)
    other = other.astype(np.uint8)
    x, y = measures.luma(one), measures.luma(other)
    axis = np.arange(-5, 6)
    window = np.exp(-(axis[:, None] ** 2 + axis**2) / (2 * 1.5**2))
    window /= window.sum()

    def mean(picture):
        views = np.lib.stride_tricks.sliding_window_view(picture, (11, 11))
        return (views * window).sum(axis=(-1, -2))

    mx, my = mean(x), mean(y)
    vx, vy, cov = mean(x * x) - mx**2, mean(y * y) - my**2, mean(x * y) - mx * my
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    top = (2 * mx * my + c1) * (2 * cov + c2)
    known = top / ((mx**2 + my**2 + c1) * (vx + vy + c2))
    assert measures.ssim(other, one) == pytest.approx(known.mean(), abs=1e-4)


def test_a_video_that_moves_as_the_flow_says_has_no_warping_error(frame):
    second = np.roll(frame, 2, axis=1)
    forward, backward = _still(), _still()
    forward[0], backward[0] = 2, -2
    reliable = measures.reliable_flow(forward, backward)
    assert reliable[:, :40].mean() > 0.9
    assert measures.warping_error(frame, second, forward, reliable) < 1e-9
    assert measures.warping_error(frame, frame, forward, reliable) > 0.01


def test_pixels_that_are_hidden_do_not_count():
    forward, backward = _still(), _still()
    forward[0] = 5  # and the way back says that nothing moved
    assert not measures.reliable_flow(forward, backward).any()


def test_borders_of_motion_do_not_count():
    forward, backward = _still(), _still()
    forward[0, 10:20, 10:20], backward[0, 10:20, 10:20] = 0.4, -0.4
    reliable = measures.reliable_flow(forward, backward)
    assert not reliable[10, 15]
    assert reliable[30, 30]


def test_no_trusted_pixel_gives_no_number(frame):
    none = np.zeros((40, 48), bool)
    assert measures.warping_error(frame, frame, _still(), none) is None
