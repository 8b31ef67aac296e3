import copy

import numpy as np
import pytest
import torch
from torch import nn

from twinlens.recognition import backbones
from twinlens.recognition.backbones import bn_inception

BN_PARTS = ("weight", "bias", "running_mean", "running_var")


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Small networks are faster so, above all beside other tests."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def inception():
    """A network whose normalisations differ from one another, as trained ones do."""
    torch.manual_seed(0)
    network = backbones.build("bn_inception", channels=3, classes=7).eval()
    with torch.no_grad():
        for norm in network.modules():
            if isinstance(norm, nn.BatchNorm2d):
                for part in BN_PARTS:
                    getattr(norm, part).uniform_(0.5, 1.5)
    return network


def floats(network: nn.Module) -> dict[str, torch.Tensor]:
    """The state dict as published files have it: without batch counters."""
    state = network.state_dict()
    return {k: v for k, v in state.items() if not k.endswith("num_batches_tracked")}


def published_name(name: str) -> str:
    """Caffe's name of a layer: the first underscore after the block was a slash."""
    if name == "fc":
        return "fc-action"
    block = len("inception_3a") if name.startswith("inception") else len("conv1")
    return f"{name[:block]}/{name[block + 1 :]}"


def as_caffe(network: nn.Module) -> dict[str, list[np.ndarray]]:
    blobs: dict[str, list[np.ndarray]] = {}
    for name, part in network.named_modules():
        if isinstance(part, nn.BatchNorm2d):
            vectors = [getattr(part, kind).detach().numpy()[None] for kind in BN_PARTS]
            blobs[published_name(name)] = vectors
        elif isinstance(part, nn.Conv2d | nn.Linear):
            blobs[published_name(name)] = [
                part.weight.detach().numpy(),
                part.bias.detach().numpy(),
            ]
    return blobs


def assert_same(output: dict, network: nn.Module) -> None:
    state = network.state_dict()
    assert set(output) == set(state)
    for name, tensor in floats(network).items():
        torch.testing.assert_close(output[name], tensor, rtol=0, atol=0)


# --- every backbone


def test_the_files_of_the_folder_are_the_names():
    assert {"bn_inception", "compact", "resnet"} <= set(backbones.names())


def test_an_unknown_name_is_refused_with_those_known():
    with pytest.raises(ValueError, match=r"resnext.*bn_inception, compact"):
        backbones.build("resnext", channels=3, classes=2)


@pytest.mark.parametrize("name", backbones.names())
@pytest.mark.parametrize("channels", [3, 10])
@pytest.mark.parametrize("sides", [(80, 80), (96, 73)])
def test_scores_are_one_a_class(name, channels, sides):
    network = backbones.build(name, channels=channels, classes=5).eval()
    with torch.inference_mode():
        assert network(torch.rand(2, channels, *sides)).shape == (2, 5)


@pytest.mark.parametrize("name", backbones.names())
def test_a_recogniser_trains_it_with_dropout_and_a_new_classifier(name):
    network = backbones.build(name, channels=3, classes=5, dropout=0.25)
    state = network.state_dict()
    assert f"{backbones.module(name).FIRST_CONV}.weight" in state
    assert state[f"{backbones.CLASSIFIER}.weight"].shape[0] == 5
    backbones.load(network, backbones.without_classifier(state))
    network.train()(torch.rand(2, 3, 96, 96)).sum().backward()
    assert all(each.grad is not None for each in network.parameters())


@pytest.mark.parametrize("name", backbones.names())
def test_cross_modality_repeats_the_mean_over_colours(name):
    network = backbones.build(name, channels=3, classes=5)
    key = f"{backbones.module(name).FIRST_CONV}.weight"
    colours = network.state_dict()
    state = backbones.cross_modality(colours, 10)
    mean = colours[key].mean(dim=1)
    assert state[key].shape[1] == 10
    assert all(torch.equal(state[key][:, c], mean) for c in range(10))


@pytest.mark.parametrize("name", backbones.names())
def test_cross_modality_fits_a_network_of_flow(name):
    colours = backbones.build(name, channels=3, classes=5)
    flow = backbones.build(name, channels=10, classes=5)
    backbones.load(flow, backbones.cross_modality(colours.state_dict(), 10))
    assert torch.equal(flow.fc.weight, colours.fc.weight)


