import numpy as np
import pytest
import torch

from twinlens.flow.warp import inside
from twinlens.flow.warp import warp as warp_array
from twinlens.losses import mse, siamese, warp


def test_a_shifted_frame_is_brought_back():
    frame = torch.rand(1, 3, 6, 8)
    moved = torch.zeros_like(frame)
    moved[..., 2:] = frame[..., :-2]  # everything went two pixels to the right
    flow = torch.zeros(1, 2, 6, 8)
    flow[:, 0] = 2
    back, mask = warp(moved, flow)
    torch.testing.assert_close(back[..., :-2], frame[..., :-2])
    assert mask[..., :-2].all()
    assert not mask[..., -2:].any()
    assert not back[..., -2:].any()


def test_it_is_the_same_in_numpy():
    rng = np.random.default_rng(0)
    frame = rng.random((9, 11, 3)).astype(np.float32)
    flow = rng.uniform(-3, 3, (2, 9, 11)).astype(np.float32)
    tensor = torch.from_numpy(frame).movedim(-1, 0)[None]
    back, mask = warp(tensor, torch.from_numpy(flow)[None])
    known = inside(flow)
    np.testing.assert_array_equal(mask[0, 0].numpy() == 1, known)
    ours = back[0].movedim(0, -1).numpy()
    np.testing.assert_allclose(ours[known], warp_array(frame, flow)[known], atol=2e-5)


def _pair():
    torch.manual_seed(0)
    return [torch.rand(2, 1, 5, 5) for _ in range(4)]


def test_without_motion_the_terms_are_plain_errors():
    one, two, true_one, true_two = _pair()
    found = siamese(one, two, true_one, true_two, torch.zeros(2, 2, 5, 5))
    torch.testing.assert_close(found.sr, mse(one, true_one) + mse(two, true_two))
    torch.testing.assert_close(found.warp_sr, mse(one, two))
    torch.testing.assert_close(found.warp_hr, mse(true_one, two))


def test_what_leaves_the_frame_counts_only_as_black():
    one, two, true_one, true_two = _pair()
    away = torch.full((2, 2, 5, 5), 50.0)
    masked = siamese(one, two, true_one, true_two, away)
    black = siamese(one, two, true_one, true_two, away, masked=False)
    assert masked.warp_sr == masked.warp_hr == 0
    torch.testing.assert_close(black.warp_sr, one.square().mean())
    torch.testing.assert_close(black.warp_hr, true_one.square().mean())


def test_gradients_are_right():
    one, two, true_one, true_two = (each.double() for each in _pair())
    flow = torch.empty(2, 2, 5, 5, dtype=torch.double).uniform_(-0.7, 0.7)
    one.requires_grad_(True)
    two.requires_grad_(True)

    def loss(made_one, made_two):
        return sum(siamese(made_one, made_two, true_one, true_two, flow))

    assert torch.autograd.gradcheck(loss, (one, two))


@pytest.mark.parametrize("sign", [1, -1])
def test_the_flow_points_from_the_first_frame_to_the_second(sign):
    first = torch.zeros(1, 1, 7, 7)
    second = torch.zeros(1, 1, 7, 7)
    first[0, 0, 3, 3] = second[0, 0, 3, 3 + sign] = 1
    flow = torch.zeros(1, 2, 7, 7)
    flow[:, 0] = sign
    assert siamese(first, second, first, second, flow).warp_hr < 1e-9
