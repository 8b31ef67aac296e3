"""FlowNet2: its layers by naive loops, its size, the pictures that it takes."""

import numpy as np
import pytest
import torch

from twinlens.flow.flownet2 import layers
from twinlens.flow.flownet2.cascade import build, estimate, normalised
from twinlens.flow.flownet2.networks import channels

PARAMETERS = {
    "flownetc": 39_175_298,
    "flownets_1": 38_695_322,
    "flownets_2": 38_695_322,
    "flownets_d": 45_371_666,
    "flownetfusion": 581_226,
}
NARROW = 1 / 16


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(3)
    return build(NARROW).eval()


def _count(network):
    return sum(each.numel() for each in network.parameters())


def test_it_has_its_published_size():
    with torch.device("meta"):
        network = build()
    assert _count(network) == 162_518_834
    parts = {name: _count(part) for name, part in network.named_children()}
    assert parts == PARAMETERS
    assert len(network.state_dict()) == 220


def test_channels_are_multiples_of_four():
    assert [channels(full, 1.0) for full in (16, 64, 1024)] == [16, 64, 1024]
    assert [channels(full, 1 / 8) for full in (16, 32, 64, 1024)] == [4, 4, 8, 128]


@pytest.mark.parametrize("width", [0, -1, 1.5])
def test_widths_out_of_range_are_refused(width):
    with pytest.raises(ValueError, match="must lie in"):
        build(width)


