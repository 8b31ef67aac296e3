"""Methods and their networks: what a row of a table reads, how a network is trained."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from twinlens.plan.world import World
from twinlens.training.recipe import Recipe

HR = "hr"
"""The method that is the original frames."""


class Row(NamedTuple):
    """The methods whose frames and whose flow a row of a table reads."""

    frames_of: str
    flow_of: str

    @property
    def name(self) -> str:
        """How files of it are named: a method, or "a+b"."""
        return "+".join(dict.fromkeys(self))

    @classmethod
    def of(cls, name: str) -> "Row":
        """The row that a file's name stands for."""
        first, *more = name.split("+")
        return cls(first, more[0] if more else first)


@dataclass(frozen=True, kw_only=True, slots=True)
class Network:
    """A super-resolution network: a method's own, or one that several start from."""

    name: str
    """The method, or `starts/<start>`."""
    model: str
    settings: dict[str, Any]
    weights: str | None
    """A published file."""
    recipe_given: dict[str, Any] | None
    """How it is trained: training.recipe with its own changes; None for no training."""
    start: str | None
    """The network whose weights it starts from."""

    @property
    def trained(self) -> bool:
        """Whether it is trained here."""
        return self.weights is None and self.recipe_given is not None

    @property
    def recipe(self) -> Recipe:
        """How it is trained."""
        return Recipe(**(self.recipe_given or {}))


class Methods:
    """The methods of a world."""

    def __init__(self, world: World) -> None:
        """Take the world."""
        self.world = world

    def row(self, method: str) -> Row:
        """What the row of a method, or of a pair of two, reads."""
        entry = self.world.methods[method]
        return Row(entry.frames_of or method, entry.flow_of or method)

    def members(self, shown: Iterable[str]) -> list[str]:
        """Methods whose frames or flow some rows read, each once."""
        return list(dict.fromkeys(each for name in shown for each in self.row(name)))

    def network(self, name: str) -> Network:
        """A network by name: a method, or `starts/<start>`."""
        kind, _, key = name.rpartition("/")
        entry = (self.world.starts if kind else self.world.methods)[key]
        start = getattr(entry, "start", None)
        base = self.world.starts[start] if start else entry
        recipe = entry.recipe
        if recipe is not None:
            recipe = {**self.world.training.recipe, **recipe}
        return Network(
            name=name,
            model=base.model or "",
            settings=base.settings,
            weights=entry.weights,
            recipe_given=recipe,
            start=f"starts/{start}" if start else None,
        )

    def modules(self, network: str) -> list[str]:
        """The module of a network."""
        return [f"models.{self.network(network).model}"]

    def networks(self, shown: Iterable[str]) -> dict[str, Network]:
        """The networks with weights behind some rows, starts included, by name."""
        found: dict[str, Network] = {}
        for name in self.members(shown):
            network = self.network(name)
            if network.weights or network.recipe_given is not None:
                found[name] = network
            if network.start:
                found[network.start] = self.network(network.start)
        return found

    def corpus(self, network: Network) -> str:
        """The data set whose videos a network is trained on."""
        corpus: str = self.world.patches[network.recipe.patches].corpus
        return corpus

    def patch_sets(self, shown: Iterable[str]) -> list[str]:
        """The patch sets that the networks behind some rows are trained on."""
        found = self.networks(shown).values()
        return sorted({each.recipe.patches for each in found if each.trained})

    def corpora(self, shown: Iterable[str]) -> list[str]:
        """The corpora that these patch sets are cut from."""
        patches = self.world.patches
        return sorted({patches[each].corpus for each in self.patch_sets(shown)})

    def origin(self, name: str) -> str:
        """Where a method's weights come from, in words for a table."""
        entry = self.world.methods[name]
        members = {"spatial": entry.frames_of, "temporal": entry.flow_of}
        pair = [f"{stream} of {each}" for stream, each in members.items() if each]
        if pair or not (entry.model or entry.start):
            text = ", ".join(pair) or "the original frames"
        else:
            text = self._weights(self.network(name))
        return "; ".join([text, *([entry.note] if entry.note else [])])

    def _weights(self, network: Network) -> str:
        if network.weights:
            return f"published weights {Path(network.weights).name}"
        if network.recipe_given is None:
            return "nothing is learnt"
        recipe = network.recipe
        loss = "MSE" if recipe.loss.kind == "mse" else f"{recipe.loss.kind} loss"
        corpus = self.world.datasets[self.corpus(network)]
        where = corpus.label + " (generated)" * bool(corpus.generated)
        text = f"trained here on {where}, {loss}, bicubic low resolution"
        text += f", {recipe.steps:,} steps"
        if network.start:
            text += f", after {self._weights(self.network(network.start))}"
        return text
