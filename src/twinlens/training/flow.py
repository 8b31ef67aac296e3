"""Train a narrow FlowNet2 on generated pairs, where no weights are given.

The published order of stages (Ilg et al., CVPR 2017): FlowNetC, then each FlowNetS on
what the frozen networks before it give, FlowNetSD on small motion, the fusion last.
"""

import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from twinlens import checkpoints, provenance, steps
from twinlens.artifacts import reader
from twinlens.artifacts.table import write_csv
from twinlens.flow.flownet2 import FLOWNET2, FlowNet2, normalised
from twinlens.flow.flownet2.cascade import DIVISOR
from twinlens.flow.flownet2.networks import DECODED, LEVELS
from twinlens.progress import say, teller
from twinlens.training import networks
from twinlens.training.flow_curve import draw_stages
from twinlens.training.flow_recipe import SMALL_STAGE, STAGES, FlowRecipe
from twinlens.training.moving import Pairs, Scenes

LEVEL_WEIGHTS = (0.32, 0.08, 0.02, 0.01, 0.005)
"""Of the flows at 1/64 to 1/4 of the size (Dosovitskiy et al., ICCV 2015)."""
SMALL = 0.3
"""Motion of the pairs for FlowNetSD, of that of the others."""
COLUMNS = "stage step loss epe lr".split()


def train_flownet2(
    width: float,
    recipe: FlowRecipe,
    out: Path,
    log: Path,
    curve: Path,
    seed: int = 0,
    threads: int = 1,
) -> None:
    """Train FlowNet2 in its five stages.

    Args:
        width: part of the published channels, see `twinlens.flow.flownet2.FlowNet2`.
        recipe: how.
        out: HDF5 "flownet2/1".
        log: csv with stage, step, loss, end-point error of training pairs in px, rate.
        curve: PNG of the same.
        seed: of weights and pairs.
        threads: CPU threads of torch; other numbers give other last digits.
    """
    checkpoints.repeatable(threads)
    about = provenance.about(
        "train-flow",
        ["twinlens.training.flow"],
        {},
        width=width,
        recipe=asdict(recipe),
        seed=seed,
        threads=threads,
        trained=True,
    )
    run = _Run(about, recipe, out)
    run.go_on()
    rows = pd.DataFrame(run.log, columns=COLUMNS).astype({"step": int})
    rows["stage"] = [STAGES[int(stage)] for stage in rows["stage"]]
    write_csv(log, "training/1", rows)
    draw_stages(rows, f"FlowNet2 at width {width:g}", curve)
    networks.save(out, FLOWNET2, about, run.network)
    run.checkpoint.unlink(missing_ok=True)


