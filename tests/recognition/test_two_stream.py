"""ST-ResNet's network: its size, its injection, and a forward pass in plain numpy."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from twinlens.networks import artifact
from twinlens.recognition.backbones import resnet
from twinlens.recognition.two_stream import st_resnet
from twinlens.recognition.two_stream.st_resnet import TimeConv, from_streams, pooled

SMALL = {"classes": 3, "width": 4, "blocks": (2, 2, 2, 2)}


@pytest.mark.parametrize(
    ("classes", "frames", "flow", "both"),
    [
        (101, 23_714_981, 23_768_293, 58_624_394),
        (51, 23_612_531, 23_665_843, 58_419_494),
    ],
)
def test_parameters_are_as_many_as_published(classes, frames, flow, both):
    with torch.device("meta"):
        assert artifact.parameters(resnet.build(channels=3, classes=classes)) == frames
        assert artifact.parameters(resnet.build(channels=20, classes=classes)) == flow
        network = st_resnet.build(classes=classes)
    assert artifact.parameters(network) == both
    # Two taps more in both 1x1 convolutions (w by 4 w) of each stream's b blocks.
    taps = 2 * 2 * sum(2 * 4 * width * width for width in (64, 128, 256, 512))
    assert both - frames - flow == taps


def test_resnet_50_of_imagenet_has_its_parameters():
    with torch.device("meta"):
        network = resnet.build(channels=3, classes=1000)
    assert artifact.parameters(network) == 25_557_032
    assert (
        len([each for each in network.modules() if isinstance(each, nn.Conv2d)]) == 53
    )


def test_pooling_over_time_gives_11_windows_of_25_frames():
    maps = torch.rand(2, 25, 4, 3, 3)
    found = pooled(maps)
    assert found.shape == (2, 11, 4, 3, 3)
    assert torch.equal(found[:, 1], maps[:, 2:7].amax(dim=1))
    assert torch.equal(pooled(maps[:, :3]), maps[:, :3].amax(dim=1, keepdim=True))


def test_a_clip_of_equal_frames_scores_as_its_convolutions_did_before():
    plain = nn.Conv2d(3, 2, 1, bias=False)
    timed = TimeConv(plain)
    timed.frames = 6
    image = torch.rand(1, 3, 4, 4).repeat(6, 1, 1, 1)
    with torch.inference_mode():
        found, expected = timed(image), plain(image)
    torch.testing.assert_close(found[1:-1], expected[1:-1])
    torch.testing.assert_close(found[0], expected[0] * 2 / 3)  # zeros beyond the ends


def randomise(network):
    """Give normalisations values that show a slip: untrained branches give 0."""
    torch.manual_seed(4)
    for part in network.modules():
        if isinstance(part, nn.BatchNorm2d):
            for each in (part.weight, part.bias, part.running_mean, part.running_var):
                each.data.uniform_(0.5, 1.5)
    return network.eval()


def test_clips_of_a_batch_do_not_see_each_other():
    network = randomise(st_resnet.build(stack=2, **SMALL))
    frames, flow = torch.rand(2, 5, 3, 64, 64), torch.rand(2, 5, 4, 64, 64)
    with torch.inference_mode():
        both, one = network(frames, flow), network(frames[1:], flow[1:])
    for head in ("spatial", "temporal"):
        assert both[head].shape == (2, 1, 3)
        torch.testing.assert_close(both[head][1:], one[head])


def test_motion_reaches_appearance_and_appearance_never_motion():
    network = randomise(st_resnet.build(stack=2, **SMALL))
    frames, flow = torch.rand(1, 5, 3, 64, 64), torch.rand(1, 5, 4, 64, 64)
    with torch.inference_mode():
        here = network(frames, flow)
        other_flow, other_frames = network(frames, flow + 1), network(frames + 1, flow)
    assert not torch.allclose(here["spatial"], other_flow["spatial"])
    assert torch.equal(here["temporal"], other_frames["temporal"])


def test_base_networks_join_with_their_weights():
    spatial = resnet.build(channels=3, **SMALL)
    temporal = resnet.build(channels=4, **SMALL)
    joined = st_resnet.build(stack=2, pool=False, **SMALL)
    states = {"spatial": spatial.state_dict(), "temporal": temporal.state_dict()}
    joined.load_state_dict(from_streams(states))
    third = joined.temporal.res3b.branch2c.weight[:, :, 0]
    torch.testing.assert_close(3 * third, temporal.res3b.branch2c.weight[..., 0])
    with torch.inference_mode():
        frames, flow = torch.rand(1, 1, 3, 64, 64), torch.rand(1, 1, 4, 64, 64)
        scores = joined.eval()(frames, flow)
    assert scores["temporal"].shape == (1, 1, 3)


# --- A literal forward pass, of loops over pixels: one stage of an a and a b block.


def conv(image, kernel, stride=1, pad=0):
    """(C, H, W) by (O, C, k, k)."""
    image = np.pad(image, ((0, 0), (pad, pad), (pad, pad)))
    size = kernel.shape[-1]
    rows = range(0, image.shape[1] - size + 1, stride)
    columns = range(0, image.shape[2] - size + 1, stride)
    return np.array(
        [
            [
                [(image[:, y : y + size, x : x + size] * each).sum() for x in columns]
                for y in rows
            ]
            for each in kernel
        ]
    )


def norm(image, part):
    """Batch normalisation by what it learned."""
    mean, variance = part.running_mean.numpy(), part.running_var.numpy()
    scale = part.weight.detach().numpy() / np.sqrt(variance + part.eps)
    shift = part.bias.detach().numpy() - mean * scale
    return image * scale[:, None, None] + shift[:, None, None]


def relu(image):
    return np.maximum(image, 0)


def branch(frames, block, timed):
    """The residual of each frame of a clip: first and last 1x1 may see three."""
    convolve = over_time if timed else plain
    first = convolve(frames, block.branch2a)
    first = [relu(norm(each, block.bn2a)) for each in first]
    kernel = block.branch2b.weight.detach().numpy()
    second = [relu(norm(conv(each, kernel, pad=1), block.bn2b)) for each in first]
    last = convolve(second, block.branch2c)
    return [norm(each, block.bn2c) for each in last]


def plain(frames, part):
    kernel = part.weight.detach().numpy()
    return [conv(each, kernel, stride=part.stride[0]) for each in frames]


def over_time(frames, part):
    """Each frame by the middle tap, the one before by the first, after by the last."""
    taps = part.weight.detach().numpy()  # (out, in, 3, 1)
    zero = np.zeros_like(frames[0])
    beyond = [zero, *frames, zero]
    return [
        sum(
            np.tensordot(taps[:, :, tap, 0], beyond[place + tap], axes=1)
            for tap in range(3)
        )
        for place in range(len(frames))
    ]


def projected(frames, block):
    found = plain(frames, block.branch1)
    return [norm(each, block.bn1) for each in found]


def test_a_stage_of_two_blocks_is_its_literal_forward_pass():
    network = randomise(st_resnet.build(stack=2, **SMALL))
    rng = np.random.default_rng(0)
    inputs = 4 * SMALL["width"]  # what stage 3 takes
    image, motion = rng.normal(size=(2, 3, inputs, 5, 6)).astype(np.float32)
    names = ("res3a", "res3b")
    (a, b), (ta, tb) = (
        [stream.block(name) for name in names]
        for stream in (network.spatial, network.temporal)
    )
    # Motion: block by block, no injection.
    moved = [
        relu(s + r)
        for s, r in zip(projected(motion, ta), branch(motion, ta, False), strict=True)
    ]
    moved_b = [relu(s + r) for s, r in zip(moved, branch(moved, tb, True), strict=True)]
    # Appearance: the b block's residual sees the sum before its ReLU plus the motion.
    before = [
        s + r for s, r in zip(projected(image, a), branch(image, a, False), strict=True)
    ]
    seen = [x + t for x, t in zip(before, moved, strict=True)]
    expected = [
        relu(relu(s) + r) for s, r in zip(before, branch(seen, b, True), strict=True)
    ]
    for part in network.modules():
        if isinstance(part, TimeConv):
            part.frames = 3
    with torch.inference_mode():
        output = network._stage(names, torch.tensor(image), torch.tensor(motion))
    np.testing.assert_allclose(output[0], np.stack(expected), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(output[1], np.stack(moved_b), rtol=1e-4, atol=1e-5)


def test_the_first_pooling_is_caffe_s():
    """Sizes are rounded up and nothing is padded before the first pixel."""
    network = resnet.build(channels=3, **SMALL).eval()
    with torch.inference_mode():
        image = torch.rand(1, 3, 224, 224)
        found = network.begin(image)
        mapped = functional.relu(network.bn_conv1(network.conv1(image)))
    assert found.shape[-2:] == (56, 56)
    assert torch.equal(found[..., 0, 0], mapped[..., :3, :3].amax(dim=(-2, -1)))
    assert torch.equal(found[..., -1, -1], mapped[..., -2:, -2:].amax(dim=(-2, -1)))


def test_the_classifier_is_averaged_over_places_of_a_7x7_mean():
    network = resnet.build(channels=3, **SMALL).eval()
    maps = torch.rand(1, network.fc.in_features, 8, 7)
    with torch.inference_mode():
        places = [network.fc(maps[..., y : y + 7, :].mean(dim=(2, 3))) for y in (0, 1)]
        torch.testing.assert_close(network.end(maps), torch.stack(places).mean(dim=0))
