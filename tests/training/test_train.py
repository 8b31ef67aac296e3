"""The loop: what it learns, that it resumes to the same bits, what it tells."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch

from tests.training import runs
from twinlens import checkpoints, formats, models
from twinlens.training import loop, networks
from twinlens.training.loop import psnr

KINDS = ["mse", "wmse", "sosr", "tosr"]


def _assert_equal(one, other):
    assert one.keys() == other.keys()
    for key in one:
        assert torch.equal(one[key], other[key]), key


def _log(folder, name="net"):
    return formats.read_csv(folder / f"{name}.csv", "training/1")


@pytest.mark.parametrize("kind", KINDS)
def test_every_loss_falls(tmp_path, kind):
    how = runs.recipe(kind, steps=40, lr=3e-3, loss={"terms": (1, 1, 1)})
    runs.train(tmp_path, kind, how=how)
    log = _log(tmp_path)
    assert len(log) == 40
    assert log["loss"].tail(5).mean() < 0.9 * log["loss"].head(5).mean()


def test_a_batch_is_learnt_by_heart(tmp_path):
    shard = runs.patches(tmp_path)
    how = runs.recipe(steps=150, lr=5e-3, batch=12, schedule="cosine", bias_lr=1.0)
    runs.train(tmp_path, shard=shard, how=how)
    log = _log(tmp_path)
    assert log["loss"].iloc[-1] < 0.35 * log["loss"].iloc[0]


@pytest.mark.parametrize(
    ("kind", "parts"),
    [
        ("mse", ["mse"]),
        ("wmse", ["wmse"]),
        ("sosr", ["wmse", "perceptual"]),
        ("tosr", ["sr", "warp_sr", "warp_hr"]),
    ],
)
def test_the_log_has_the_loss_s_parts_and_held_out_psnr(tmp_path, kind, parts):
    runs.train(tmp_path, kind)
    log = _log(tmp_path)
    assert list(log) == ["step", "lr", "psnr", "loss", *parts]
    seen = log["psnr"] != ""
    assert log.loc[seen, "step"].tolist() == [3, 7]
    assert (tmp_path / "net.png").read_bytes().startswith(b"\x89PNG")


def test_the_terms_are_weighted_as_in_equation_3(tmp_path):
    loss = {"terms": (1 / 11, 10 / 11, 0.0)}
    runs.train(tmp_path, "tosr", how=runs.recipe("tosr", loss=loss))
    log = _log(tmp_path)
    total = log["sr"] / 11 + log["warp_sr"] * 10 / 11
    np.testing.assert_allclose(log["loss"], total, rtol=1e-5)


def test_alpha_weighs_as_in_equation_2(tmp_path):
    how = runs.recipe("sosr", loss={"alpha": 0.25})
    runs.train(tmp_path, "sosr", how=how)
    log = _log(tmp_path)
    total = 0.75 * log["wmse"] + 0.25 * log["perceptual"]
    np.testing.assert_allclose(log["loss"], total, rtol=1e-5)


def test_alpha_auto_brings_both_terms_to_one_scale_and_says_so(tmp_path, capsys):
    how = runs.recipe("sosr", steps=4, lr=1e-9, loss={"auto_batches": 4})
    runs.train(tmp_path, "sosr", how=how)
    assert "to one scale (measured on 4 batches" in capsys.readouterr().err
    with formats.reading(tmp_path / "net.h5") as file:
        alpha = formats.about(file)["alpha"]
    log = _log(tmp_path)
    halves = (1 - alpha) * log["wmse"].mean(), alpha * log["perceptual"].mean()
    np.testing.assert_allclose(*halves, rtol=1e-3)


def test_two_trainings_give_the_same_bits(tmp_path):
    _assert_equal(runs.train(tmp_path / "a"), runs.train(tmp_path / "b"))


def test_reading_ahead_changes_nothing(tmp_path):
    shard = runs.patches(tmp_path)
    alone = runs.train(tmp_path, shard=shard)
    ahead = runs.train(tmp_path, shard=shard, name="ahead", workers=2)
    _assert_equal(alone, ahead)


def test_it_starts_from_the_weights_that_it_is_given(tmp_path):
    shard = runs.patches(tmp_path)
    first = runs.train(tmp_path, shard=shard, name="first")
    still = runs.recipe(steps=1, lr=1e-12)
    second = runs.train(
        tmp_path, shard=shard, name="second", how=still, start=tmp_path / "first.h5"
    )
    for key, value in first.items():
        torch.testing.assert_close(second[key], value, atol=1e-8, rtol=0)


def test_a_start_of_another_network_is_refused(tmp_path):
    runs.train(tmp_path, name="first")
    with pytest.raises(formats.ArtifactError, match="made for settings"):
        networks.load(tmp_path / "first.h5", "vdsr", {"width": 8, "depth": 3})


def test_biases_learn_at_their_own_rate():
    network = models.build("vdsr", **runs.SETTINGS)
    weights, biases = loop.groups(network, runs.recipe(bias_lr=0.1))
    assert [group["times"] for group in (weights, biases)] == [1.0, 0.1]
    assert len(weights["params"]) == len(biases["params"]) == 3


def test_equal_rates_are_one_group():
    network = models.build("vdsr", **runs.SETTINGS)
    (group,) = loop.groups(network, runs.recipe(bias_lr=1.0))
    assert len(group["params"]) == 6


def test_gradients_are_cut_where_the_recipe_says(tmp_path):
    shard = runs.patches(tmp_path)
    free = runs.train(tmp_path, shard=shard)
    cut = runs.train(tmp_path, shard=shard, name="cut", how=runs.recipe(clip=1e-9))
    assert not torch.equal(free["convs.0.weight"], cut["convs.0.weight"])


def test_mse_that_does_not_beat_bicubic_is_told_loudly(tmp_path, capsys):
    runs.train(tmp_path, how=runs.recipe(steps=1, lr=1e-9))
    assert "WARNING net: trained with MSE, yet its PSNR" in capsys.readouterr().err


def test_psnr_is_that_of_clipped_luma_less_its_border():
    true = torch.rand(1, 3, 16, 16) * 0.5
    assert psnr(true, true).item() == pytest.approx(120)
    made = true.clone()
    made[..., :4, :] = 7
    assert psnr(made, true).item() == pytest.approx(120)
    grey = true + 0.1
    expected = -20 * np.log10(0.1 * 219 / 255)
    assert psnr(grey, true).item() == pytest.approx(expected, abs=1e-3)


def test_an_uneven_batch_for_several_devices_is_told(tmp_path):
    with pytest.raises(formats.ArtifactError, match="can't be shared evenly by 3"):
        runs.train(tmp_path, devices=3)


def test_no_checkpoint_is_left_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "SECONDS_BETWEEN", -1.0)
    runs.train(tmp_path)
    assert not list(tmp_path.glob(".*checkpoint*"))


# --- killed and resumed ---------------------------------------------------------------


class KilledError(Exception):
    """Stands for SIGKILL."""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("at", [1, 5, 7])
def test_a_training_that_died_goes_on_to_the_same_bits(tmp_path, monkeypatch, kind, at):
    shard = runs.patches(tmp_path, kind)
    whole = runs.train(tmp_path, kind, shard=shard, name="whole")
    monkeypatch.setattr(checkpoints, "SECONDS_BETWEEN", -1.0)
    update, steps = loop.Training.update, []

    def dying(self, batch):
        if self.step == at:
            raise KilledError
        update(self, batch)

    with monkeypatch.context() as during:
        during.setattr(loop.Training, "update", dying)
        with pytest.raises(KilledError):
            runs.train(tmp_path, kind, shard=shard)
    monkeypatch.setattr(
        loop.Training,
        "update",
        lambda self, batch: (steps.append(self.step), update(self, batch)),
    )
    _assert_equal(runs.train(tmp_path, kind, shard=shard), whole)
    assert steps[0] == at
    same = [(tmp_path / f"{name}.csv").read_bytes() for name in ("net", "whole")]
    assert same[0] == same[1]


RUN = """
import sys
from pathlib import Path
from tests.training import runs
folder, kind, name = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
how = runs.recipe(kind, steps=60)
runs.train(folder, kind, shard=folder / "patches.h5", name=name, how=how)
"""


def _start(folder, kind, name):
    environment = {**os.environ, "TWINLENS_CHECKPOINT_SECONDS": "0"}
    return subprocess.Popen(
        [sys.executable, "-c", RUN, str(folder), kind, name],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@pytest.mark.slow
def test_sigkill_at_20_random_moments_changes_no_bit(tmp_path):
    """Killed at any moment of start, steps, checkpoints and end, resumed each time."""
    kind = "sosr"
    runs.patches(tmp_path, kind)
    run = _start(tmp_path, kind, "whole")
    begun = time.monotonic()
    assert run.wait() == 0
    took = time.monotonic() - begun
    rng = np.random.default_rng(2026)
    kills, rounds = 0, 0
    while kills < 20:
        rounds += 1
        run = _start(tmp_path, kind, f"killed{rounds}")
        while kills < 20:
            try:
                # Importing takes most of a run: aim at what comes after it.
                run.wait(timeout=took * rng.uniform(0.55, 1.0))
                break
            except subprocess.TimeoutExpired:
                os.kill(run.pid, signal.SIGKILL)
                run.wait()
                kills += 1
                run = _start(tmp_path, kind, f"killed{rounds}")
        assert run.wait() == 0
    whole = runs.state(tmp_path / "whole.h5")
    for number in range(1, rounds + 1):
        _assert_equal(runs.state(tmp_path / f"killed{number}.h5"), whole)


# --- several devices ------------------------------------------------------------------


@pytest.mark.slow
def test_two_processes_share_a_batch_and_give_the_same_network(tmp_path):
    """Two processes (gloo) of VDSR; sums in another order differ in last digits."""
    shard = runs.patches(tmp_path)
    alone = runs.train(tmp_path, shard=shard)
    shared = runs.train(tmp_path, shard=shard, name="shared", devices=2)
    for key, value in alone.items():
        torch.testing.assert_close(shared[key], value, atol=2e-6, rtol=1e-4)
    one, two = _log(tmp_path), _log(tmp_path, "shared")
    assert one["step"].tolist() == two["step"].tolist()


def test_bf16_mixed_trains_on_a_processor_too(tmp_path):
    shard = runs.patches(tmp_path)
    how = runs.recipe(precision="bf16-mixed")
    mixed = runs.train(tmp_path, shard=shard, how=how, name="mixed")
    exact = runs.train(tmp_path, shard=shard)
    assert all(value.dtype == torch.float32 for value in mixed.values())
    assert not torch.equal(mixed["convs.0.weight"], exact["convs.0.weight"])
    for key, value in exact.items():
        torch.testing.assert_close(mixed[key], value, atol=0.02, rtol=0)
