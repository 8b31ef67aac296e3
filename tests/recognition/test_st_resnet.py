"""ST-ResNet's inputs, scores and training, on small clips and a small network."""

from dataclasses import asdict

import numpy as np
import pytest
import torch

from tests.recognition.clips import CLASSES, shard
from twinlens import provenance
from twinlens.artifacts import reader
from twinlens.artifacts.reader import JoinedClip
from twinlens.artifacts.table import read_csv
from twinlens.errors import ArtifactError
from twinlens.networks import artifact, checkpoint, trainer
from twinlens.networks import state as states
from twinlens.recognisers import STILLS, Sampler
from twinlens.recognisers.st_resnet import BASE, Clips, Recipe, Size, Training, Views
from twinlens.recognition import stage
from twinlens.recognition.backbones import resnet
from twinlens.recognition.backbones.resnet import MEAN_RGB
from twinlens.recognition.optimizer import parameter_groups
from twinlens.recognition.st_resnet import score as scoring
from twinlens.recognition.st_resnet import train as training
from twinlens.recognition.st_resnet.inputs import network_input, train_crop, whole
from twinlens.recognition.two_stream import st_resnet
from twinlens.settings import as_json

SIZE = Size(width=4, blocks=(2, 2, 2, 2))
CLIPS = Clips(frames=5, strides=(2, 4))
VIEWS = Views(crop=32, sides=(40, 448), scales=(0.9, 1.1))
STACK = 2
TRAIN = {"stage1": asdict(CLIPS), "stage2": asdict(CLIPS), "stack": STACK}
TEST = {"frames": 6, "stack": STACK}


class KilledError(Exception):
    """Stands for SIGKILL."""


def sampler(part):
    sampling = TRAIN if part == "train" else TEST
    return Sampler(kind="st_resnet", sampling=sampling, part=part)


def train(folder, stage_, files, starts=(), steps=6, lr=0.02, size=SIZE):
    job = Training(
        network=f"st-yard-{stage_}",
        dataset="yard",
        stage=stage_,
        size=size,
        recipe=Recipe(steps=steps, lr=lr, batch=6, parts=2, dropout=0.2),
        clips=CLIPS,
        stack=STACK,
        views=VIEWS,
    )
    inputs = {"appearance": ["frames"], "motion": ["flow"]}
    read = inputs.get(stage_, ["frames", "flow"])
    out = folder / f"{stage_}.h5"
    stage.train(
        "st_resnet",
        as_json(job),
        [files["frames"]] if "frames" in read else [],
        [files["flow"]] if "flow" in read else [],
        files["classes"],
        list(starts),
        out,
        folder / f"{stage_}.csv",
    )
    return out


def train_all(folder, steps=6):
    files = shard(folder, [40, 33, 36, 35, 34, 38], reads=sampler("train"))
    base = [
        train(folder, each, files, steps=steps) for each in ("appearance", "motion")
    ]
    first = train(folder, "stage1", files, base)
    return train(folder, "stage2", files, [first])


def state(path):
    with reader.open(path, artifact.NETWORK) as file:
        return states.load(file["state"])


@pytest.fixture(scope="module")
def final(tmp_path_factory):
    """The final network of a chain of four trainings."""
    return train_all(tmp_path_factory.mktemp("trained"), steps=30)


STILL = {"steps": 1, "lr": 1e-12}


def test_each_training_starts_from_the_one_before(final, tmp_path):
    """A training of one step at hardly any rate leaves what it started from."""
    folder = final.parent
    files = shard(tmp_path, [40, 33, 36, 35, 34, 38], reads=sampler("train"))
    base = [folder / f"{each}.h5" for each in BASE]
    first = state(train(tmp_path, "stage1", files, base, **STILL))
    joined = st_resnet.from_streams(
        dict(zip(("spatial", "temporal"), map(state, base), strict=True))
    )
    assert_started(first, joined)
    last = state(train(tmp_path, "stage2", files, [folder / "stage1.h5"], **STILL))
    assert_started(last, state(folder / "stage1.h5"))


def assert_started(found, start):
    """All weights are the start's; statistics of batch norms have moved."""
    assert found.keys() == start.keys()
    for key, value in found.items():
        if "running" not in key and "num_batches" not in key:
            torch.testing.assert_close(value, start[key], rtol=1e-6, atol=1e-7)


