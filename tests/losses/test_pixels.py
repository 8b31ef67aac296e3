import pytest
import torch

from twinlens.losses import huber, mse, weight_map, wmse


@pytest.fixture
def pictures():
    torch.manual_seed(0)
    return torch.rand(3, 1, 5, 6), torch.rand(3, 1, 5, 6)


def test_even_weights_are_plain_mse(pictures):
    torch.testing.assert_close(wmse(*pictures, torch.ones(3, 5, 6)), mse(*pictures))


def test_wmse_is_equation_1_pixel_by_pixel(pictures):
    made, true = pictures
    weight = torch.rand(3, 5, 6)
    total = sum(
        weight[n, y, x] * (made[n, 0, y, x] - true[n, 0, y, x]) ** 2
        for n in range(3)
        for y in range(5)
        for x in range(6)
    )
    torch.testing.assert_close(wmse(made, true, weight), total / (3 * 5 * 6))


def test_power_2_is_mse_of_weighted_pictures(pictures):
    made, true = pictures
    weight = torch.rand(3, 5, 6)
    scaled = mse(made * weight[:, None], true * weight[:, None])
    torch.testing.assert_close(wmse(made, true, weight, power=2), scaled)


def test_a_pixel_at_rest_counts_nothing(pictures):
    made, true = pictures
    speed = torch.zeros(3, 5, 6)
    speed[:, 2, 3] = 4.0
    changed = made.clone()
    changed[:, :, 0, 0] += 1
    assert wmse(made, true, speed) == wmse(changed, true, speed)


def test_mean1_has_mean_1_in_each_picture_and_ones_in_a_still_one():
    speed = torch.rand(2, 4, 4) * 7
    speed[1] = 0
    made = weight_map(speed, "mean1")
    torch.testing.assert_close(made.mean(dim=(1, 2)), torch.ones(2))
    assert torch.equal(made[1], torch.ones(4, 4))


def test_clip20_ends_at_1():
    made = weight_map(torch.tensor([[[0.0, 10.0, 50.0]]]), "clip20")
    assert made.tolist() == [[[0.0, 0.5, 1.0]]]


def test_an_unknown_weighting_is_reported():
    with pytest.raises(ValueError, match="no weighting 'mean'; there are: none, mean1"):
        weight_map(torch.ones(1, 2, 2), "mean")


def test_huber_bends_at_a_hundredth():
    zero = torch.zeros(1, 1, 1, 1)
    assert huber(zero + 0.01, zero).item() == pytest.approx(0.5 * 0.01**2)
    assert huber(zero + 0.11, zero).item() == pytest.approx(0.01 * (0.11 - 0.005))


def test_gradients_are_right(pictures):
    made, true = (each.double() for each in pictures)
    made.requires_grad_(True)
    weight = torch.rand(3, 5, 6).double()
    assert torch.autograd.gradcheck(lambda p: wmse(p, true, weight), (made,))
