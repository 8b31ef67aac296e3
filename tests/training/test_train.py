"""The loop: what it learns, that it resumes to the same bits, what it tells."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

import numpy as np
import pytest
import torch

from tests.training import runs
from twinlens import models
from twinlens.artifacts import reader
from twinlens.artifacts.table import read_csv
from twinlens.errors import ArtifactError
from twinlens.networks import artifact, checkpoint, trainer
from twinlens.training.trainer import groups, psnr

KINDS = ["mse", "wmse", "sosr", "tosr"]
# Loss and network: of one frame, of several, with its own loss, of whole clips.
RUNS = [
    ("sosr", "vdsr"),
    *((kind, "vdsr") for kind in KINDS if kind != "sosr"),
    ("tosr", "duf"),
    ("own", "spmc"),
    ("mse", "rrn"),
]


def _assert_equal(one, other):
    assert one.keys() == other.keys()
    for key in one:
        assert torch.equal(one[key], other[key]), key


def _log(folder, name="net"):
    return read_csv(folder / f"{name}.csv", "training/1")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.slow
def test_every_loss_falls(tmp_path, kind):
    how = runs.recipe(kind, steps=40, lr=3e-3, loss={"terms": (1, 1, 1)})
    runs.train(tmp_path, kind, how=how)
    log = _log(tmp_path)
    assert len(log) == 40
    assert log["loss"].tail(5).mean() < 0.9 * log["loss"].head(5).mean()


@pytest.mark.slow
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
    with reader.open(tmp_path / "net.h5") as file:
        alpha = file.about["alpha"]
    log = _log(tmp_path)
    halves = (1 - alpha) * log["wmse"].mean(), alpha * log["perceptual"].mean()
    np.testing.assert_allclose(*halves, rtol=1e-3)


@pytest.mark.slow
def test_two_trainings_give_the_same_bits(tmp_path):
    _assert_equal(runs.train(tmp_path / "a"), runs.train(tmp_path / "b"))


@pytest.mark.slow
def test_reading_ahead_changes_nothing(tmp_path):
    shard = runs.patches(tmp_path)
    alone = runs.train(tmp_path, shard=shard)
    ahead = runs.train(tmp_path, shard=shard, name="ahead", workers=2)
    _assert_equal(alone, ahead)


@pytest.mark.slow
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
    with pytest.raises(ArtifactError, match="made for settings"):
        artifact.load(tmp_path / "first.h5", "sr", settings={"width": 8, "depth": 3})


def test_a_start_of_another_name_is_refused(tmp_path):
    runs.train(tmp_path, name="first")
    with pytest.raises(ArtifactError, match="made for network 'first', not 'starts/v"):
        runs.train(
            tmp_path,
            shard=tmp_path / "patches.h5",
            start=tmp_path / "first.h5",
            start_name="starts/vdsr",
        )


def test_biases_learn_at_their_own_rate():
    network = models.build("vdsr", **runs.SETTINGS["vdsr"])
    weights, biases = groups(network, runs.recipe(bias_lr=0.1))
    assert [group["times"] for group in (weights, biases)] == [1.0, 0.1]
    assert len(weights["params"]) == len(biases["params"]) == 3


def test_equal_rates_are_one_group():
    network = models.build("vdsr", **runs.SETTINGS["vdsr"])
    (group,) = groups(network, runs.recipe(bias_lr=1.0))
    assert len(group["params"]) == 6


@pytest.mark.slow
def test_gradients_are_cut_where_the_recipe_says(tmp_path):
    shard = runs.patches(tmp_path)
    free = runs.train(tmp_path, shard=shard)
    cut = runs.train(tmp_path, shard=shard, name="cut", how=runs.recipe(clip=1e-9))
    assert not torch.equal(free["convs.0.weight"], cut["convs.0.weight"])


def test_mse_that_does_not_beat_bicubic_is_said_loudly(tmp_path, capsys):
    runs.train(tmp_path, how=runs.recipe(steps=1, lr=1e-9))
    assert "WARNING net: trained with MSE, yet its PSNR" in capsys.readouterr().err


@pytest.mark.parametrize("validations", [2, 1])
def test_a_training_that_diverges_gives_no_weights(tmp_path, validations):
    how = runs.recipe(steps=8, lr=1e12, validations=validations)
    with pytest.raises(ArtifactError, match="net: its .* is not a finite"):
        runs.train(tmp_path, how=how)
    assert not (tmp_path / "net.h5").exists()


def test_psnr_is_that_of_clipped_luma_less_its_border():
    true = torch.rand(1, 3, 16, 16) * 0.5
    assert psnr(true, true).item() == pytest.approx(120)
    output = true.clone()
    output[..., :4, :] = 7
    assert psnr(output, true).item() == pytest.approx(120)
    grey = true + 0.1
    expected = -20 * np.log10(0.1 * 219 / 255)
    assert psnr(grey, true).item() == pytest.approx(expected, abs=1e-3)


def test_an_uneven_batch_for_several_devices_is_refused(tmp_path):
    with pytest.raises(ArtifactError, match="can't be shared evenly by 3"):
        runs.train(tmp_path, devices=3)


def test_no_checkpoint_is_left_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "SECONDS_BETWEEN", -1.0)
    runs.train(tmp_path)
    assert not list(tmp_path.glob(".*checkpoint*"))


def test_a_job_of_the_workflow_leaves_what_brings_its_outputs_back(
    tmp_path, monkeypatch
):
    """Snakemake takes them away where it is killed before it hears of the job."""
    monkeypatch.setattr(checkpoint, "IN_JOB", True)
    shard = runs.patches(tmp_path)
    first = runs.train(tmp_path, shard=shard)
    files = [tmp_path / f"net.{ending}" for ending in ("h5", "csv", "png")]
    before = [each.read_bytes() for each in files[:2]]
    for each in files:
        each.unlink()

    def never(*_):
        raise AssertionError("it takes a step again")

    monkeypatch.setattr(trainer.Trainer, "update", never)
    again = runs.train(tmp_path, shard=shard)
    assert all(torch.equal(again[key], first[key]) for key in first)
    assert [each.read_bytes() for each in files[:2]] == before
    assert files[2].exists()


# --- killed and resumed ---------------------------------------------------------------


class KilledError(Exception):
    """Stands for SIGKILL."""


@pytest.mark.parametrize(
    ("kind", "model", "at"),
    [
        ("sosr", "vdsr", 5),
        *(
            pytest.param(*run, at, marks=pytest.mark.slow)
            for run in RUNS
            for at in (1, 5, 7)
            if (*run, at) != ("sosr", "vdsr", 5)
        ),
    ],
)
def test_a_training_that_died_goes_on_to_the_same_bits(
    tmp_path, monkeypatch, kind, model, at
):
    shard = runs.patches(tmp_path, kind)
    options = {"shard": shard, "model": model}
    whole = runs.train(tmp_path, kind, name="whole", **options)
    monkeypatch.setattr(checkpoint, "SECONDS_BETWEEN", -1.0)
    update, steps = trainer.Trainer.update, []

    def dying(self, batch):
        if self.step == at:
            raise KilledError
        update(self, batch)

    with monkeypatch.context() as during:
        during.setattr(trainer.Trainer, "update", dying)
        with pytest.raises(KilledError):
            runs.train(tmp_path, kind, **options)
    monkeypatch.setattr(
        trainer.Trainer,
        "update",
        lambda self, batch: (steps.append(self.step), update(self, batch)),
    )
    _assert_equal(runs.train(tmp_path, kind, **options), whole)
    assert steps[0] == at
    same = [(tmp_path / f"{name}.csv").read_bytes() for name in ("net", "whole")]
    assert same[0] == same[1]


RUN = """
import sys
from pathlib import Path
from tests.training import runs
folder, kind, model, name = Path(sys.argv[1]), *sys.argv[2:]
how, shard = runs.recipe(kind, steps=STEPS), folder / "patches.h5"
runs.train(folder, kind, shard=shard, name=name, how=how, model=model)
"""
STEPS = 60


def _start(folder, kind, model, name):
    environment = {**os.environ, "TWINLENS_CHECKPOINT_SECONDS": "0"}
    code = RUN.replace("STEPS", str(STEPS))
    return subprocess.Popen(
        [sys.executable, "-c", code, str(folder), kind, model, name],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _checkpoint(folder, name):
    return next(folder.glob(f".{name}.h5.*.checkpoint"), None)


def _reached(folder, name):
    """The step that a killed training goes on from; 0 if it begins anew."""
    path = _checkpoint(folder, name)
    if path is None:
        return 0
    with reader.open(path, checkpoint.CHECKPOINT) as file:
        return int(file.attrs["step"])


def _moved_on(run, folder, name, before):
    """Wait until the training's checkpoint is another one, or its end."""
    while run.poll() is None:
        path = _checkpoint(folder, name)
        with suppress(FileNotFoundError):  # replaced just now
            if path is not None and path.stat().st_ino != before:
                return
        time.sleep(0.01)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "model", "times", "places"),
    [("sosr", "vdsr", 20, 8), ("tosr", "duf", 8, 3)],
)
def test_sigkill_at_random_moments_changes_no_bit(tmp_path, kind, model, times, places):
    """Killed at any moment of steps, checkpoints and end, resumed each time."""
    runs.patches(tmp_path, kind)
    run = _start(tmp_path, kind, model, "whole")
    _moved_on(run, tmp_path, "whole", None)
    begun = time.monotonic()
    assert run.wait() == 0
    took = time.monotonic() - begun
    rng = np.random.default_rng(2026)
    reached, rounds = [], 1
    while len(reached) < times:
        path = _checkpoint(tmp_path, f"killed{rounds}")
        before = path.stat().st_ino if path else None
        run = _start(tmp_path, kind, model, f"killed{rounds}")
        if rng.random() < 0.2:  # while it starts
            time.sleep(2 * rng.random())
        else:
            _moved_on(run, tmp_path, f"killed{rounds}", before)
            time.sleep(took / 4 * rng.random())
        if run.poll() is None:
            os.kill(run.pid, signal.SIGKILL)
            run.wait()
            reached.append(_reached(tmp_path, f"killed{rounds}"))
        else:
            assert run.returncode == 0
            rounds += 1
    run = _start(tmp_path, kind, model, f"killed{rounds}")
    assert run.wait() == 0
    assert len({step for step in reached if 0 < step < STEPS}) >= places, reached
    whole = runs.state(tmp_path / "whole.h5")
    for number in range(1, rounds + 1):
        _assert_equal(runs.state(tmp_path / f"killed{number}.h5"), whole)