def test_cross_modality_refuses_weights_of_something_else():
    with pytest.raises(ValueError, match=r"conv1_7x7_s2.weight.*stem.weight"):
        backbones.cross_modality({"a": torch.ones(1)}, 10)


@pytest.mark.parametrize("name", backbones.names())
def test_only_the_first_normalisation_learns_even_after_train(name):
    network = backbones.build(name, channels=3, classes=5)
    backbones.freeze_batch_norm(network)
    network.eval().train()
    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    before = copy.deepcopy(network.state_dict())
    network(torch.rand(2, 3, 32, 32)).sum().backward()
    assert [norm.training for norm in norms] == [True] + [False] * (len(norms) - 1)
    assert [norm.weight.grad is not None for norm in norms] == [
        norm is norms[0] for norm in norms
    ]
    moved = [
        k for k, v in network.state_dict().items() if not torch.equal(v, before[k])
    ]
    assert len(moved) == 3  # the first one's mean, variance and counter
    assert len({key.rpartition(".")[0] for key in moved}) == 1


def test_all_normalisations_can_be_frozen():
    network = backbones.build("compact", channels=3, classes=5)
    backbones.freeze_batch_norm(network, but_first=False)
    network.train()
    assert not network.stem_bn.training
    assert network.stem.training


def test_freezing_keeps_the_names_of_the_state_dict():
    network = backbones.build("compact", channels=3, classes=5)
    before = list(network.state_dict())
    backbones.freeze_batch_norm(network)
    assert list(copy.deepcopy(network).state_dict()) == before


def test_loading_leaves_only_the_classifier_as_it_is():
    network = backbones.build("compact", channels=3, classes=5)
    other = backbones.build("compact", channels=3, classes=9)
    kept = network.fc.weight.clone()
    state = {k: v for k, v in other.state_dict().items() if not k.startswith("fc.")}
    backbones.load(network, state)
    assert torch.equal(network.fc.weight, kept)
    assert torch.equal(network.stem.weight, other.stem.weight)


def test_loading_names_what_does_not_fit():
    network = backbones.build("compact", channels=3, classes=5)
    state = network.state_dict()
    del state["stem.weight"]
    with pytest.raises(ValueError, match="1 entries do not fit: stem.weight"):
        backbones.load(network, state)


def test_the_compact_network_learns_a_batch_by_heart():
    torch.manual_seed(0)
    network = backbones.build("compact", channels=3, classes=4, dropout=0.0, width=8)
    images, labels = torch.rand(16, 3, 32, 32), torch.arange(16) % 4
    step = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9)
    for _ in range(30):
        step.zero_grad()
        loss = nn.functional.cross_entropy(network(images), labels)
        loss.backward()
        step.step()
    assert loss < 0.05


# --- BN-Inception


@pytest.mark.parametrize(
    ("channels", "classes", "count"),
    [
        (3, 101, 10_373_765),
        (10, 101, 10_395_717),
        (3, 51, 10_322_515),
        (10, 51, 10_344_467),
    ],
)
def test_parameters_are_as_many_as_published(channels, classes, count):
    with torch.device("meta"):
        network = backbones.build("bn_inception", channels=channels, classes=classes)
    assert sum(p.numel() for p in network.parameters()) == count


def test_there_are_69_convolutions_each_with_a_normalisation(inception):
    kinds = [type(part) for part in inception.modules()]
    assert kinds.count(nn.Conv2d) == kinds.count(nn.BatchNorm2d) == 69


def test_normalisations_hold_20032_scales_and_shifts(inception):
    norms = [m for m in inception.modules() if isinstance(m, nn.BatchNorm2d)]
    assert sum(p.numel() for norm in norms for p in norm.parameters()) == 20_032


