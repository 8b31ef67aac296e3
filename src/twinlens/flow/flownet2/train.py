"""Train a narrow FlowNet2 on generated pairs, where no weights are published.

The published order of stages (Ilg et al., CVPR 2017): FlowNetC, then each FlowNetS on
outputs of the frozen networks before it, FlowNetSD on small motion, the fusion last.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from twinlens import provenance
from twinlens.artifacts.table import write_csv
from twinlens.flow.flownet2.cascade import DIVISOR, FlowNet2, normalised
from twinlens.flow.flownet2.curve import draw_stages
from twinlens.flow.flownet2.networks import DECODED, LEVELS
from twinlens.flow.flownet2.recipe import SMALL_STAGE, FlowTraining, Recipe, Stage
from twinlens.flow.flownet2.scenes import SMALL, Pairs, Scenes
from twinlens.networks import artifact, trainer
from twinlens.networks.trainer import Run, Trainer

LEVEL_WEIGHTS = (0.32, 0.08, 0.02, 0.01, 0.005)
"""Of the flows at 1/64 to 1/4 of the size (Dosovitskiy et al., ICCV 2015)."""


def train_flownet2(
    job: FlowTraining, out: Path, log: Path, curve: Path, threads: int = 1
) -> None:
    """Train FlowNet2 in its five stages.

    Args:
        job: what to train and how.
        out: HDF5 "network/1".
        log: csv with stage, step, loss, end-point error of training pairs in px, rate.
        curve: PNG of the same.
        threads: CPU threads of torch; other numbers give other last digits.
    """
    about = artifact.about(
        "train-flow",
        ["twinlens.flow.flownet2.train"],
        {},
        job,
        family="flow",
        network=job.network,
        kind="flownet2",
        settings={"width": job.width},
        threads=threads,
    )
    run = Run(name=job.network, about=about, out=out, seed=job.seed, threads=threads)
    with trainer.trained(partial(FlowTrainer, job=job), run) as result:
        rows = _by_stage(result.log, job.recipe)
        write_csv(log, "training/1", rows)
        draw_stages(rows, f"FlowNet2 at width {job.width:g}", curve)
        artifact.save(out, about, result.state)


def _by_stage(log: pd.DataFrame, recipe: Recipe) -> pd.DataFrame:
    """Add each step's stage to the log, and its number within the stage."""
    stages = [recipe.stage(step) for step in log["step"]]
    rows = log.assign(
        stage=[stage for stage, _ in stages], step=[within for _, within in stages]
    )
    return rows[["stage", "step", "loss", "epe", "lr"]]


