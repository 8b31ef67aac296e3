import numpy as np
import pytest
import torch

from twinlens.resample import upscale
from twinlens.resample.tensors import upscale as upscale_tensor


def _frames(size, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (2, *size, 3), dtype=np.uint8)


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (17, 23), (30, 40)])
def test_bytes_equal_matlabs(size):
    low = _frames(size)
    tensor = torch.from_numpy(low).movedim(-1, 1).float() / 255
    output = upscale_tensor(tensor, as_bytes=True)
    levels = (output * 255).round().byte().movedim(1, -1).numpy()
    np.testing.assert_array_equal(levels, upscale(low))


def test_floats_equal_matlabs():
    low = _frames((9, 14)) / 255
    output = upscale_tensor(torch.from_numpy(low).movedim(-1, 1))
    np.testing.assert_allclose(output.movedim(1, -1).numpy(), upscale(low), atol=1e-12)


def test_what_inference_computed_first_serves_a_training():
    with torch.inference_mode():
        upscale_tensor(torch.rand(1, 3, 5, 7))
    low = torch.rand(1, 3, 5, 7, requires_grad=True)
    upscale_tensor(low).sum().backward()
    assert low.grad.isfinite().all()


def test_gradients_reach_the_low_picture():
    low = torch.rand(1, 3, 4, 4, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(upscale_tensor, (low,))
