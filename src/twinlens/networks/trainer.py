"""The trainer of every network: steps, log, checkpoints, on one device or several.

Batches and rates are pure functions of the job and the step, and everything else stands
in the checkpoint, so that a training that was killed resumes to the same bits.
"""

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from lightning_fabric.strategies.ddp import DDPStrategy
from numpy.typing import ArrayLike
from torch import Tensor, nn
from torch.multiprocessing.spawn import ProcessExitedException

from twinlens.artifacts.publish import locked
from twinlens.errors import ArtifactError
from twinlens.networks import checkpoint, live, stop
from twinlens.networks.checkpoint import Checkpoint
from twinlens.networks.device import repeatable
from twinlens.progress import say, track

COLUMNS = ("step", "lr", "loss")
"""Of every log; a training adds its own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """Where and how a training runs: plain values, that other processes can take."""

    name: str
    """Of what is trained, for people."""
    about: dict[str, Any]
    """Of the artifact, see `artifact.about`."""
    out: Path
    """The artifact; checkpoints lie beside it."""
    seed: int
    """Of the first weights."""
    threads: int = 1
    """Of torch on the CPU; other numbers give other last digits."""
    devices: int = 1
    """GPUs (or CPU processes) that share a batch."""
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    """Of the arithmetic, as Lightning Fabric names it."""
    parts_unused: bool = False
    """Whether a step may leave parameters without a gradient; for several devices."""

    @property
    def checkpoint(self) -> Path:
        """The file of its checkpoints."""
        return checkpoint.path_beside(self.out, self.about["id"])


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """What a finished training gives."""

    state: dict[str, Tensor]
    """Of the network."""
    log: pd.DataFrame
    """A row a step: `COLUMNS` and the training's own."""
    facts: dict[str, Any]
    """What the training found out beside it."""


@contextmanager
def trained(make: Callable[[Fabric, Run], "Trainer"], run: Run) -> Iterator[Result]:
    """Train on one device, or on several of this machine, for a block that publishes.

    Where another process has the same training, it is waited for, and its checkpoint
    taken. The last checkpoint brings the result here: what another process returned
    would end with it. It is finished when the block has published the result.

    Args:
        make: gives the trainer; it is called in each process.
        run: where and how.

    Raises:
        ArtifactError: the loss was not finite, or an input can't be used.
    """
    fabric = Fabric(
        accelerator="cuda" if torch.cuda.is_available() else "cpu",
        devices=run.devices,
        strategy=_shared(run) if run.devices > 1 else "auto",
        precision=run.precision,
        # A cluster's variables describe the job as a whole, not the processes here.
        plugins=[LightningEnvironment()],
        loggers=live.loggers(run.out, run.about["id"]),
    )
    with locked(run.checkpoint, ".training"):
        _launch(fabric, partial(_fit, make=make, run=run))
        last = checkpoint.load(run.checkpoint, run.about["id"])
        log = pd.DataFrame(last.log, columns=list(last.columns)).astype({"step": int})
        yield Result(state=last.network, log=log, facts=last.facts)
        checkpoint.finish(run.checkpoint)
        with live.optional():
            live.path_beside(run.out).unlink(missing_ok=True)


def _shared(run: Run) -> DDPStrategy:
    """Gradients shared by processes."""
    unused = run.parts_unused
    return DDPStrategy(start_method="spawn", find_unused_parameters=unused)


def _launch(fabric: Fabric, fit: Callable[[Fabric], None]) -> None:
    """Run in this process, or in processes of its own, which it outlives."""
    if fabric.world_size == 1:
        return fabric.launch(fit)
    with stop.listening(stop.ask_first_child) as stopped:
        try:
            fabric.launch(fit)
        except ProcessExitedException:
            if not stopped.asked:
                raise
            stop.end("SIGTERM: its first process saved")