class FlowTrainer(Trainer):
    """The cascade under training.

    One Adam serves all stages: a stage gives gradients to its own network alone, and
    parameters without a gradient are left as they are.
    """

    def __init__(self, fabric: Fabric, run: Run, *, job: FlowTraining) -> None:
        """See `Trainer`."""
        self.job, self.recipe = job, job.recipe
        super().__init__(fabric, run, job.recipe.total)

    def build(self) -> nn.Module:
        """Build the cascade, whose first flows are close to zero."""
        network = FlowNet2(self.job.width).apply(initialise)
        shrink_heads(network)
        return network

    def build_optimizer(self) -> torch.optim.Optimizer:
        """Use Adam."""
        return torch.optim.Adam(self.network.parameters(), self.recipe.lr)

    def rate(self, step: int) -> float:
        """Look the rate up in the recipe."""
        return self.recipe.rate(step)

    def batches(self, first: int) -> Iterator[tuple[Tensor, ...]]:
        """Yield first pictures, second ones, the flow between them."""
        stage, scenes = "", None
        for step in range(first, self.steps):
            now, within = self.recipe.stage(step)
            if scenes is None or now != stage:
                stage, scenes = now, self._scenes(now)
            pairs = both_ways(scenes.draw(self.recipe.batch // 2, within))
            flow = torch.from_numpy(pairs.flow)
            yield _tensor(pairs.first), _tensor(pairs.second), flow

    def _scenes(self, stage: Stage) -> Scenes:
        motion = SMALL if stage == SMALL_STAGE else 1.0
        seed = provenance.seed(self.job.seed, "train", stage)
        return Scenes(seed, self.recipe.size, motion)

    def output(self, network: nn.Module, *inputs: Any) -> Any:
        """Compute flows of the stage's network, and their scale; see `stage_output`."""
        assert isinstance(network, FlowNet2)
        return stage_output(network, *inputs)

    def loss(self, batch: Any) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Compute the stage's loss, and its finest flow's end-point error in px."""
        first, second, target = batch
        stage, _ = self.recipe.stage(self.step)
        flows = self.forward(stage, normalised(first, second))
        loss, error = stage_loss(stage, flows, target)
        return loss, {"epe": error}

    def after_step(self) -> Mapping[str, float]:
        """Rescale FlowNetSD's flows to the published unit at the end of its stage."""
        last = self.recipe.stage(self.step - 1)
        if last == (SMALL_STAGE, self.recipe.steps[SMALL_STAGE] - 1):
            change_unit(self.network.get_submodule(SMALL_STAGE), DIVISOR)
        return {}


def _tensor(pictures: np.ndarray) -> Tensor:
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float()


def initialise(layer: nn.Module) -> None:
    """Initialise weights as He et al. for LeakyReLU, biases with zero."""
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.kaiming_normal_(layer.weight, 0.1)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)


def shrink_heads(network: FlowNet2) -> None:
    """Make the heads' first weights small, so that first flows are close to zero."""
    for name, layer in network.named_modules():
        if name.split(".")[-1].startswith("predict_flow"):
            assert isinstance(layer, nn.Conv2d)
            layer.weight.data *= 0.1


def both_ways(pairs: Pairs) -> Pairs:
    """Add the pairs turned by 180 degrees, so that no direction is in the majority."""
    first, second = (
        np.concatenate([each, each[:, ::-1, ::-1]])
        for each in (pairs.first, pairs.second)
    )
    flow = np.concatenate([pairs.flow, -pairs.flow[:, :, ::-1, ::-1]])
    return Pairs(first, second, flow)


@torch.no_grad()
def change_unit(network: nn.Module, factor: float) -> None:
    """Multiply the flows of a pyramid network by a factor, and change nothing else.

    FlowNetSD is trained in pixels, and gives flow times 20 as published: its heads are
    multiplied, and what reads its own flow is divided.
    """
    parts = dict(network.named_modules())
    for level in LEVELS:
        for parameter in parts[f"predict_flow{level}"].parameters():
            parameter *= factor
    for level in DECODED:
        parts[f"upsampled_flow{level + 1}_to_{level}"].bias *= factor
        parts[f"inter_conv{level}.0"].weight[:, -2:] /= factor
        if f"deconv{level - 1}.0" in parts:
            parts[f"deconv{level - 1}.0"].weight[-2:] /= factor


def stage_output(network: FlowNet2, stage: Stage, pair_b6hw: Tensor) -> list[Tensor]:
    """Compute flows of a stage's network, coarsest first; the fusion gives one.

    The networks before it are frozen.
    """
    with torch.no_grad():
        inputs = _inputs(network, stage, pair_b6hw)
    output = network.get_submodule(stage)(inputs)
    return [output] if stage == "flownetfusion" else output


def _inputs(network: FlowNet2, stage: Stage, pair_b6hw: Tensor) -> Tensor:
    """Compute the input of a stage's network from those before it."""
    if stage == "flownets_1":
        return network.before_s1(pair_b6hw)
    if stage == "flownets_2":
        return network.before_s2(pair_b6hw)
    return network.before_fusion(pair_b6hw) if stage == "flownetfusion" else pair_b6hw


def stage_loss(
    stage: Stage, flows: Sequence[Tensor], target_b2hw: Tensor
) -> tuple[Tensor, Tensor]:
    """Compute a stage's loss, and the end-point error in px of its finest flow."""
    if stage == "flownetfusion":
        error = _distance(flows[-1], target_b2hw)
        return error, error.detach()
    scale = 1.0 if stage == SMALL_STAGE else 1 / DIVISOR
    loss = pyramid_loss(flows, scale * target_b2hw)
    finest = flows[-1].detach()
    return loss, _distance(finest / scale, _shrunk(target_b2hw, finest))


def pyramid_loss(flows: Sequence[Tensor], target_b2hw: Tensor) -> Tensor:
    """Compute FlowNet's loss: weighted end-point errors at five sizes, pixels summed.

    Args:
        flows: coarsest first, as the networks give them.
        target_b2hw: at the pictures' size, in the networks' own scale.
    """
    # ASSUME: section 3.2 takes a trained FlowNet2; the sum over pixels is Caffe's,
    # which FlowNet's weights of the levels were chosen for.
    terms = []
    for weight, flow in zip(LEVEL_WEIGHTS, flows, strict=True):
        pixels = flow.shape[2] * flow.shape[3]
        terms.append(weight * pixels * _distance(flow, _shrunk(target_b2hw, flow)))
    return torch.stack(terms).sum()


def _shrunk(target_b2hw: Tensor, flow: Tensor) -> Tensor:
    """Average the target flow over pixels to the size of another flow."""
    size = flow.shape[2], flow.shape[3]
    return nn.functional.adaptive_avg_pool2d(target_b2hw, size)


def _distance(output_b2hw: Tensor, target_b2hw: Tensor) -> Tensor:
    """Average end-point errors, held off zero, where there is no gradient."""
    squared = (output_b2hw - target_b2hw).square().sum(dim=1)
    return (squared + 1e-8).sqrt().mean()