def test_blocks_give_the_published_channels_and_maps():
    with torch.device("meta"):
        network = backbones.build("bn_inception", channels=3, classes=5)
        seen, output = [], torch.empty(1, 192, 28, 28)
        for block in bn_inception.BLOCKS:
            output = network._block(block, output)
            seen.append((output.shape[1], output.shape[3]))
    assert seen == [
        *[(256, 28), (320, 28), (576, 14), (576, 14), (576, 14)],
        *[(608, 14), (608, 14), (1056, 7), (1024, 7), (1024, 7)],
    ]


def test_means_count_the_padding_as_caffe_does():
    block = bn_inception.BLOCKS[0]
    output = bn_inception._pooled(block, torch.ones(1, 1, 4, 4))
    torch.testing.assert_close(output[0, 0, 0, :2], torch.tensor([4 / 9, 6 / 9]))


def test_pooling_of_the_last_block_takes_maxima():
    output = bn_inception._pooled(bn_inception.BLOCKS[-1], torch.eye(3)[None, None])
    assert torch.equal(output, torch.ones(1, 1, 3, 3))


def test_an_unseen_caffe_file_gives_the_same_network(inception):
    blobs = as_caffe(inception)
    assert blobs["inception_4c/double_3x3_1_bn"][3].shape == (1, 160)
    assert "conv1/7x7_s2" in blobs
    assert "fc-action" in blobs
    assert_same(bn_inception.convert(blobs), inception)


def test_a_caffe_layer_of_wrong_parts_is_named(inception):
    blobs = as_caffe(inception)
    blobs["inception_3a/1x1_bn"].pop()
    with pytest.raises(ValueError, match="inception_3a/1x1_bn: 3 blobs, not 4"):
        bn_inception.convert(blobs)


@pytest.mark.parametrize(
    ("body", "head"),
    [
        ("", "fc"),
        ("", "last_linear"),
        ("module.base_model.", "module.new_fc"),
        ("backbone.", "cls_head.fc_cls"),
        ("module.backbone.", "module.cls_head.fc_cls"),
    ],
)
def test_published_torch_names_are_understood(inception, body, head):
    state = {
        k.replace("fc.", f"{head}.") if k.startswith("fc.") else body + k: v
        for k, v in floats(inception).items()
    }
    assert_same(bn_inception.convert(state), inception)


def test_a_checkpoint_may_wrap_its_state_dict(inception):
    checkpoint = {"epoch": 80, "arch": "BNInception", "state_dict": floats(inception)}
    assert_same(bn_inception.convert(checkpoint), inception)


def test_old_vectors_of_two_axes_are_flattened(inception):
    state = {k: v[None] if "_bn." in k else v for k, v in floats(inception).items()}
    assert_same(bn_inception.convert(state), inception)


def test_a_file_tells_its_channels_and_classes(inception):
    state = floats(inception)
    assert bn_inception.settings_of(state) == {"channels": 3, "classes": 7}
    assert bn_inception.settings_of(as_caffe(inception)) == {
        "channels": 3,
        "classes": 7,
    }


def test_a_file_without_a_classifier_makes_a_network_without_one(inception):
    state = backbones.without_classifier(floats(inception))
    settings = bn_inception.settings_of(state)
    assert settings == {"channels": 3, "classes": 0}
    network = backbones.build("bn_inception", **settings)
    network.load_state_dict(bn_inception.convert(state))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"inception_4e_3x3.bias": None}, "1 missing: inception_4e_3x3.bias"),
        ({"extra.weight": torch.ones(1)}, "1 unexpected: extra.weight"),
        ({"conv2_3x3.bias": torch.ones(9)}, r"1 misshapen: conv2_3x3.bias \(9,\)"),
        ({"conv1_7x7_s2.weight": None}, "no conv1_7x7_s2.weight"),
        ({"fc.bias": None}, "1 missing: fc.bias"),
    ],
)
def test_weights_that_do_not_fit_are_named(inception, change, words):
    state = floats(inception) | change
    state = {name: value for name, value in state.items() if value is not None}
    with pytest.raises(ValueError, match=words):
        bn_inception.convert(state)


def test_imported_weights_give_the_same_scores(inception):
    other = backbones.build("bn_inception", channels=3, classes=7).eval()
    backbones.load(other, bn_inception.convert(as_caffe(inception)))
    image = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        assert torch.equal(other(image), inception(image))