# --- several devices ------------------------------------------------------------------


# As large as real ones: what a process hands over must not depend on a pipe's size.
LARGE = {"width": 32, "depth": 6}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["mse", "tosr"])
def test_two_processes_share_a_batch_and_give_the_same_network(tmp_path, kind):
    """Two processes (gloo) of VDSR; sums in another order differ in last digits."""
    shard = runs.patches(tmp_path, kind)
    alone = runs.train(tmp_path, kind, shard=shard, settings=LARGE)
    options = {"name": "shared", "devices": 2, "settings": LARGE}
    shared = runs.train(tmp_path, kind, shard=shard, **options)
    assert sum(each.numel() for each in shared.values()) * 4 > 1 << 16
    for key, value in alone.items():
        torch.testing.assert_close(shared[key], value, atol=1e-4, rtol=1e-3)
    one, two = _log(tmp_path), _log(tmp_path, "shared")
    assert one["step"].tolist() == two["step"].tolist()
    np.testing.assert_allclose(one["lr"], two["lr"])
    psnr = [float(log["psnr"].iloc[-1]) for log in (one, two)]
    assert psnr[0] == pytest.approx(psnr[1], abs=0.02)


@pytest.mark.slow
def test_two_processes_resume_as_one_does(tmp_path, monkeypatch):
    shard = runs.patches(tmp_path)
    options = {"shard": shard, "devices": 2}
    whole = runs.train(tmp_path, name="whole", **options)
    short = tmp_path / "half.h5"
    _stop_after(tmp_path, shard, 4)
    assert not short.exists()
    half = runs.train(tmp_path, name="half", **options)
    for key, value in whole.items():
        torch.testing.assert_close(half[key], value, atol=1e-6, rtol=1e-5)


