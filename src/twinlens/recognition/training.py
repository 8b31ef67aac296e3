"""What trainings of all recognisers share: solver, rates, run, results."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor

from twinlens import provenance
from twinlens.artifacts.table import write_csv
from twinlens.errors import ArtifactError
from twinlens.networks import artifact, trainer
from twinlens.networks.recipe import SgdRecipe
from twinlens.networks.trainer import Run, Trainer
from twinlens.progress import say
from twinlens.recognition import optimizer


class SgdTrainer(Trainer):
    """A recogniser's network under training by SGD."""

    def __init__(self, fabric: Fabric, run: Run, recipe: SgdRecipe, seed: int) -> None:
        """Take the recipe, and the seed of dropout; see `Trainer`."""
        self.recipe, self.seed, self.clip = recipe, seed, recipe.clip
        super().__init__(fabric, run, recipe.steps)

    def group_settings(self) -> dict[str, Any]:
        """Further arguments of `optimizer.parameter_groups`."""
        return {}

    def build_optimizer(self) -> torch.optim.Optimizer:
        """Use SGD with momentum."""
        decay = self.recipe.weight_decay
        groups = optimizer.parameter_groups(
            self.network, decay, **self.group_settings()
        )
        return torch.optim.SGD(groups, self.recipe.lr, self.recipe.momentum)

    def rate(self, step: int) -> float:
        """Look the rate up in the recipe."""
        return self.recipe.rate(step)

    def parts(self, batch: Any) -> list[tuple[Sequence[Tensor], Tensor]]:
        """Cut inputs and labels of a batch into the recipe's parts."""
        inputs, labels = batch
        cut = [each.chunk(self.recipe.parts) for each in [*inputs, labels]]
        return [(images, label) for *images, label in zip(*cut, strict=True)]

    def seed_dropout(self) -> None:
        """Give a part's dropout its own seed: a resumed run drops the same units."""
        number = self.step * self.recipe.parts + self.part
        torch.manual_seed(provenance.seed(self.seed, "dropout", number))


def train(
    make: Callable[[Fabric, Run], SgdTrainer],
    about: Mapping[str, Any],
    out: Path,
    log: Path,
    recipe: SgdRecipe,
    seed: int,
    threads: int,
) -> None:
    """Train a network, publish it and its log.

    Args:
        make: gives the trainer.
        about: of the artifact, see `artifact.about`.
        out: HDF5 "network/1".
        log: csv with step, loss, accuracy and learning rate.
        recipe: how it is trained.
        seed: of the first weights.
        threads: CPU threads of torch.
    """
    run = Run(
        name=about["network"],
        about=dict(about),
        out=out,
        seed=seed,
        threads=threads,
        precision=recipe.precision,
    )
    with trainer.trained(make, run) as result:
        artifact.save(out, about, result.state)
        rows = result.log[["step", "loss", "accuracy", "lr"]]
        write_csv(log, "training/1", rows)
    last = rows.tail(max(1, len(rows) // 10))
    say(
        f"train {run.name}: loss {last['loss'].mean():.3f}, accuracy on training"
        f" crops {100 * last['accuracy'].mean():.1f} %"
    )


def originals(dataset: str) -> dict[str, str]:
    """What shards of training clips must say of themselves."""
    return {"dataset": dataset, "method": "hr", "part": "train"}


def no_clips(dataset: str) -> ArtifactError:
    """The error of a data set without training clips."""
    return ArtifactError(
        f"{dataset}: no training clips; name published weights in the config, or a"
        " split with training clips"
    )
