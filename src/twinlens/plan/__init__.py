"""Plan a world's jobs: which file, which settings, for which job.

Typed, and without PyTorch, OpenCV or Snakemake. The rules ask for paths and settings;
what they pass to a job is the very dataclass that its stage takes, as JSON.

    world       the config, typed
    check       its faults in words; crosscheck: those between its sections
    registry    the tables and figures that there are
    methods     methods, rows of tables, networks and their recipes
    data        data sets: parts, shards, digests of their files
    shards      frames, low resolution, super-resolved frames, flow
    networks    networks that are imported or trained, patch sets
    scores      scores of rows by recognisers
    tables      what tables and figures read and show, what `all` asks for
    explorer    the page that shows all of it
    reference   the schema and the docs of the config
"""

import functools
from collections.abc import Mapping
from typing import Any

from twinlens import provenance
from twinlens.flow import estimators
from twinlens.plan.check import load
from twinlens.plan.data import Data
from twinlens.plan.explorer import Explorer
from twinlens.plan.methods import Methods
from twinlens.plan.networks import Networks
from twinlens.plan.scores import Scores
from twinlens.plan.shards import Shards
from twinlens.plan.tables import Tables
from twinlens.plan.world import World


class Plan:
    """The jobs of a world."""

    def __init__(self, world: World) -> None:
        """Take the world."""
        self.world = world
        self.data, self.methods = Data(world), Methods(world)
        self.root = self.data.root
        self.shards = Shards(world, self.data, self.methods)
        self.networks = Networks(world, self.shards, self.methods)
        self.scores = Scores(world, self.networks)
        self.tables = Tables(world, self.scores)
        self.explorer = Explorer(self.tables)
        self.threads = world.resources.threads
        self.gpus = world.resources.gpus
        self.gpu = min(1, self.gpus)
        self.training_cpus = max(1, self.gpus) * (
            self.threads + world.resources.workers
        )

    def flow_gpu(self, flow: str) -> int:
        """GPUs of a job of an estimator, if the world has some."""
        return self.gpu if estimators.takes_gpu(self.world.flows[flow]) else 0

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> "Plan":
        """The plan of a config.

        Raises:
            ConfigError: the config can't be used; all that is wrong with it.
        """
        return cls(load(config))


@functools.cache
def code(*modules: str) -> str:
    """Digest of the code that a job imports: modules below `twinlens`, and theirs."""
    return provenance.code_digest(*(f"twinlens.{module}" for module in modules))