STOP = """
import os, sys
from pathlib import Path
from tests.training import runs
from twinlens.networks import trainer
update = trainer.Trainer.update
def dying(self, batch):
    if self.step == int(sys.argv[3]) and self.fabric.is_global_zero:
        os._exit(9)  # the first process, its checkpoint written: the other waits for it
    update(self, batch)
trainer.Trainer.update = dying
if __name__ == "__main__":
    runs.train(Path(sys.argv[1]), shard=Path(sys.argv[2]), name="half", devices=2)
"""


def _stop_after(folder, shard, step):
    """A training of two processes dies at a step; its checkpoint stays."""
    code = folder / "stop.py"
    code.write_text(STOP)
    environment = {**os.environ, "TWINLENS_CHECKPOINT_SECONDS": "0"}
    environment["PYTHONPATH"] = os.pathsep.join(sys.path)
    done = subprocess.run(
        [sys.executable, str(code), str(folder), str(shard), str(step)],
        env=environment,
        capture_output=True,
        check=False,
    )
    assert done.returncode != 0
    assert _reached(folder, "half") == step


@pytest.mark.parametrize("tasks", ["1", "8"])
@pytest.mark.slow
def test_a_cluster_s_variables_change_nothing(tmp_path, monkeypatch, tasks):
    shard = runs.patches(tmp_path)
    alone = runs.train(tmp_path, shard=shard)
    names = {"SLURM_NTASKS": tasks, "SLURM_JOB_ID": "7", "SLURM_PROCID": "0"}
    for name, value in {**names, "SLURM_LOCALID": "0", "SLURM_NODEID": "0"}.items():
        monkeypatch.setenv(name, value)
    _assert_equal(runs.train(tmp_path, shard=shard, name="slurm"), alone)


