"""RRN: what a frame knows of those before it."""

import torch

from twinlens import models


def _network():
    torch.manual_seed(0)
    return models.build("rrn", width=6, blocks=2).eval()


def test_every_frame_of_a_pass_is_that_frame_by_itself():
    network, low = _network(), torch.rand(2, 5, 3, 6, 7)
    with torch.inference_mode():
        whole = list(network.clip(low))
        assert len(whole) == 5
        for place in range(3):
            alone = network(low[:, : 2 * place + 1])
            torch.testing.assert_close(alone, whole[place])


def test_a_frame_is_made_of_those_before_it_and_of_none_after():
    network, low = _network(), torch.rand(1, 5, 3, 6, 7)
    first, last = low.clone(), low.clone()
    first[:, 0] = 0
    last[:, 4] = 0
    with torch.inference_mode():
        made, one, other = (list(network.clip(each)) for each in (low, first, last))
    assert not torch.equal(one[3], made[3])
    torch.testing.assert_close(other[3], made[3])
