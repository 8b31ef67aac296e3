"""Which files and folders a world's config names; the standard library only."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twinlens.plan import Plan


@dataclass(frozen=True, kw_only=True, slots=True)
class Need:
    """A file or folder that a config names."""

    what: str
    """What it is to the world."""
    path: str | None
    """Where it is looked for; None where the config names nothing."""
    remedy: str
    """What to do if it is not there."""
    folder: bool = False
    """Whether it is a folder; else it is a file."""

    @property
    def missing(self) -> bool:
        """Whether it is not there."""
        if self.path is None:
            return True
        path = Path(self.path)
        return not (path.is_dir() if self.folder else path.is_file())

    @property
    def line(self) -> str:
        """Say in a line what is missing and what to do."""
        where = f"looked for {self.path}; " if self.path else ""
        return f"{self.what}: {where}{self.remedy}"


def missing(plan: "Plan") -> list[str]:
    """Say in lines all that is missing."""
    return list(dict.fromkeys(need.line for need in needs(plan) if need.missing))


def needs(plan: "Plan") -> Iterator[Need]:
    """List all files and folders that a world's selected parts name."""
    yield from _datasets(plan)
    yield from _corpora(plan)
    yield from _networks(plan)
    yield from _recognisers(plan)


def _datasets(plan: "Plan") -> Iterator[Need]:
    for name in plan.world.select.datasets:
        entry = plan.world.datasets[name]
        if not entry.generated and not entry.videos:
            yield Need(
                what=f"videos of data set {name}",
                path=None,
                remedy=f"set datasets.{name}.videos",
            )
        for key in ("videos", "splits", "split_file"):
            if path := getattr(entry, key):
                yield Need(
                    what=f"{key} of data set {name}",
                    path=path,
                    folder=key != "split_file",
                    remedy=f"put them there, set datasets.{name}.{key}, or --config"
                    " data=FOLDER",
                )


def _corpora(plan: "Plan") -> Iterator[Need]:
    for name in plan.methods.corpora(plan.tables.methods_read):
        entry = plan.world.datasets[name]
        if not entry.generated:
            yield Need(
                what=f"videos of corpus {name}",
                path=entry.videos,
                folder=True,
                remedy=f"put videos there, set datasets.{name}.videos, or --config"
                " data=FOLDER",
            )


def _networks(plan: "Plan") -> Iterator[Need]:
    """What training super-resolution and computing flow need."""
    world = plan.world
    networks = plan.methods.networks(plan.tables.methods_read)
    for name, network in networks.items():
        key = name.replace("/", ".") if "/" in name else f"methods.{name}"
        yield from _file(network.weights, f"weights of {name}", f"{key}.weights")
    if any(
        each.trained and each.recipe.loss.kind == "sosr" for each in networks.values()
    ):
        perceptual = world.training.perceptual.weights
        yield from _file(
            perceptual, "perceptual network", "training.perceptual.weights"
        )
    for flow in dict.fromkeys([*plan.networks.flows_used, world.quality.flow]):
        weights = getattr(world.flows[flow], "weights", None)
        yield from _file(weights, f"weights of {flow}", f"flows.{flow}.weights")


def _recognisers(plan: "Plan") -> Iterator[Need]:
    for name in plan.world.select.recognisers:
        for dataset in plan.world.select.datasets:
            for key, network in plan.networks.of_recogniser(name, dataset).items():
                of = "" if network.shared else f" of {dataset}"
                what = f"weights of {name}, {key}{of}"
                yield from _file(network.weights, what, f"recognisers.{name}")


def _file(path: str | None, what: str, key: str) -> Iterator[Need]:
    if path:
        yield Need(what=what, path=path, remedy=f"put it there, or set {key}")