@pytest.mark.slow
def test_bf16_mixed_trains_on_a_processor_too(tmp_path):
    shard = runs.patches(tmp_path)
    how = runs.recipe(precision="bf16-mixed")
    mixed = runs.train(tmp_path, shard=shard, how=how, name="mixed")
    how = runs.recipe("own", steps=8, precision="bf16-mixed")
    runs.train(tmp_path, "own", shard=shard, how=how, name="own", model="spmc")
    assert np.isfinite(_log(tmp_path, "own")["loss"]).all()
    exact = runs.train(tmp_path, shard=shard)
    assert all(value.dtype == torch.float32 for value in mixed.values())
    assert not torch.equal(mixed["convs.0.weight"], exact["convs.0.weight"])
    for key, value in exact.items():
        torch.testing.assert_close(mixed[key], value, atol=0.02, rtol=0)


# --- asked to end ---------------------------------------------------------------------

SLOW = """
import sys, time
from pathlib import Path
from tests.training import runs
from twinlens.networks import trainer
folder, shard, devices, workers = *map(Path, sys.argv[1:3]), *map(int, sys.argv[3:])
update = trainer.Trainer.update
def slow(self, batch):
    update(self, batch)
    if self.step >= 3 and not (folder / "again").exists():
        (folder / "reached").touch()
        time.sleep(0.2)
trainer.Trainer.update = slow
if __name__ == "__main__":
    how = runs.recipe(steps=40, batch=4)
    runs.train(folder, shard=shard, how=how, devices=devices, workers=workers)
"""


def _slow(folder, *words):
    script = folder / "slow.py"
    script.write_text(SLOW)
    return subprocess.Popen(
        [sys.executable, str(script), str(folder), *map(str, words)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        start_new_session=True,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("devices", "workers", "to_all"),
    [(1, 0, False), (1, 2, True), (2, 0, False), (2, 1, True)],
)
def test_sigterm_saves_the_last_step(tmp_path, devices, workers, to_all):
    """Sent to the training, or as Slurm does, to each of its processes."""
    shard = runs.patches(tmp_path)
    run = _slow(tmp_path, shard, devices, workers)
    while not (tmp_path / "reached").exists():
        assert run.poll() is None
        time.sleep(0.05)
    assert not list(tmp_path.glob("*.checkpoint"))
    (os.killpg if to_all else os.kill)(run.pid, signal.SIGTERM)
    assert run.wait(3600) == 128 + signal.SIGTERM
    assert 3 <= _reached(tmp_path, "net") < 40
    (tmp_path / "again").touch()
    assert _slow(tmp_path, shard, devices, workers).wait(3600) == 0
    whole = tmp_path / "whole"
    how = runs.recipe(steps=40, batch=4)
    expected = runs.train(whole, shard=shard, how=how, devices=devices)
    _assert_equal(runs.state(tmp_path / "net.h5"), expected)
