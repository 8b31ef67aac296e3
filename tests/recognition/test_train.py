"""Training of a stream, on a small network and small clips."""

import numpy as np
import pytest
import torch

from tests.recognition.clips import (
    CLASSES,
    SAMPLING,
    VIEWS,
    make_weights,
    sampler,
    shard,
)
from twinlens.artifacts import reader
from twinlens.artifacts.table import read_csv
from twinlens.errors import ArtifactError
from twinlens.networks import artifact, checkpoint, trainer
from twinlens.networks import state as states
from twinlens.recognisers.tsn import Recipe, RecogniserTraining
from twinlens.recognition import stage
from twinlens.recognition.optimizer import parameter_groups
from twinlens.settings import as_json

RECIPE = Recipe(steps=12, lr=0.05, batch=6, dropout=0.2, settings={"width": 8})


class KilledError(Exception):
    """Stands for SIGKILL."""


def _shard(folder, lengths=(40, 33, 36, 35, 34, 38), part="train"):
    return shard(folder, list(lengths), reads=sampler(part))


def _train(folder, stream="spatial", recipe=RECIPE, files=None, init=None, name="w.h5"):
    files = files or _shard(folder)
    images = {"frames": [], "flow": []}
    of = "frames" if stream == "spatial" else "flow"
    images[of] = [files[of]]
    job = RecogniserTraining(
        network=f"tsn-yard-{stream}",
        dataset="yard",
        stream=stream,
        backbone="compact",
        recipe=recipe,
        sampling=SAMPLING["train"],
        views=VIEWS,
    )
    stage.train(
        "tsn",
        as_json(job),
        images["frames"],
        images["flow"],
        files["classes"],
        [init] if init else [],
        folder / name,
        folder / "log.csv",
    )
    return _state(folder / name)


def _state(path):
    with reader.open(path, artifact.NETWORK) as file:
        return states.load(file["state"])


def _assert_equal(one, other):
    assert one.keys() == other.keys()
    for key in one:
        assert torch.equal(one[key], other[key]), key


@pytest.mark.parametrize("stream", ["spatial", "temporal"])
def test_a_stream_learns_what_its_frames_tell(tmp_path, stream):
    _train(tmp_path, stream, Recipe(**{**_fields(), "steps": 40}))
    log = read_csv(tmp_path / "log.csv", "training/1")
    assert len(log) == 40
    assert log["accuracy"].tail(10).mean() > 0.9
    assert log["loss"].tail(10).mean() < 0.5 * log["loss"].head(3).mean()


def _fields():
    return {name: getattr(RECIPE, name) for name in Recipe.__pydantic_fields__}


def test_two_trainings_give_the_same_bits(tmp_path):
    _assert_equal(_train(tmp_path / "a"), _train(tmp_path / "b"))


@pytest.mark.parametrize("killed_at", [1, 5, 11])
@pytest.mark.slow
def test_a_killed_training_goes_on_to_the_same_bits(tmp_path, monkeypatch, killed_at):
    whole = _train(tmp_path / "whole")
    files = _shard(tmp_path)
    monkeypatch.setattr(checkpoint, "SECONDS_BETWEEN", -1.0)
    update = trainer.Trainer.update

    def killed(self, *batch):
        if self.step == killed_at:
            raise KilledError
        update(self, *batch)

    with monkeypatch.context() as during:
        during.setattr(trainer.Trainer, "update", killed)
        with pytest.raises(KilledError):
            _train(tmp_path, files=files)
    steps = []
    monkeypatch.setattr(
        trainer.Trainer,
        "update",
        lambda self, *batch: (steps.append(self.step), update(self, *batch)),
    )
    resumed = _train(tmp_path, files=files)
    assert steps[0] == killed_at
    _assert_equal(resumed, whole)


def test_no_checkpoint_is_left_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "SECONDS_BETWEEN", -1.0)
    _train(tmp_path)
    assert not list(tmp_path.glob(".*checkpoint*"))


def test_the_flow_network_starts_from_the_image_network_s_mean_filter(tmp_path):
    init = make_weights(tmp_path, "spatial", dataset="still images")
    still = Recipe(**{**_fields(), "steps": 1, "lr": 1e-12})
    trained = _train(tmp_path, "temporal", still, init=init)
    first = _state(init)["stem.weight"].mean(dim=1, keepdim=True)
    torch.testing.assert_close(trained["stem.weight"], first.repeat(1, 10, 1, 1))


def test_partial_batch_norm_keeps_all_statistics_but_the_first(tmp_path):
    init = make_weights(tmp_path, "spatial", dataset="still images")
    before, trained = _state(init), _train(tmp_path, init=init)
    means = [key for key in before if key.endswith("running_mean")]
    moved = [key for key in means if not torch.equal(before[key], trained[key])]
    assert len(means) > 1
    assert moved == ["stem_bn.running_mean"]


def test_the_rate_falls_at_its_milestones():
    recipe = Recipe(steps=100, lr=1.0, milestones=(0.5, 0.75))
    rates = [recipe.rate(step) for step in (0, 49, 50, 75)]
    np.testing.assert_allclose(rates, [1.0, 1.0, 0.1, 0.01])


def test_biases_learn_twice_as_fast_and_do_not_decay(tmp_path):
    network = torch.nn.Sequential(torch.nn.Linear(2, CLASSES))
    groups = parameter_groups(network, RECIPE.weight_decay)
    assert sorted((group["times"], group["weight_decay"]) for group in groups) == [
        (1.0, RECIPE.weight_decay),
        (2.0, 0.0),
    ]


@pytest.mark.parametrize("wrong", [{"steps": 0}, {"schedule": "magic"}])
def test_a_recipe_that_would_not_train_is_refused(wrong):
    with pytest.raises(ValueError, match="Recipe"):
        Recipe(**{**_fields(), **wrong})


def test_a_set_without_training_clips_says_so(tmp_path):
    files = _shard(tmp_path, lengths=[])
    with pytest.raises(ArtifactError, match="no training clips"):
        _train(tmp_path, files=files)


def test_frames_that_are_not_training_originals_are_refused(tmp_path):
    files = _shard(tmp_path, lengths=[40, 33], part="test")
    with pytest.raises(ArtifactError, match="made for part 'test'"):
        _train(tmp_path, files=files)


def test_a_recogniser_is_no_image_network_to_start_from(tmp_path):
    with pytest.raises(
        ArtifactError, match="made for dataset 'yard', not 'still images'"
    ):
        _train(tmp_path, init=make_weights(tmp_path, "spatial"))
