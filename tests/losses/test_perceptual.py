"""The perceptual loss: what it measures, and what it moves."""

import torch

from twinlens.losses import perceptual
from twinlens.perceptual.vgg import Vgg

NARROW = (3, 4, 5)


def test_the_loss_is_the_mean_square_of_feature_differences():
    torch.manual_seed(0)
    network = Vgg(NARROW)
    output, target = torch.rand(2, 3, 16, 16), torch.rand(2, 3, 16, 16)
    wanted = (network(output) - network(target)).square().mean()
    torch.testing.assert_close(perceptual(output, target, network), wanted)
    assert perceptual(target, target, network) == 0


def test_gradients_reach_the_output_alone():
    network = Vgg(NARROW).requires_grad_(False)
    output = torch.rand(1, 3, 8, 8, requires_grad=True)
    target = torch.rand(1, 3, 8, 8)
    perceptual(output, target, network).backward()
    assert output.grad.abs().sum() > 0
