"""FlowNet2 is trained in stages, resumes after a kill, and is compared."""

import numpy as np
import pytest
import torch

from twinlens.artifacts import reader
from twinlens.artifacts.table import read_csv
from twinlens.flow.error import flow_error
from twinlens.flow.flownet2 import train as flow
from twinlens.flow.flownet2.cascade import build, normalised
from twinlens.flow.flownet2.recipe import STAGES, FlowTraining, Recipe
from twinlens.flow.flownet2.train import train_flownet2
from twinlens.flow.settings import FlowErrorJob
from twinlens.networks import artifact, checkpoint
from twinlens.networks import state as states
from twinlens.networks.trainer import Trainer

WIDTH = 1 / 16


def _recipe(steps=1, **changes):
    return Recipe(**{"steps": dict.fromkeys(STAGES, steps), "batch": 2, **changes})


def _train(folder, recipe, seed=1, width=WIDTH):
    folder.mkdir(exist_ok=True)
    out = folder / "f.h5"
    job = FlowTraining(network="f", width=width, recipe=recipe, seed=seed)
    train_flownet2(job, out, folder / "f.csv", folder / "f.png")
    return out


def _state(path):
    with reader.open(path, artifact.NETWORK) as file:
        return states.load(file["state"])


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return _train(tmp_path_factory.mktemp("flow"), _recipe(2))


def test_every_network_is_trained_and_logged(trained):
    state = _state(trained)
    torch.manual_seed(1)
    start = build(WIDTH).apply(flow.initialise)
    flow.shrink_heads(start)
    for stage in STAGES:
        names = [name for name in state if name.startswith(f"{stage}.")]
        assert any(not torch.equal(state[n], start.state_dict()[n]) for n in names)
    log = read_csv(trained.with_suffix(".csv"), "training/1")
    assert log["stage"].tolist() == [stage for stage in STAGES for _ in range(2)]
    assert log["step"].tolist() == [0, 1] * 5
    assert trained.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    assert artifact.load(trained, "flow").width == WIDTH


class _KilledError(Exception):
    pass


@pytest.mark.slow
@pytest.mark.parametrize("kill", [2, 7, 8])
def test_a_killed_training_goes_on_to_the_same_weights(
    trained, tmp_path, monkeypatch, kill
):
    """Killed at the end of a stage, within FlowNetSD's, and at its end."""
    monkeypatch.setattr(checkpoint, "SECONDS_BETWEEN", -1)
    save = Trainer.save

    def save_and_die(self):
        save(self)
        if self.step == kill:
            raise _KilledError

    monkeypatch.setattr(Trainer, "save", save_and_die)
    with pytest.raises(_KilledError):
        _train(tmp_path, _recipe(2))
    monkeypatch.setattr(Trainer, "save", save)
    again = _train(tmp_path, _recipe(2))
    state, wanted = _state(again), _state(trained)
    log, whole = (each.with_suffix(".csv").read_bytes() for each in (again, trained))
    assert log == whole
    assert all(torch.equal(state[name], wanted[name]) for name in wanted)
    assert not list(tmp_path.glob(".*checkpoint"))


def test_a_stage_moves_its_own_network_alone():
    network = build(WIDTH)
    pictures = torch.rand(2, 1, 3, 64, 64) * 255
    true = torch.ones(1, 2, 64, 64)
    for stage in STAGES:
        network.zero_grad()
        flows = flow.stage_output(network, stage, normalised(*pictures))
        loss, _ = flow.stage_loss(stage, flows, true)
        loss.backward()
        learning = {n.split(".")[0] for n, p in network.named_parameters() if _moves(p)}
        assert learning == {stage}


def _moves(parameter):
    return parameter.grad is not None and bool(parameter.grad.any())


def test_a_change_of_unit_changes_nothing_else():
    torch.manual_seed(0)
    network = build(WIDTH).flownets_d
    for parameter in network.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    pair = torch.rand(1, 6, 64, 64)
    before = network(pair)
    flow.change_unit(network, 20.0)
    for one, other in zip(before, network(pair), strict=True):
        torch.testing.assert_close(20 * one, other, rtol=1e-4, atol=1e-4)


def test_the_loss_weighs_levels_and_sums_over_pixels():
    true = torch.zeros(1, 2, 64, 64)
    flows = [torch.zeros(1, 2, 64 // side, 64 // side) for side in (64, 32, 16, 8, 4)]
    assert flow.pyramid_loss(flows, true) < 1e-2
    for place, weight in enumerate(flow.LEVEL_WEIGHTS):
        off = [each.clone() for each in flows]
        off[place][:, 0] = 3
        off[place][:, 1] = 4
        wanted = 5 * weight * off[place][0, 0].numel()
        assert flow.pyramid_loss(off, true).item() == pytest.approx(wanted, rel=1e-2)


def test_turned_pairs_keep_their_flow_true():
    pairs = flow.both_ways(flow.Scenes(0, (64, 64)).draw(1, "x"))
    assert np.array_equal(pairs.first[1], pairs.first[0, ::-1, ::-1])
    np.testing.assert_array_equal(pairs.flow[1, :, 5, 9], -pairs.flow[0, :, 58, 54])


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"steps": {"flownetc": 3}}, "need 1 or more of each"),
        ({"batch": 3}, "multiple of 2"),
        ({"size": (64, 96)}, "multiple of 64"),
    ],
)
def test_a_recipe_that_would_not_train_is_refused(changes, why):
    with pytest.raises(ValueError, match=why):
        Recipe(**changes)


@pytest.mark.slow
def test_errors_stand_beside_tv_l1_and_zero_flow(trained, tmp_path, capsys):
    entries = {
        "TV-L1": {"kind": "tvl1", "preset": "fast"},
        "FlowNet2": {"kind": "flownet2"},
        "DIS": {"kind": "dis"},
    }
    for name in ("a.csv", "b.csv"):
        job = FlowErrorJob(estimators=entries, seed=3, pairs=8)
        flow_error([trained], job, tmp_path / name)
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    rows = read_csv(tmp_path / "a.csv", "flow-error/1")
    found = rows.set_index(["estimator", "motion"])
    assert (found["low"] <= found["error"]).all()
    assert (found["error"] <= found["high"]).all()
    still, solved, searched = (
        found.loc[(name, "all"), "error"] for name in ("zero flow", "TV-L1", "DIS")
    )
    assert 1 < still < 5
    assert solved < 0.6 * still
    assert searched < still
    small, large = (
        found.loc[("zero flow", each), "error"] for each in ("small", "large")
    )
    assert small < 0.5 * large
    # Two steps teach nothing, and it says so; of no other estimator.
    said = capsys.readouterr().err
    assert "WARNING flow: the end-point error of FlowNet2" in said
    assert "WARNING flow: the end-point error of DIS" not in said


@pytest.mark.slow
def test_it_learns_to_see_motion(tmp_path):
    steps = {**dict.fromkeys(STAGES, 1), "flownets_d": 400}
    recipe = Recipe(steps=steps, batch=8)
    out = _train(tmp_path, recipe, width=1 / 8)
    log = read_csv(out.with_suffix(".csv"), "training/1")
    small = log[log["stage"] == "flownets_d"]["epe"]
    assert small.tail(40).mean() < 0.9 * small.head(40).mean()