def test_a_base_network_starts_from_an_image_network(tmp_path):
    torch.manual_seed(0)
    images = resnet.build(channels=3, classes=9, width=4, blocks=(2, 2, 2, 2))
    path, mean = tmp_path / "images.h5", [120.0, 110.0, 100.0]
    settings = {"channels": 3, "classes": 9, "width": 4, "blocks": [2, 2, 2, 2]}
    about = provenance.about(
        "import-network",
        [],
        {},
        family="recogniser",
        network="images",
        kind="resnet",
        settings={**settings, "mean": mean},
        dataset=STILLS,
        trained=True,
    )
    artifact.save(path, about, images.state_dict())
    files = shard(tmp_path, [40, 33, 36], reads=sampler("train"))
    appearance = train(tmp_path, "appearance", files, [path], **STILL)
    motion = train(tmp_path, "motion", files, [path], **STILL)
    colours = images.state_dict()["conv1.weight"]
    found = state(appearance)
    torch.testing.assert_close(found["conv1.weight"], colours, rtol=1e-6, atol=1e-7)
    assert found["fc.weight"].shape[0] == CLASSES
    assert artifact.settings(appearance, "mean") == {"mean": mean}
    assert artifact.settings(motion, "mean") == {}
    repeated = colours.mean(dim=1, keepdim=True).repeat(1, 2 * STACK, 1, 1)
    torch.testing.assert_close(
        state(motion)["conv1.weight"], repeated, rtol=1e-6, atol=1e-7
    )
    # The mean goes on to the networks that start from it.
    first = train(tmp_path, "stage1", files, [appearance, motion], **STILL)
    assert artifact.load(first, "two_stream").mean == tuple(mean)


def test_a_start_of_another_size_is_refused(final, tmp_path):
    files = shard(tmp_path, [40, 33, 36], reads=sampler("train"))
    wider = Size(width=8, blocks=(2, 2, 2, 2))
    start = [final.parent / "stage1.h5"]
    with pytest.raises(ArtifactError, match=r"stage1\.h5: of another size than"):
        train(tmp_path, "stage2", files, start, size=wider, **STILL)


def test_parts_see_their_own_statistics_and_dropout(tmp_path):
    """Each half of a batch is normalised by itself, and drops units of its own."""
    files = shard(tmp_path, [40, 33, 36, 35, 34, 38], reads=sampler("train"))
    seen = []

    class Watched(training.StTrainer):
        def loss(self, batch):
            found = super().loss(batch)
            seen.append((self.part, len(batch[1]), torch.rand(1).item()))
            return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "StTrainer", Watched)
        train(tmp_path, "appearance", files, steps=2)
    assert [each[:2] for each in seen] == [(0, 3), (1, 3)] * 2
    assert len({each[2] for each in seen}) == 4


@pytest.mark.parametrize("parts", [0, 4])
def test_parts_of_unequal_size_are_refused(parts):
    with pytest.raises(ValueError, match="parts"):
        Recipe(steps=1, lr=0.1, batch=6, parts=parts)


def test_a_clip_s_loss_is_the_sum_over_its_frames():
    scores = torch.tensor([[[2.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 0.0]]])
    labels = torch.tensor([0, 1])
    parts = torch.nn.functional.cross_entropy(
        scores.flatten(0, 1), torch.tensor([0, 0, 1, 1]), reduction="none"
    )
    found = training._cross_entropy(scores, labels)
    torch.testing.assert_close(found, parts.sum() / 2)


def test_norms_learn_as_in_matconvnet():
    network = resnet.build(channels=3, classes=2, width=4, blocks=(2, 2, 2, 2))
    groups = parameter_groups(network, 5e-4, norms=(2.0, 1.0))
    found = {
        id(parameter): (group["times"], group["weight_decay"])
        for group in groups
        for parameter in group["params"]
    }
    assert found[id(network.conv1.weight)] == (1.0, 5e-4)
    assert found[id(network.bn_conv1.weight)] == (2.0, 0.0)
    assert found[id(network.bn_conv1.bias)] == (1.0, 0.0)
    assert found[id(network.fc.bias)] == (2.0, 0.0)
    assert len(found) == len(list(network.parameters()))


def test_base_networks_learn_what_clips_tell(final):
    for name in ("appearance", "motion"):
        log = read_csv(final.parent / f"{name}.csv", "training/1")
        assert log["accuracy"].tail(5).mean() > 0.8, name


def test_a_killed_training_goes_on_to_the_same_bits(tmp_path, monkeypatch):
    whole_state = state(train_all(tmp_path / "whole"))
    monkeypatch.setattr(checkpoint, "SECONDS_BETWEEN", -1.0)
    update = trainer.Trainer.update
    killed = set()

    def sometimes(self, *batch):
        """Kill each of the four trainings once."""
        if self.step == 3 and self.run.name not in killed:
            killed.add(self.run.name)
            raise KilledError
        update(self, *batch)

    monkeypatch.setattr(trainer.Trainer, "update", sometimes)
    for _ in range(4):
        with pytest.raises(KilledError):
            train_all(tmp_path / "killed")
    resumed = state(train_all(tmp_path / "killed"))
    assert len(killed) == 4
    assert all(torch.equal(resumed[key], whole_state[key]) for key in whole_state)


