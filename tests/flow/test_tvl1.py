"""TV-L1 is OpenCV's to the bit, its fast form as good, its GPU forms literal."""

import subprocess
import sys
from functools import cache

import cv2
import numpy as np
import pytest

from tests.flow.known_flow import SETS, Pair, end_point_error, make_pairs
from twinlens.flow.tvl1 import PRESETS, tvl1

PER_SET = 4
F = np.float32


def run(pair, preset, **options):
    return tvl1(pair.first[None], pair.second[None], preset, **options)[0]


def opencv(pair):
    # A new object each time: one that has seen a small picture keeps its few scales.
    flow = cv2.optflow.DualTVL1OpticalFlow_create().calc(pair.first, pair.second, None)
    return np.moveaxis(flow, 2, 0)


def encoded(flow):
    """Eight bits for -20..20 px, as the inputs of two-stream networks are stored."""
    return np.clip(np.rint(255 * (flow.astype(np.float64) + 20) / 40), 0, 255)


def share_equal(output, wanted):
    return (encoded(output) == encoded(wanted)).mean()


@cache
def small_pairs(name):
    return make_pairs(name, PER_SET, 128, 96)


@cache
def opencv_small(name, index):
    return opencv(small_pairs(name)[index])


@pytest.mark.parametrize("index", range(PER_SET))
@pytest.mark.parametrize("name", SETS)
@pytest.mark.slow
def test_opencv_preset_equals_opencv(name, index):
    output = run(small_pairs(name)[index], "opencv")
    assert share_equal(output, opencv_small(name, index)) >= 0.999


@pytest.mark.parametrize(
    ("name", "width", "height"),
    [("layers", 320, 240), ("large", 161, 123), ("noise", 340, 64), ("turn", 33, 47)],
)
@pytest.mark.slow
def test_opencv_preset_equals_opencv_at_other_sizes(name, width, height):
    (pair,) = make_pairs(name, 1, width, height)
    assert share_equal(run(pair, "opencv"), opencv(pair)) >= 0.999


def clip_names():
    return ["UCF-101/Archery", "UCF-101/YoYo", "UCF-101/Surfing"] + [
        f"hmdb51/{name}" for name in ("climb_stairs", "golf", "swing_baseball")
    ]


@pytest.mark.parametrize("name", clip_names())
@pytest.mark.slow
def test_opencv_preset_equals_opencv_on_real_clips(realdata, name):
    clip = min((realdata / name).iterdir())
    video = cv2.VideoCapture(str(clip))
    frames = [video.read()[1] for _ in range(6)][::5]  # five frames apart
    grey = [cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY) for frame in frames]
    pair = Pair(*(cv2.resize(picture, (160, 120)) for picture in grey), flow=None)
    assert share_equal(run(pair, "opencv"), opencv(pair)) >= 0.999


def test_large_flow_of_opencv_preset_leaves_no_pixel_behind():
    (pair,) = make_pairs("large", 1, 160, 120)
    np.testing.assert_array_equal(run(pair, "opencv"), opencv(pair))


def test_a_quick_length_is_the_rounded_double_one_or_doubted():
    from numba import vectorize

    from twinlens.flow.tvl1_kernels import _length

    length = vectorize(lambda x, y: _length(x, y)[0])
    doubted = vectorize(lambda x, y: _length(x, y)[1])
    x, y = np.random.default_rng(0).normal(size=(2, 4_000_000)).astype(F)
    wanted = np.sqrt(x.astype(np.float64) ** 2 + y.astype(np.float64) ** 2).astype(F)
    doubt = doubted(x, y)
    assert ((length(x, y) == wanted) | doubt).all()
    assert doubt.mean() < 1e-4


@pytest.mark.parametrize(
    "name",
    [SETS[0], *(pytest.param(each, marks=pytest.mark.slow) for each in SETS[1:])],
)
def test_fast_error_is_at_most_two_percent_above_opencvs(name):
    pairs = small_pairs(name)
    fast = np.stack([run(pair, "fast") for pair in pairs])
    peer = np.stack([opencv_small(name, index) for index in range(PER_SET)])
    assert end_point_error(fast, pairs) <= 1.02 * end_point_error(peer, pairs)


@pytest.mark.parametrize("preset", PRESETS)
def test_flow_points_right_and_down_from_first_to_second(preset):
    (pair,) = make_pairs("small", 1, 96, 64)
    moved = cv2.warpAffine(
        pair.first, F([[1, 0, 2], [0, 1, 1]]), (96, 64), borderMode=cv2.BORDER_REFLECT
    )
    inner = tvl1(pair.first[None], moved[None], preset)[0, :, 10:-10, 10:-10]
    np.testing.assert_allclose(np.median(inner, (1, 2)), [2, 1], atol=0.1)


