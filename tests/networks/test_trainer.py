"""The trainer with the smallest network: what every training shares."""

import signal
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from twinlens import provenance
from twinlens.errors import ArtifactError
from twinlens.networks import checkpoint, trainer
from twinlens.networks.trainer import Run, Trainer, refuse_nan

STEPS = 6


class Line(Trainer):
    """Fits a line; a step's batch is drawn from its number."""

    measures = ("seen",)
    stop = None
    lr = 0.1

    def build(self):
        return nn.Linear(1, 1)

    def build_optimizer(self):
        weight, bias = self.network.parameters()
        groups = [{"params": [weight]}, {"params": [bias], "times": 2.0}]
        return torch.optim.Adam(groups)

    def rate(self, step):
        return self.lr / (1 + step)

    def batches(self, first):
        for step in range(first, self.steps):
            rng = np.random.default_rng(step)
            yield torch.from_numpy(rng.normal(size=(4, 1)).astype(np.float32))

    def loss(self, batch):
        if self.step == self.stop:
            raise KeyboardInterrupt
        error = self.forward(batch) - 3 * batch
        return error.square().mean(), {"error": error.abs().mean()}

    def after_step(self):
        self.facts["half"] = self.step // 2
        return {"seen": float(self.step)} if self.step % 2 else {}


def run(folder, name="line", seed=1):
    about = provenance.about("made", [], {}, name=name, seed=seed)
    return Run(name=name, about=about, out=folder / f"{name}.h5", seed=seed)


def train(folder, make=Line, **options):
    with trainer.trained(partial(make, steps=STEPS), run(folder, **options)) as result:
        return result


@pytest.fixture(autouse=True)
def in_job(monkeypatch):
    """Leave the last checkpoint, as a job of the workflow does."""
    monkeypatch.setattr(checkpoint, "IN_JOB", True)


def test_the_log_has_a_row_a_step_with_what_was_measured(tmp_path):
    log = train(tmp_path).log
    assert list(log) == ["step", "lr", "seen", "loss", "error"]
    assert log["step"].tolist() == list(range(STEPS))
    assert log["lr"].tolist() == [0.1 / (1 + step) for step in range(STEPS)]
    assert log["seen"].dropna().tolist() == [1, 3, 5]


class InParts(Line):
    """The same, its batches computed in parts."""

    count = 2
    seen = ()

    def parts(self, batch):
        return batch.chunk(self.count)

    def loss(self, batch):
        self.seen = (*self.seen, (self.step, self.part, len(batch)))
        return super().loss(batch)

    def after_step(self):
        self.facts["seen"] = self.seen
        return {}


def test_parts_of_a_batch_give_the_gradients_of_the_whole(tmp_path):
    whole, parts = train(tmp_path, name="whole"), train(tmp_path, InParts)
    for key, value in whole.state.items():
        torch.testing.assert_close(parts.state[key], value, rtol=1e-5, atol=1e-6)
    columns = ["loss", "error"]
    np.testing.assert_allclose(parts.log[columns], whole.log[columns], rtol=1e-5)
    steps, numbers = range(STEPS), range(InParts.count)
    assert parts.facts["seen"] == [[s, p, 2] for s in steps for p in numbers]


def test_facts_are_those_of_the_end(tmp_path):
    assert train(tmp_path).facts == {"half": STEPS // 2}


def test_a_group_s_times_multiply_the_rate(tmp_path):
    class Watched(Line):
        def loss(self, batch):
            found = super().loss(batch)
            assert [group["lr"] for group in self.optimizer.param_groups] == [
                self.rate(self.step),
                2 * self.rate(self.step),
            ]
            return found

    train(tmp_path, Watched)


@pytest.mark.parametrize("stop", [1, 3, 5])
def test_a_killed_training_resumes_to_the_same_bits(tmp_path, monkeypatch, stop):
    whole = train(tmp_path, name="whole")
    monkeypatch.setattr(checkpoint, "SECONDS_BETWEEN", -1.0)
    killed = type("Killed", (Line,), {"stop": stop})
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, killed)
    resumed = train(tmp_path)
    assert all(torch.equal(resumed.state[k], whole.state[k]) for k in whole.state)
    assert resumed.log.equals(whole.log)
    assert resumed.facts == whole.facts


def test_a_finished_training_takes_no_further_step(tmp_path):
    first = train(tmp_path)
    again = train(tmp_path, type("Never", (Line,), {"stop": STEPS}))
    assert again.log.equals(first.log)


def test_a_loss_that_is_not_finite_gives_no_result(tmp_path):
    wild = type("Wild", (Line,), {"lr": float("inf")})
    with pytest.raises(ArtifactError, match="line: its loss is not a finite number"):
        train(tmp_path, wild)
    assert list(tmp_path.iterdir()) == []


def test_a_loss_that_is_no_number_is_refused_with_its_step():
    refuse_nan("vdsr", [0.1, 0.2], 0)
    with pytest.raises(ArtifactError, match=r"vdsr: its loss .* at step 12:"):
        refuse_nan("vdsr", [0.1, float("nan"), 0.2], 10)
    with pytest.raises(ArtifactError, match="its PSNR is not a finite number"):
        refuse_nan("vdsr", [float("inf")], 3, "PSNR")


def test_sigterm_ends_a_training_that_is_still_being_prepared():
    heard = []
    alone = SimpleNamespace(
        world_size=1, launch=lambda fit: heard.append(signal.getsignal(signal.SIGTERM))
    )
    trainer._launch(alone, print)
    assert heard == [signal.SIG_DFL]