def clip(folder, total=30):
    """Frames and flow of a test clip, and what is read of them."""
    folder.mkdir(parents=True, exist_ok=True)
    files = shard(folder, [total], reads=sampler("test"))
    opened = {kind: reader.open(files[kind]) for kind in ("frames", "flow")}
    reads = sampler("test").reads(total, "a/clip0")
    return files, opened, reads


def test_scores_are_of_two_views_each_in_one_pass(final, tmp_path):
    _, opened, reads = clip(tmp_path)
    scorer = scoring.scorer({"views": asdict(VIEWS)}, {"stage2": final}, "yard")
    with opened["frames"] as frames, opened["flow"] as flow:
        images = JoinedClip([frames.clip("a/clip0")])
        moved = JoinedClip([flow.clip("a/clip0")])
        found = scorer(images, moved, reads)
        video = images.at("frames", reads.frames)
        fields = moved.at("flow", reads.flows.ravel())
    assert found["spatial"].shape == found["temporal"].shape == (2, CLASSES)
    # The second view by hand: mirrored, u turned round.
    rgb = video[:, :, ::-1].transpose(0, 3, 1, 2).astype(np.float32)
    rgb = rgb - np.array([123.68, 116.779, 103.939], np.float32)[:, None, None]
    u, v = (fields[:, axis, :, ::-1].astype(np.float32) for axis in (0, 1))
    stacked = (
        np.stack([255 - u, v], axis=1).reshape(len(video), 2 * STACK, 40, 48) - 128
    )
    network = artifact.load(final, "two_stream")
    with torch.inference_mode():
        output = network(
            torch.from_numpy(np.ascontiguousarray(rgb))[None],
            torch.from_numpy(stacked)[None],
        )
    for head in ("spatial", "temporal"):
        expected = output[head][0].mean(dim=0).numpy()
        np.testing.assert_allclose(found[head][1], expected, rtol=1e-4, atol=1e-4)


def test_frames_are_whole_unless_a_side_is_too_small_or_too_large():
    views = Views(sides=(224, 448))
    images = np.zeros((2, 3, 240, 500), np.uint8)
    assert whole(images, views).shape == (2, 3, 240, 448)
    assert whole(images[:, :, :100], views).shape == (2, 3, 224, 448)
    fits = images[..., :320]
    assert whole(fits, views) is fits


def test_a_training_crop_is_the_same_of_frames_and_flow():
    rng = np.random.default_rng(2)
    row = np.broadcast_to(np.arange(100, dtype=np.uint8), (90, 100))
    frames = np.broadcast_to(row, (5, 3, 90, 100)).copy()
    flow = np.broadcast_to(row, (5, 4, 90, 100)).copy()
    seen = set()
    for _ in range(40):
        cut = train_crop({"spatial": frames, "temporal": flow}, VIEWS, rng)
        assert cut["spatial"].shape == (5, 3, 32, 32)
        mirrored = cut["spatial"][0, 0, 0, 0] > cut["spatial"][0, 0, 0, -1]
        u, v = cut["temporal"][:, 0], cut["temporal"][:, 1]
        assert np.array_equal(v, cut["spatial"][:, 0])
        assert np.array_equal(u, 255 - v if mirrored else v)
        seen.add((bool(mirrored), int(v.mean()) // 40))
    # Mirrored and not, near the first corner and the last.
    assert {mirrored for mirrored, _ in seen} == {True, False}
    assert len({place for _, place in seen}) > 1


def test_inputs_are_rgb_less_imagenet_s_mean_and_flow_less_128():
    bgr = np.zeros((1, 3, 2, 2), np.uint8)
    bgr[:, 0] = 200
    found = network_input(bgr, "spatial", MEAN_RGB)[0, :, 0, 0].numpy()
    np.testing.assert_allclose(found, [-123.68, -116.779, 200 - 103.939], rtol=1e-6)
    assert network_input(bgr, "temporal", MEAN_RGB)[0, 0, 0, 0] == 72


def test_a_network_of_another_data_set_is_refused(final):
    with pytest.raises(ArtifactError, match="made for dataset 'yard', not 'shop'"):
        scoring.scorer({"views": asdict(VIEWS)}, {"stage2": final}, "shop")


def test_a_network_before_pooling_is_not_scored_with(final):
    first = final.parent / "stage1.h5"
    with pytest.raises(ArtifactError, match="stage1"):
        scoring.scorer({"views": asdict(VIEWS)}, {"stage2": first}, "yard")