@pytest.mark.parametrize("preset", PRESETS)
def test_still_pictures_have_no_flow(preset):
    (pair,) = make_pairs("small", 1, 64, 48)
    assert not tvl1(pair.first[None], pair.first[None], preset).any()


@pytest.mark.parametrize("preset", PRESETS)
def test_a_pair_has_the_same_bits_alone_and_in_a_batch(preset):
    pairs = small_pairs("medium")
    batch = [
        np.stack(side)
        for side in zip(*((p.first, p.second) for p in pairs), strict=True)
    ]
    together = tvl1(*batch, preset)
    alone = np.stack([run(pair, preset) for pair in pairs])
    np.testing.assert_array_equal(together, alone)
    np.testing.assert_array_equal(tvl1(*batch, preset, threads=2), together)


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("shape", [(3, 3), (3, 5), (16, 16), (17, 300), (140, 9)])
def test_tiny_and_odd_pictures_work(preset, shape):
    random = np.random.default_rng(0)
    pictures = random.integers(0, 256, (2, 1, *shape), dtype=np.uint8)
    flow = tvl1(*pictures, preset)
    assert flow.shape == (1, 2, *shape)
    assert flow.dtype == np.float32
    assert np.isfinite(flow).all()


@pytest.mark.parametrize("preset", PRESETS)
def test_an_empty_batch_gives_an_empty_flow(preset):
    none = np.zeros((0, 40, 60), np.uint8)
    flow = tvl1(none, none, preset)
    assert flow.shape == (0, 2, 40, 60)
    assert flow.dtype == np.float32


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        (np.zeros((1, 20, 20), F), np.zeros((1, 20, 20), F), "float32.*must be uint8"),
        (np.zeros((20, 20), "B"), np.zeros((20, 20), "B"), r"\(20, 20\).*must be"),
        (np.zeros((1, 20, 20), "B"), np.zeros((2, 20, 20), "B"), "must agree"),
        (np.zeros((1, 2, 20), "B"), np.zeros((1, 2, 20), "B"), "20 x 2 px.*3 to 8191"),
        (np.zeros((1, 4, 8192), "B"), np.zeros((1, 4, 8192), "B"), "8192 x 4 px"),
        ([[[0]]], np.zeros((1, 1, 1), "B"), "first is a list"),
    ],
)
def test_wrong_pictures_are_refused_in_words(first, second, words):
    with pytest.raises(ValueError, match=words):
        tvl1(first, second)


def test_an_unknown_preset_is_answered_with_the_known_ones():
    none = np.zeros((0, 20, 20), np.uint8)
    with pytest.raises(ValueError, match="'quick'.*opencv, fast, gpu24, cuda"):
        tvl1(none, none, "quick")


def test_no_threads_are_refused():
    none = np.zeros((0, 20, 20), np.uint8)
    with pytest.raises(ValueError, match="threads is 0"):
        tvl1(none, none, threads=0)


def test_importing_does_not_load_numba():
    code = "import sys, twinlens.flow.tvl1; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# Where motion is too large for the method, a stop test may be nearly a tie, and which
# way rounding lets it go decides a few per cent of the pixels: no such pair is here.
@pytest.mark.parametrize("name", ["small", "medium", "layers"])
@pytest.mark.parametrize("preset", ["gpu24", "cuda"])
@pytest.mark.slow
def test_gpu_presets_follow_a_literal_reading_of_the_gpu_code(preset, name):
    (pair,) = make_pairs(name, 1, 80, 60)
    output, wanted = run(pair, preset), gpu_reference(pair, preset)
    assert share_equal(output, wanted) >= 0.999
    assert np.abs(output - wanted).mean() < 1e-3


def gpu_reference(pair, preset):
    """OpenCV's GPU class, one plain step after the other. Pictures and flow (H, W)."""
    shrink = {"gpu24": pyramid_down, "cuda": lambda p: sample(p, None, 1.25)}[preset]
    factor = {"gpu24": 2, "cuda": 1.25}[preset]
    levels = [(pair.first.astype(F), pair.second.astype(F))]
    while len(levels) < 5:
        smaller = tuple(shrink(picture) for picture in levels[-1])
        if min(smaller[0].shape) < 16:
            break
        levels.append(smaller)
    u = [np.zeros(levels[-1][0].shape, F)] * 2
    for first, second in reversed(levels):
        if u[0].shape != first.shape:
            u = [sample(plane, first.shape) * F(factor) for plane in u]
        u = gpu_scale(first, second, u)
    return np.stack(u)