def test_correlation_equals_a_naive_loop():
    generator = torch.Generator().manual_seed(0)
    first, second = torch.rand(2, 2, 3, 4, 5, generator=generator, dtype=torch.double)
    output = layers.correlation(first, second).numpy()
    assert output.shape == (2, 441, 4, 5)
    first, second = first.numpy(), second.numpy()
    for dy in range(-20, 21, 2):
        for dx in range(-20, 21, 2):
            channel = 21 * (dy // 2 + 10) + dx // 2 + 10
            for y in range(4):
                for x in range(5):
                    wanted = np.zeros(2)
                    if 0 <= y + dy < 4 and 0 <= x + dx < 5:
                        product = first[:, :, y, x] * second[:, :, y + dy, x + dx]
                        wanted = product.mean(axis=1)
                    assert np.abs(output[:, channel, y, x] - wanted).max() < 1e-12


def test_resampling_equals_a_naive_loop_with_clamped_corners():
    generator = torch.Generator().manual_seed(0)
    picture = torch.rand(1, 2, 5, 7, generator=generator, dtype=torch.double)
    flow = 8 * torch.rand(1, 2, 5, 7, generator=generator, dtype=torch.double) - 4
    output = layers.resample(picture, flow)
    for y in range(5):
        for x in range(7):
            at = min(max(x + flow[0, 0, y, x].item(), 0), 6)
            down = min(max(y + flow[0, 1, y, x].item(), 0), 4)
            left, top = int(at), int(down)
            wanted = 0.0
            for row, part in ((top, 1 - down + top), (top + 1, down - top)):
                for column, share in ((left, 1 - at + left), (left + 1, at - left)):
                    pixel = picture[0, :, min(row, 4), min(column, 6)]
                    wanted = wanted + part * share * pixel
            torch.testing.assert_close(output[0, :, y, x], wanted)


def test_the_norm_is_over_channels():
    values = torch.tensor([3.0, 4.0])[None, :, None, None].expand(2, 2, 3, 5)
    assert torch.equal(layers.channel_norm(values), torch.full((2, 1, 3, 5), 5.0))


def test_pictures_lose_the_mean_of_both():
    first, second = torch.rand(2, 2, 3, 64, 64) * 255
    pair = normalised(first, second)
    means = (pair[:, :3] + pair[:, 3:]).mean(dim=(2, 3))
    torch.testing.assert_close(means, torch.zeros(2, 3), atol=1e-5, rtol=0)
    torch.testing.assert_close(
        255 * (pair[:, :3] - pair[:, 3:]), first - second, atol=1e-3, rtol=0
    )


def _pictures(height, width, count=2):
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (2, count, height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize(("height", "width"), [(240, 320), (97, 61), (64, 64), (3, 1)])
def test_any_size_gives_flow_of_its_size(network, height, width):
    flow = estimate(network, *_pictures(height, width, 1))
    assert flow.shape == (1, 2, height, width)
    assert flow.dtype == np.float32
    assert np.isfinite(flow).all()


class _One(torch.nn.Module):
    """Sees the size that it is given, and says that all moves by (64, 64) px."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.full((1,), 64.0))
        self.seen = None

    def forward(self, first, second):
        self.seen = first.shape
        return self.weight.expand(1, 2, *first.shape[2:])


def test_flow_is_scaled_back_with_the_picture():
    one = _One()
    flow = estimate(one, *_pictures(240, 320, 1))
    assert one.seen == (1, 3, 256, 320)
    np.testing.assert_allclose(flow[0, 0], 64)
    np.testing.assert_allclose(flow[0, 1], 60)


def test_a_pair_s_flow_depends_on_that_pair_alone(network):
    first, second = _pictures(64, 80, 3)
    all_of_them = estimate(network, first, second)
    assert np.array_equal(all_of_them, estimate(network, first, second))
    alone = estimate(network, first[1:2], second[1:2])
    assert np.array_equal(all_of_them[1:2], alone)
    none = estimate(network, first[:0], second[:0])
    assert none.shape == (0, 2, 64, 80)


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        (np.zeros((1, 8, 8, 3)), np.zeros((1, 8, 8, 3)), "first is no numpy array of"),
        (np.zeros((1, 8, 8), np.uint8), np.zeros((1, 8, 8), np.uint8), "has shape"),
        (*[np.zeros((1, 8, 9000, 3), np.uint8)] * 2, "sides outside"),
        (*[np.zeros((1, 0, 8, 3), np.uint8)] * 2, "sides outside"),
        (np.zeros((1, 8, 8, 3), np.uint8), np.zeros((1, 8, 9, 3), np.uint8), "agree"),
    ],
)
def test_other_pictures_are_refused(network, first, second, why):
    with pytest.raises(ValueError, match=why):
        estimate(network, first, second)


class _Says(torch.nn.Module):
    """Stands for a network: gives a flow at a quarter, keeps what it was given."""

    def __init__(self, flow):
        super().__init__()
        self.flow = flow

    def forward(self, known):
        self.known = known
        return [self.flow.expand(len(known), -1, -1, -1)]


@pytest.fixture
def cascade():
    """FlowNet2 whose networks give ramps of flow, 16 x 16, of different sizes."""
    network = build(NARROW)
    ramp = torch.linspace(-0.1, 0.1, 16)
    flow = torch.stack([ramp.expand(16, 16), ramp.expand(16, 16).T])[None]
    for name, times in (("c", 1.0), ("s_1", 2.0), ("s_2", 3.0), ("s_d", 100.0)):
        setattr(network, f"flownet{name}", _Says(times * flow))
    return network, flow


def _enlarged(flow, mode):
    return torch.nn.functional.interpolate(flow, scale_factor=4, mode=mode)


def test_flownets_reads_the_pair_the_second_warped_its_flow_and_the_rest(cascade):
    network, flow = cascade
    pair = torch.rand(1, 6, 64, 64)
    first, second = pair.chunk(2, dim=1)
    for known, times in ((network.before_s1(pair), 1), (network.before_s2(pair), 2)):
        coarse = _enlarged(20 * times * flow, "bilinear")
        back = layers.resample(second, coarse)
        assert known.shape == (1, 12, 64, 64)
        torch.testing.assert_close(known[:, :6], pair)
        torch.testing.assert_close(known[:, 6:9], back)
        torch.testing.assert_close(known[:, 9:11], coarse / 20)
        off = (first - back).square().sum(1, keepdim=True).sqrt()
        torch.testing.assert_close(known[:, 11:], off)


def test_the_fusion_reads_small_flow_before_large_in_blocks(cascade):
    network, flow = cascade
    pair = torch.rand(1, 6, 64, 64)
    first, second = pair.chunk(2, dim=1)
    known = network.before_fusion(pair)
    small = _enlarged(100 * flow / 20, "nearest")  # divided: it was trained so
    large = _enlarged(20 * 3 * flow, "nearest")
    parts = [first, small, large, *(layers.channel_norm(f) for f in (small, large))]
    parts += [layers.channel_norm(first - layers.resample(second, small))]
    parts += [layers.channel_norm(first - layers.resample(second, large))]
    torch.testing.assert_close(known, torch.cat(parts, dim=1))


def test_a_pair_s_colours_lose_their_mean_over_both_pictures():
    first, second = torch.full((1, 3, 2, 2), 100.0), torch.full((1, 3, 2, 2), 151.0)
    output = normalised(first, second)
    torch.testing.assert_close(output[:, :3], torch.full((1, 3, 2, 2), -0.1))
    torch.testing.assert_close(output[:, 3:], torch.full((1, 3, 2, 2), 0.1))