def _fit(fabric: Fabric, make: Callable[[Fabric, Run], "Trainer"], run: Run) -> None:
    """Every step of a training, in each of its processes."""
    repeatable(run.threads)
    try:
        make(fabric, run).fit()
    finally:
        with live.optional():
            for logger in fabric.loggers:
                logger.finalize("")


class Trainer(ABC):
    """A network under training; a subclass says what it is and what it learns from.

    Attributes:
        step: how many steps are done.
        part: which part of a batch `loss` is asked for.
        network: as it is stored; `forward` runs it.
        facts: what the training found out; JSON, it is in each checkpoint.
    """

    clip: float | None = None
    """Largest norm of all gradients together."""
    measures: tuple[str, ...] = ()
    """Columns of the log that `after_step` may fill."""

    def __init__(self, fabric: Fabric, run: Run, steps: int) -> None:
        """Build the network, or resume from the checkpoint of the same job.

        Args:
            fabric: the devices.
            run: where and how.
            steps: how many there are.
        """
        self.fabric, self.run, self.steps = fabric, run, steps
        self.step, self.part, self.facts = 0, 0, dict[str, Any]()
        self._columns, self._log = list[str](), np.zeros((0, 0))
        self._fresh: list[tuple[list[float], Tensor]] = []
        torch.manual_seed(run.seed)
        # Before the optimiser: its state is loaded to where the parameters are.
        self.network = self.build().to(fabric.device).train()
        self.optimizer = self.build_optimizer()
        self._resume()
        forward = _Forward(self.network, self.output)
        both: Any = fabric.setup(forward, self.optimizer)
        self.forward, self.optimizer = both
        self._saved = time.monotonic()
        self._live = live.Live(run.name, run.out, steps)

    # --- What a training is

    @abstractmethod
    def build(self) -> nn.Module:
        """The network with its first weights."""

    @abstractmethod
    def build_optimizer(self) -> torch.optim.Optimizer:
        """The optimiser of `network`; a group's `times` multiplies the rate."""

    @abstractmethod
    def rate(self, step: int) -> float:
        """The learning rate of a step."""

    @abstractmethod
    def batches(self, first: int) -> Iterable[Any]:
        """The batches of all steps from `first` on: this process's part of each."""

    @abstractmethod
    def loss(self, batch: Any) -> tuple[Tensor, Mapping[str, Tensor]]:
        """What step `self.step` minimises, and further columns of the log."""

    def parts(self, batch: Any) -> Sequence[Any]:
        """Equal parts of a batch, for `loss`, whose gradients are averaged."""
        return [batch]

    def output(self, network: nn.Module, *inputs: Any) -> Any:
        """What `self.forward` computes, on shared devices and in lower precision."""
        return network(*inputs)

    def after_step(self) -> Mapping[str, float]:
        """Look at what `self.step` steps gave; columns of the log."""
        return {}

    # --- How it goes

    @property
    def is_first(self) -> bool:
        """Whether this process reports and saves."""
        return bool(self.fabric.is_global_zero)

    def fit(self) -> None:
        """Take all steps that are left."""
        batches, label = self.on_device(self.step), f"train {self.run.name}"
        if self.is_first:
            batches = track(batches, label, "steps", self.steps, done=self.step)
        on_stop = None if self.is_first else stop.let_next_end
        # Closed, or processes that read ahead would be waited for without end.
        with stop.listening(on_stop) as stopped, closing(batches):
            for batch in batches:
                self.update(batch)
                if stopped.asked and self.is_first:
                    self.save()
                    stop.end(f"{self.run.name}: SIGTERM: saved at step {self.step}")
        self.save()

    def on_device(self, first: int) -> Generator[Any, None, None]:
        """The batches from a step on, where the network is."""
        for batch in self.batches(first):
            yield self.fabric.to_device(batch)

    def update(self, batch: Any) -> None:
        """Take one step."""
        rate = self.rate(self.step)
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group.get("times", 1.0)
        self.optimizer.zero_grad()
        loss, columns = self._gradients(batch)
        if self.clip:
            nn.utils.clip_grad_norm_(self.network.parameters(), self.clip)
        self.optimizer.step()
        self.step += 1
        self._note(rate, loss, columns, self.after_step())
        if time.monotonic() - self._saved > checkpoint.SECONDS_BETWEEN:
            self.save()
        if self.is_first and self._live.is_due:
            self._flush()
            with live.optional():
                self._live.draw(self._columns, self._log)

    def _gradients(self, batch: Any) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Compute a step's gradients; its loss and columns are the parts' means."""
        found = []
        parts = self.parts(batch)
        for self.part, part in enumerate(parts):
            loss, columns = self.loss(part)
            self.fabric.backward(loss / len(parts))
            found.append({"loss": loss.detach(), **columns})
        means = {
            key: torch.stack([each[key].detach() for each in found]).mean(dim=0)
            for key in found[0]
        }
        return means.pop("loss"), means

    def _note(
        self,
        rate: float,
        loss: Tensor,
        columns: Mapping[str, Tensor],
        measured: Mapping[str, float],
    ) -> None:
        """Keep a row of the log; what lies on the device stays there for now."""
        self._columns = [*COLUMNS[:2], *self.measures, COLUMNS[2], *columns]
        known = [measured.get(name, math.nan) for name in self.measures]
        computed = torch.stack([loss, *columns.values()]).detach().float()
        self._fresh.append(([self.step - 1, rate, *known], computed))

    def _flush(self) -> None:
        """Move new rows of the log off the device."""
        if not self._fresh:
            return
        known = np.array([row for row, _ in self._fresh])
        computed = torch.stack([row for _, row in self._fresh]).double().cpu().numpy()
        refuse_nan(self.run.name, computed[:, 0], first=self.step - len(computed))
        fresh = np.concatenate([known, computed], axis=1)
        with live.optional():
            live.log_rows(self.fabric.loggers, self._columns, fresh)
        self._log = np.concatenate([self._log, fresh]) if len(self._log) else fresh
        self._fresh = []

    def save(self) -> None:
        """Publish a checkpoint."""
        if not self.is_first:
            return
        self._flush()
        found = Checkpoint(
            step=self.step,
            columns=self._columns,
            log=self._log,
            facts=self.facts,
            network=self.network.state_dict(),
        )
        checkpoint.save(self.run.checkpoint, self.run.about, found, self.optimizer)
        self._saved = time.monotonic()

    def _resume(self) -> None:
        path = self.run.checkpoint
        if not path.exists():
            return
        found = checkpoint.load(path, self.run.about["id"], self.optimizer)
        self.network.load_state_dict(found.network)
        self.step, self.facts = found.step, found.facts
        self._columns, self._log = list(found.columns), found.log
        if self.is_first:
            say(f"resuming at step {self.step} from {path}")


class _Forward(nn.Module):
    """A network as Fabric takes it: what precision and shared gradients cover."""

    def __init__(self, network: nn.Module, output: Callable[..., Any]) -> None:
        super().__init__()
        self.network, self.output = network, output

    def forward(self, *inputs: Any) -> Any:
        return self.output(self.network, *inputs)


def refuse_nan(name: str, values: ArrayLike, first: int, what: str = "loss") -> None:
    """Stop a training that diverged: its network would give numbers nevertheless.

    Args:
        name: of what is trained.
        values: (N,) of steps in a row.
        first: step of the first, from 0.
        what: "loss", or another word for what the values are.

    Raises:
        ArtifactError: one is not finite; the text has its step.
    """
    wrong = ~np.isfinite(np.asarray(values, dtype=np.float64))
    if wrong.any():
        raise ArtifactError(
            f"{name}: its {what} is not a finite number at step"
            f" {first + int(wrong.argmax()) + 1}: lower lr in its recipe, or"
            " look for a division by zero in its network"
        )
