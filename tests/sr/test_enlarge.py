"""Which frames a network gets, and what becomes of its pictures."""

import numpy as np
import pytest
import torch
from torch import nn

from twinlens import models
from twinlens.errors import ArtifactError
from twinlens.resample import upscale
from twinlens.sr.enlarge import enlarge

CPU = torch.device("cpu")


class Seen(nn.Module):
    """Gives its frames' brightness back: pixel (0, t) of the picture is frame t's."""

    def __init__(self, frames, zeros_beyond=False):
        super().__init__()
        self.frames, self.zeros_beyond = frames, zeros_beyond

    def forward(self, low):
        output = torch.zeros(len(low), 3, 4 * low.shape[-2], 4 * low.shape[-1])
        output[:, :, 0, : low.shape[1]] = low[:, :, :, 0, 0].transpose(1, 2)
        return output

    def clip(self, low):
        for place in range(low.shape[1]):
            yield self(low) + 0.2 * place


def _low(count, height=4, width=5):
    low = np.arange(1, count + 1, dtype=np.uint8)[:, None, None, None]
    return np.broadcast_to(low, (count, height, width, 3)).copy()


def _seen(network, index, wanted, total):
    output = enlarge(
        network, _low(total)[index], np.array(index), np.array(wanted), total, CPU
    )
    return output[:, 0, : network.frames, 0].tolist()


def test_a_network_of_one_frame_gets_it():
    assert _seen(Seen(1), [1, 4, 6], [4, 6], 8) == [[5], [7]]


def test_neighbours_come_in_order_around_the_frame():
    assert _seen(Seen(3), [2, 3, 4, 5], [3, 4], 8) == [[3, 4, 5], [4, 5, 6]]


def test_beyond_the_ends_the_last_frame_is_repeated():
    assert _seen(Seen(5), list(range(6)), [0, 5], 6) == [
        [1, 1, 1, 2, 3],
        [4, 5, 6, 6, 6],
    ]


def test_beyond_the_ends_is_black_where_the_network_says_so():
    network = Seen(5, zeros_beyond=True)
    assert _seen(network, list(range(6)), [0, 5], 6) == [
        [0, 0, 1, 2, 3],
        [4, 5, 6, 0, 0],
    ]


def test_a_missing_neighbour_is_reported():
    with pytest.raises(ArtifactError, match="frames that the network reads"):
        _seen(Seen(3), [2, 3, 5], [3], 8)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_values_that_are_not_finite_are_no_black_frames(value):
    class Broken(Seen):
        def forward(self, low):
            output = super().forward(low)
            output[0, 0, 1, 1] = value
            return output

    with pytest.raises(ArtifactError, match="values that are not finite numbers"):
        _seen(Broken(1), [0, 1, 2], [1], 3)


def test_a_network_of_the_whole_clip_runs_once():
    network = Seen(models.WHOLE_CLIP)
    index = np.arange(6)
    output = enlarge(network, _low(6), index, np.array([1, 4]), 6, CPU)
    assert output.shape == (2, 16, 20, 3)
    assert output[0, 0, :6, 0].tolist() == [52, 53, 54, 55, 56, 57]  # + 0.2 of 255


def test_a_clip_with_gaps_is_none_for_a_network_of_whole_clips():
    network, index = Seen(models.WHOLE_CLIP), np.array([0, 1, 3, 4, 5])
    with pytest.raises(ArtifactError, match="reads whole clips, but some frames"):
        enlarge(network, _low(6)[index], index, np.array([1]), 6, CPU)


@pytest.mark.parametrize("total", [1, 2, 6])
@pytest.mark.parametrize("zeros_beyond", [False, True])
def test_a_clip_shorter_than_the_window_has_its_frames_in_place(total, zeros_beyond):
    network, every = Seen(7, zeros_beyond), list(range(total))
    for wanted in every:
        (seen,) = _seen(network, every, [wanted], total)
        around = [wanted + step for step in range(-3, 4)]
        true = [min(max(place, 0), total - 1) + 1 for place in around]
        if zeros_beyond:
            inside = [0 <= place < total for place in around]
            true = [each * kept for each, kept in zip(true, inside, strict=True)]
        assert seen == true


def test_pictures_are_rounded_and_clipped():
    class Bright(Seen):
        def forward(self, low):
            output = super().forward(low) * 0
            output[..., 0, 0], output[..., 0, 1], output[..., 0, 2] = (
                2.0,
                -1.0,
                100.6 / 255,
            )
            return output

    output = enlarge(Bright(1), _low(1), np.array([0]), np.array([0]), 1, CPU)
    assert output[0, 0, :3, 0].tolist() == [255, 0, 101]


def test_bicubic_is_matlab_s():
    low = np.random.default_rng(0).integers(0, 256, (3, 6, 7, 3), dtype=np.uint8)
    network, index = models.build("bicubic"), np.arange(3)
    output = enlarge(network, low, index, index, 3, CPU)
    np.testing.assert_array_equal(output, upscale(low))


def test_no_frame_wanted_gives_none():
    none = np.array([], int)
    assert enlarge(Seen(1), _low(2), np.arange(2), none, 2, CPU).shape == (0, 16, 20, 3)