class _Run:
    """The cascade under training: it resumes from a checkpoint of the same job."""

    def __init__(self, about: dict[str, Any], recipe: FlowRecipe, out: Path) -> None:
        self.about, self.recipe = about, recipe
        self.device = checkpoints.device()
        self.checkpoint = checkpoints.path_beside(out, about["id"])
        torch.manual_seed(about["seed"])
        self.network = FlowNet2(about["width"]).apply(_begin).to(self.device)
        _begin_still(self.network)
        self.ends = np.cumsum([recipe.steps[stage] for stage in STAGES]).tolist()
        self.done = 0
        self.log: list[tuple[float, ...]] = []
        self.optimizer = self._optimizer()
        self._resume()
        self._saved = time.monotonic()

    @property
    def stage(self) -> str:
        """The stage under way; the last when all is done."""
        under_way = sum(self.done >= end for end in self.ends)
        return STAGES[min(under_way, len(STAGES) - 1)]

    @property
    def step(self) -> int:
        """How many steps of the stage under way are done."""
        return self.done - max([0, *(end for end in self.ends if end <= self.done)])

    def go_on(self) -> None:
        """Take all steps that are left."""
        tell = teller("train flownet2", "steps")
        scenes, began = None, ""
        while self.done < self.ends[-1]:
            if self.stage != began or scenes is None:
                began, scenes = self.stage, self._scenes()
                if self.step == 0:
                    self.optimizer = self._optimizer()
            self._update(scenes)
            if self.step == 0 and began == SMALL_STAGE:
                change_unit(self.network.flownets_d, DIVISOR)
            tell(self.done, self.ends[-1])
            if time.monotonic() - self._saved > checkpoints.SECONDS_BETWEEN:
                self._save()

    def _scenes(self) -> Scenes:
        motion = SMALL if self.stage == SMALL_STAGE else 1.0
        seed = provenance.seed(self.about["seed"], "train", self.stage)
        return Scenes(seed, self.recipe.size, motion)

    def _optimizer(self) -> torch.optim.Optimizer:
        """A fresh one, of the network of the stage."""
        part = self.network.get_submodule(self.stage)
        return torch.optim.Adam(part.parameters(), self.recipe.lr)

    def _update(self, scenes: Scenes) -> None:
        """One step of Adam on pairs that depend on the step alone."""
        stage, step = self.stage, self.step
        pairs = both_ways(scenes.draw(self.recipe.batch // 2, step))
        first, second = (self._tensor(each) for each in (pairs.first, pairs.second))
        true = torch.from_numpy(pairs.flow).to(self.device)
        rate = steps.rate(step, self.recipe.steps[stage], self.recipe.lr, "cosine", ())
        self.optimizer.param_groups[0]["lr"] = rate
        loss, error = _loss(self.network, stage, (first, second), true)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        row = (STAGES.index(stage), step, loss.item(), error.item(), rate)
        steps.refuse_nan("flownet2", [row[2]], self.done)
        self.log.append(row)
        self.done += 1

    def _tensor(self, pictures: np.ndarray) -> Tensor:
        return torch.from_numpy(pictures).permute(0, 3, 1, 2).float().to(self.device)

    def _save(self) -> None:
        log = np.array(self.log, dtype=np.float64)
        parts = self.network, self.optimizer, log
        checkpoints.save(self.checkpoint, self.about, *parts, done=self.done)
        self._saved = time.monotonic()

    def _resume(self) -> None:
        if not self.checkpoint.exists():
            return
        with reader.open(
            self.checkpoint, checkpoints.CHECKPOINT, id=self.about["id"]
        ) as file:
            self.network.load_state_dict(checkpoints.load_state(file["state"]))
            self.done = int(file.attrs["done"])
            self.log = [tuple(row) for row in file["log"][:]]
            self.optimizer = self._optimizer()
            if self.step:
                checkpoints.load_optimizer(file["optimizer"], self.optimizer)
        say(f"resuming at step {self.done} from {self.checkpoint}")


def _begin(layer: nn.Module) -> None:
    """First weights: He's for LeakyReLU, no biases."""
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.kaiming_normal_(layer.weight, 0.1)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)


def _begin_still(network: FlowNet2) -> None:
    """Heads begin small, so that the first flows are near to none."""
    for name, layer in network.named_modules():
        if name.split(".")[-1].startswith("predict_flow"):
            assert isinstance(layer, nn.Conv2d)
            layer.weight.data *= 0.1


def both_ways(pairs: Pairs) -> Pairs:
    """Pairs, and the same turned by 180 degrees: no direction is in the majority."""
    first, second = (
        np.concatenate([each, each[:, ::-1, ::-1]])
        for each in (pairs.first, pairs.second)
    )
    flow = np.concatenate([pairs.flow, -pairs.flow[:, :, ::-1, ::-1]])
    return Pairs(first, second, flow)


@torch.no_grad()
def change_unit(network: nn.Module, times: float) -> None:
    """Make a network of the pyramid kind tell its flows times a factor, and no more.

    FlowNetSD is trained in pixels, and tells them times 20 as published: its heads are
    multiplied, and what reads its own flow is divided.
    """
    parts = dict(network.named_modules())
    for level in LEVELS:
        for parameter in parts[f"predict_flow{level}"].parameters():
            parameter *= times
    for level in DECODED:
        parts[f"upsampled_flow{level + 1}_to_{level}"].bias *= times
        parts[f"inter_conv{level}.0"].weight[:, -2:] /= times
        if f"deconv{level - 1}.0" in parts:
            parts[f"deconv{level - 1}.0"].weight[-2:] /= times


def _loss(
    network: FlowNet2, stage: str, pictures: tuple[Tensor, Tensor], true_b2hw: Tensor
) -> tuple[Tensor, Tensor]:
    """A stage's loss, and the end-point error in px of its finest flow."""
    pair = normalised(*pictures)
    part = network.get_submodule(stage)
    if stage == "flownetfusion":
        with torch.no_grad():
            known = network.before_fusion(pair)
        error = _distance(part(known), true_b2hw)
        return error, error.detach()
    scale = 1.0 if stage == SMALL_STAGE else 1 / DIVISOR
    with torch.no_grad():
        known = _before(network, stage, pair)
    flows = part(known)
    loss = pyramid_loss(flows, scale * true_b2hw)
    return loss, _distance(flows[-1].detach() / scale, _shrunk(true_b2hw, flows[-1]))


def _before(network: FlowNet2, stage: str, pair_b6hw: Tensor) -> Tensor:
    """What a network of the pyramid kind reads, from those before it."""
    if stage == "flownets_1":
        return network.before_s1(pair_b6hw)
    return network.before_s2(pair_b6hw) if stage == "flownets_2" else pair_b6hw


def pyramid_loss(flows: Sequence[Tensor], true_b2hw: Tensor) -> Tensor:
    """FlowNet's loss: weighted end-point errors at five sizes, summed over pixels.

    Args:
        flows: coarsest first, as the networks give them.
        true_b2hw: at the pictures' size, in the networks' own scale.
    """
    # ASSUME: section 3.2 takes a trained FlowNet2; the sum over pixels is Caffe's,
    # which FlowNet's weights of the levels were made for.
    terms = []
    for weight, flow in zip(LEVEL_WEIGHTS, flows, strict=True):
        pixels = flow.shape[2] * flow.shape[3]
        terms.append(weight * pixels * _distance(flow, _shrunk(true_b2hw, flow)))
    return torch.stack(terms).sum()


def _shrunk(true_b2hw: Tensor, flow: Tensor) -> Tensor:
    """True flow by means over pixels, at the size of a made one."""
    size = flow.shape[2], flow.shape[3]
    return nn.functional.adaptive_avg_pool2d(true_b2hw, size)


def _distance(made_b2hw: Tensor, true_b2hw: Tensor) -> Tensor:
    """Mean end-point error; tiny ones are held off zero, where it has no gradient."""
    squared = (made_b2hw - true_b2hw).square().sum(dim=1)
    return (squared + 1e-8).sqrt().mean()