def pyramid_down(picture):
    kernel = F([1, 4, 6, 4, 1]) / 16
    height, width = picture.shape
    padded = np.pad(picture, 2, mode="reflect")
    rows = sum(k * padded[i : i + height] for i, k in enumerate(kernel))
    return sum(k * rows[:, i : i + width] for i, k in enumerate(kernel))[::2, ::2]


def sample(picture, shape=None, step=None):
    """Bilinear at multiples of a step, as the GPU resize does: no half-pixel shift."""
    old = picture.shape
    shape = shape or tuple(round(0.8 * side) for side in old)
    at = [np.arange(n) * (step or o / n) for o, n in zip(old, shape, strict=True)]
    low = [np.floor(a).astype(int) for a in at]
    high = [np.minimum(a + 1, o - 1) for a, o in zip(low, old, strict=True)]
    fy, fx = (at[0] - low[0])[:, None], (at[1] - low[1])[None]
    top = picture[low[0]][:, low[1]] * (1 - fx) + picture[low[0]][:, high[1]] * fx
    end = picture[high[0]][:, low[1]] * (1 - fx) + picture[high[0]][:, high[1]] * fx
    return (top * (1 - fy) + end * fy).astype(F)


def bicubic(distance):
    x = np.abs(distance)
    near = 1.5 * x**3 - 2.5 * x**2 + 1
    far = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(x <= 1, near, np.where(x < 2, far, 0))


def gpu_warp(planes, u):
    height, width = u[0].shape
    wx, wy = u[0] + np.arange(width), u[1] + np.arange(height)[:, None]
    sums, total = [np.zeros((height, width)) for _ in planes], 0
    for i, j in np.ndindex(5, 5):
        cx, cy = np.ceil(wx - 2) + j, np.ceil(wy - 2) + i
        weight = bicubic(wx - cx) * bicubic(wy - cy)
        x, y = np.clip(cx, 0, width - 1), np.clip(cy, 0, height - 1)
        total = total + weight
        for plane, summed in zip(planes, sums, strict=True):
            summed += weight * plane[y.astype(int), x.astype(int)]
    return [(summed / total).astype(F) for summed in sums]


def forward(plane):
    dx, dy = np.zeros_like(plane), np.zeros_like(plane)
    dx[:, :-1], dy[:-1] = np.diff(plane, axis=1), np.diff(plane, axis=0)
    return dx, dy


def divergence(px, py):
    return np.diff(px, axis=1, prepend=F(0)) + np.diff(py, axis=0, prepend=F(0))


def gpu_scale(first, second, u):
    gradient_x, gradient_y = (
        0.5 * np.diff(np.pad(second, pad, mode="edge")[cut], axis=axis)
        for pad, cut, axis in [
            (((0, 0), (1, 1)), np.s_[:], 1),
            (((1, 1), (0, 0)), np.s_[:], 0),
        ]
    )
    # Central differences: the mean of the differences to both sides.
    gx = gradient_x[:, :-1] + gradient_x[:, 1:]
    gy = gradient_y[:-1] + gradient_y[1:]
    p = [np.zeros_like(first) for _ in range(4)]
    for _ in range(5):
        moved, ix, iy = gpu_warp([second, gx, gy], u)
        square = ix**2 + iy**2
        constant = moved - ix * u[0] - iy * u[1] - first
        u, p = gpu_iterate(u, p, ix, iy, square, constant)
    return u


def gpu_iterate(u, p, ix, iy, square, constant):
    limit, theta, step = F(0.045), F(0.3), F(0.25 / 0.3)
    threshold, error, previous, n = 1e-4 * square.size, np.inf, 0.0, 0
    while error > threshold and n < 300:
        rho = constant + ix * u[0] + iy * u[1]
        steep = square > np.finfo(F).eps
        k = np.where(steep, -rho / np.where(steep, square, 1), 0)
        k = np.where(rho > limit * square, -limit, k)
        k = np.where(rho < -limit * square, limit, k).astype(F)
        old = u
        u = [
            u[0] + k * ix + theta * divergence(p[0], p[1]),
            u[1] + k * iy + theta * divergence(p[2], p[3]),
        ]
        if n % 2 == 1 and previous < threshold:
            changes = ((a - b) ** 2 for a, b in zip(u, old, strict=True))
            error = previous = float(sum(c.sum(dtype=np.float64) for c in changes))
        else:
            error, previous = np.inf, previous - threshold
        gradients = [g for plane in u for g in forward(plane)]
        norms = [1 + step * np.hypot(*gradients[i : i + 2]) for i in (0, 2)]
        norms = [norms[0], norms[0], norms[1], norms[1]]
        p = [(a + step * g) / m for a, g, m in zip(p, gradients, norms, strict=True)]
        n += 1
    return u, p
