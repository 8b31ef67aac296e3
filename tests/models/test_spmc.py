"""SPMC: its sizes, its splatting against a plain loop, its three stages."""

import numpy as np
import pytest
import torch

from twinlens import models
from twinlens.models import spmc


def _count(module):
    return sum(each.numel() for each in module.parameters())


def test_it_has_the_published_numbers_of_parameters():
    network = models.build("spmc")
    assert _count(network.motion.coarse) == 33_008
    assert _count(network.motion.fine) == 20_384
    assert _count(network.fusion) == 1_668_769


def test_splatting_is_that_of_a_plain_loop():
    torch.manual_seed(0)
    frame, flow = torch.rand(1, 1, 3, 4), 2 * torch.randn(1, 2, 3, 4)
    true = np.zeros((12, 16))
    for y in range(3):
        for x in range(4):
            to_x = 4 * (x + float(flow[0, 0, y, x]))
            to_y = 4 * (y + float(flow[0, 1, y, x]))
            for row in range(12):
                for column in range(16):
                    near = max(0, 1 - abs(to_x - column)) * max(0, 1 - abs(to_y - row))
                    true[row, column] += near * float(frame[0, 0, y, x])
    made = spmc.splat(frame, flow)[0, 0].numpy()
    np.testing.assert_allclose(made, true, atol=1e-5)


def test_splatting_has_its_numerical_gradients():
    torch.manual_seed(0)
    frame = torch.rand(2, 1, 3, 3, dtype=torch.double, requires_grad=True)
    flow = torch.randn(2, 2, 3, 3, dtype=torch.double)
    flow = (flow.round(decimals=1) + 0.03).requires_grad_()  # off the kinks
    assert torch.autograd.gradcheck(spmc.splat, (frame, flow))


def test_places_keep_all_their_digits_in_half_precision():
    """Under bfloat16 flow is coarse, but not the places that it leads to."""
    torch.manual_seed(0)
    frame = torch.rand(1, 1, 32, 32)
    flow = torch.randn(1, 2, 32, 32).bfloat16()
    made = spmc.splat(frame, flow)
    torch.testing.assert_close(made, spmc.splat(frame, flow.float()))


def test_a_still_frame_comes_to_every_fourth_place():
    frame = torch.rand(1, 1, 3, 5)
    made = spmc.splat(frame, torch.zeros(1, 2, 3, 5))
    torch.testing.assert_close(made[..., ::4, ::4], frame)
    assert float(made.sum()) == pytest.approx(float(frame.sum()), rel=1e-5)


def test_sides_that_4_does_not_divide_are_padded_and_cut():
    with torch.inference_mode():
        made = models.build("spmc", motion=4, width=2)(torch.rand(1, 3, 3, 7, 9))
    assert made.shape == (1, 3, 28, 36)


def _touched(done):
    """The parts of the network that a step at a part of the training changes."""
    torch.manual_seed(0)
    network = models.build("spmc", motion=4, width=2)
    low, true = torch.rand(2, 3, 3, 8, 8), torch.rand(2, 3, 32, 32)
    terms = network.own_loss(low, true, done)
    sum(terms.values()).backward()
    with_gradient = {
        name.split(".")[0]
        for name, parameter in network.named_parameters()
        if parameter.grad is not None
    }
    return with_gradient, {key for key, value in terms.items() if value.detach() > 0}


def test_it_is_trained_in_three_stages():
    assert _touched(0.0) == ({"motion"}, {"motion"})
    assert _touched(0.3) == ({"fusion"}, {"fusion"})
    assert _touched(0.9) == ({"motion", "fusion"}, {"motion", "fusion"})


@pytest.mark.slow
def test_motion_is_learnt_from_a_shifted_picture():
    """Its flow comes to point where the picture moved: 1 px to the right."""
    torch.manual_seed(0)
    smooth = torch.nn.functional.interpolate(
        torch.rand(1, 1, 6, 8), (24, 32), mode="bicubic"
    )
    frame, to = smooth[..., 1:-3], smooth[..., :-4]
    network = spmc.MotionNet(8)
    optimizer = torch.optim.Adam(network.parameters(), 1e-3)
    for _ in range(120):
        flow = network(frame, to)
        loss = spmc._motion_error(frame, flow, to)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    inner = flow.detach()[0, :, 4:-4, 4:-4].mean(dim=(1, 2))
    assert float(inner[0]) == pytest.approx(1, abs=0.3)
    assert float(inner[1]) == pytest.approx(0, abs=0.3)
