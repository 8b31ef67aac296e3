"""Networks on disk: published ones to import, others to train, and on what."""

from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from twinlens import provenance, recognisers, weights
from twinlens.errors import PlanError
from twinlens.flow import estimators
from twinlens.flow.flownet2.recipe import FlowTraining
from twinlens.flow.settings import FlowErrorJob
from twinlens.networks import families
from twinlens.networks.job import Build, Import
from twinlens.patches.settings import Counting, Cutting, PatchSettings
from twinlens.perceptual.recipe import PerceptualTraining
from twinlens.plan import registry
from twinlens.plan.methods import Methods
from twinlens.plan.shards import Shards
from twinlens.plan.world import World
from twinlens.settings import shared
from twinlens.training.recipe import SrTraining

PERCEPTUAL = "vgg"


class Published(NamedTuple):
    """Weights that the config names a file of."""

    file: str | None
    job: Import


class Networks:
    """The networks of a world, of all families."""

    def __init__(self, world: World, shards: Shards, methods: Methods) -> None:
        """Take the world, its shards and methods."""
        self.world, self.shards, self.methods = world, shards, methods
        self.data, self.root = shards.data, shards.root

    def _file(self, family: str, name: str, published: str | None) -> str:
        """Where a network's artifact lies: imported if the config names its weights."""
        origin = "published" if published else "trained"
        return f"{self.root}/networks/{family}/{origin}/{name}.h5"

    # Published weights

    def published(self, family: str, name: str) -> Published:
        """A published network: its file, and how it is imported.

        Raises:
            PlanError: the config names no such file.
        """
        find = {
            "sr": self._published_sr,
            "recogniser": self._published_recogniser,
            "flow": self._published_flow,
            "perceptual": self._published_perceptual,
        }
        file, settings = find[family](name)
        if not file:
            raise PlanError(f"the config names no published weights of {name}")
        job = Import(**{"family": family, "network": name, **settings})
        return Published(file, job)

    def _published_sr(self, name: str) -> tuple[str | None, dict[str, Any]]:
        network = self.methods.network(name)
        return network.weights, {"kind": network.model, "settings": network.settings}

    def _published_recogniser(self, name: str) -> tuple[str | None, dict[str, Any]]:
        recogniser, *of, key = name.split("-")
        dataset = of[0] if of else recognisers.STILLS
        network = self.of_recogniser(recogniser, dataset)[key]
        settings = {
            "family": network.family,
            "kind": network.kind,
            "settings": network.settings,
        }
        stream = key if of else "spatial"
        return network.weights, settings | {"dataset": dataset, "stream": stream}

    def _published_flow(self, name: str) -> tuple[str | None, dict[str, Any]]:
        entry = self.world.flows[name]
        return entry.weights, {"kind": estimators.module(entry.kind).NETWORK}

    def _published_perceptual(self, name: str) -> tuple[str | None, dict[str, Any]]:
        entry = self.world.training.perceptual
        settings = {"inputs": entry.inputs} if entry.inputs else {}
        return entry.weights, {"kind": PERCEPTUAL, "settings": settings}

    def published_classes(self, family: str, name: str) -> list[str]:
        """The classes of a recogniser's data set; nothing for other networks."""
        dataset = self.published(family, name).job.dataset
        if dataset in {None, recognisers.STILLS}:
            return []
        return [self.classes(str(dataset))]

    def fingerprint(self, family: str, name: str) -> str:
        """Digest of a published file, so that another in its place is noticed.

        Raises:
            PlanError: it can't be read.
        """
        file = Path(self.published(family, name).file or "")
        try:
            (digest,) = self.data.contents.of([file], f"weights of {name}")
        except OSError as error:
            raise PlanError(f"{file}: can't be read: {error.strerror}") from error
        return digest

    def import_modules(self, family: str, name: str) -> list[str]:
        """The modules of an import: the network's file, all readers of weights."""
        job = self.published(family, name).job
        found = [families.dotted(job.family, job.kind), *weights.MODULES]
        return [
            "networks.importer",
            *(each.removeprefix("twinlens.") for each in found),
        ]

    def builds(self) -> list[Build]:
        """The networks that the tables need, each with its settings, once."""
        found: dict[str, Build] = {}
        for each in (*self._sr_builds(), *self._recogniser_builds()):
            found.setdefault(f"{each.family} {each.kind} {each.settings}", each)
        return list(found.values())

    def _sr_builds(self) -> Iterator[Build]:
        shown = registry.methods_read(self.world)
        networks = self.methods.networks(shown)
        # Starts first: a method that begins there has their settings.
        for name, network in sorted(
            networks.items(), key=lambda each: "/" not in each[0]
        ):
            where = name.replace("/", ".") if "/" in name else f"methods.{name}"
            yield Build(
                where=f"{where}.settings",
                family="sr",
                kind=network.model,
                settings=dict(network.settings),
            )

    def _recogniser_builds(self) -> Iterator[Build]:
        for name in self.world.select.recognisers:
            for dataset in self.world.select.datasets:
                for key, network in self.of_recogniser(name, dataset).items():
                    recipe = getattr(network.job, "recipe", None)
                    if recipe and not network.weights:
                        yield Build(
                            where=f"recognisers.{name}.training.{key}.settings",
                            family=network.family,
                            kind=network.kind,
                            settings={
                                "classes": 2,
                                **network.settings,
                                **getattr(recipe, "settings", {}),
                            },
                        )

    # Super-resolution

    def sr_file(self, name: str) -> list[str]:
        """A method's or start's network; nothing for one without weights."""
        network = self.methods.network(name)
        if network.weights or network.recipe_given is not None:
            return [self._file("sr", name, network.weights)]
        return []

    def sr_training(self, name: str) -> SrTraining:
        """A training of super-resolution."""
        network = self.methods.network(name)
        training = self.world.training
        perceptual = network.recipe.loss.kind == "sosr"
        return SrTraining(
            network=name,
            model=network.model,
            settings=network.settings,
            recipe=network.recipe,
            split=training.split,
            corpus=self.methods.corpus(network),
            start=network.start,
            after_relu=training.perceptual.after_relu if perceptual else True,
            seed=provenance.seed(self.world.seed, "sr"),
        )

    def start_file(self, name: str) -> list[str]:
        """The network whose weights a training starts from; nothing for random ones."""
        start = self.methods.network(name).start
        return self.sr_file(start) if start else []

    def perceptual_file(self, name: str) -> list[str]:
        """The perceptual network, for a training by the loss that needs it."""
        if self.methods.network(name).recipe.loss.kind != "sosr":
            return []
        published = self.world.training.perceptual.weights
        return [self._file("perceptual", PERCEPTUAL, published)]

    def perceptual_training(self) -> PerceptualTraining:
        """The training of the perceptual network."""
        return PerceptualTraining(
            network=PERCEPTUAL,
            recipe=self.world.training.perceptual.recipe,
            seed=provenance.seed(self.world.seed, "perceptual"),
        )

    # Patches

    def patch_files(self, patches: str, ending: str = "h5") -> list[str]:
        """The shards of a patch set, or their counts."""
        corpus = self.world.patches[patches].corpus
        return [
            f"{self.root}/patches/{patches}/{shard}.{ending}"
            for shard in self.data.shards(corpus, "corpus")
        ]

    def training_patches(self, name: str) -> list[str]:
        """The patches that a network is trained on."""
        return self.patch_files(self.methods.network(name).recipe.patches)

    def patch_frames(self, patches: str, shard: str) -> list[str]:
        """A corpus shard's frames."""
        corpus = self.world.patches[patches].corpus
        return self.shards.original_files(corpus, "corpus", shard)

    def patch_motion(self, patches: str, shard: str) -> str:
        """A corpus shard's motion."""
        entry = self.world.patches[patches]
        of = entry.corpus, entry.flow, entry.gap
        return self.shards.motion_file(*of, "corpus", shard)

    def cutting(self, patches: str) -> Cutting:
        """A shard of a patch set to cut."""
        entry = self.world.patches[patches]
        return Cutting(
            patches=patches,
            dataset=entry.corpus,
            flow=entry.flow,
            gap=entry.gap,
            settings=shared(PatchSettings, entry),
            seed=provenance.seed(self.world.seed, "patches"),
        )

    def counting(self, patches: str) -> Counting:
        """A patch set to count."""
        corpus = self.world.datasets[self.world.patches[patches].corpus]
        return Counting(
            patches=patches,
            corpus=corpus.label,
            paper=corpus.paper,
            split=self.world.training.split,
            seed=provenance.seed(self.world.seed, "sr"),
        )

    # Flow

    def flow_network(self, flow: str) -> list[str]:
        """The network of a flow estimator; nothing for one that is none."""
        entry = self.world.flows[flow]
        if not hasattr(estimators.module(entry.kind), "NETWORK"):
            return []
        return [self._file("flow", flow, entry.weights)]

    def flow_training(self, flow: str) -> FlowTraining:
        """The training of FlowNet2.

        Raises:
            PlanError: it is another network.
        """
        entry = self.world.flows[flow]
        if entry.kind != "flownet2":
            raise PlanError(
                f"flows.{flow}: networks of {entry.kind} are not trained here; name"
                " published weights"
            )
        return FlowTraining(
            network=flow,
            width=entry.width,
            recipe=entry.recipe,
            seed=provenance.seed(self.world.seed, "flownet2"),
        )

    @cached_property
    def flows_used(self) -> list[str]:
        """The flow estimators that the tables depend on, networks first."""
        shown = registry.methods_read(self.world)
        used = {
            self.world.patches[each].flow for each in self.methods.patch_sets(shown)
        }
        for name in self.world.select.recognisers:
            used.add(self.world.recognisers[name].flow)
        names = [name for name in self.world.flows if name in used]
        return sorted(names, key=lambda name: not self.flow_network(name))

    def flow_error_networks(self) -> list[str]:
        """The networks of the estimators whose error is measured, in their order."""
        return [file for flow in self.flows_used for file in self.flow_network(flow)]

    def flow_error_job(self) -> FlowErrorJob:
        """The end-point errors to measure."""
        return FlowErrorJob(
            estimators={
                self.world.flows[name].label: estimators.deciding(
                    self.world.flows[name]
                )
                for name in self.flows_used
            },
            seed=provenance.seed(self.world.seed, "flownet2"),
        )

    def flow_error_modules(self) -> list[str]:
        """The modules of the estimators whose error is measured."""
        return [
            each for flow in self.flows_used for each in self.shards.flow_modules(flow)
        ]

    # Recognisers

    def classes(self, dataset: str) -> str:
        """The list of a data set's classes."""
        return f"{self.root}/manifest/{dataset}/classes.csv"

    def of_recogniser(
        self, recogniser: str, dataset: str
    ) -> dict[str, recognisers.Network]:
        """The networks of a recogniser on a data set, by their names within it."""
        entry = self.world.recognisers[recogniser]
        seed = provenance.seed(self.world.seed, "sampling")
        found: dict[str, recognisers.Network] = recognisers.module(entry.kind).networks(
            entry, recogniser, dataset, seed
        )
        return found

    def recogniser_file(self, recogniser: str, dataset: str, key: str) -> str:
        """A network of a recogniser."""
        network = self.of_recogniser(recogniser, dataset)[key]
        where = [recogniser, *([] if network.shared else [dataset]), key]
        return self._file("recogniser", "-".join(where), network.weights)

    def recogniser_starts(self, recogniser: str, dataset: str, key: str) -> list[str]:
        """The networks whose weights a training of a recogniser starts from."""
        starts = self.of_recogniser(recogniser, dataset)[key].starts
        return [self.recogniser_file(recogniser, dataset, each) for each in starts]

    def recogniser_job(self, recogniser: str, dataset: str, key: str) -> Any:
        """How a network of a recogniser is trained.

        Raises:
            PlanError: it is only taken as published.
        """
        job = self.of_recogniser(recogniser, dataset)[key].job
        if job is None:
            raise PlanError(f"{recogniser}: {key} is not trained, but published")
        return job

    def training_frames(self, recogniser: str, dataset: str, key: str) -> list[str]:
        """The original frames that a recogniser's network is trained on."""
        if "frames" not in self.of_recogniser(recogniser, dataset)[key].inputs:
            return []
        return [
            file
            for shard in self.data.shards(dataset, "train")
            for file in self.shards.original_files(dataset, "train", shard, recogniser)
        ]

    def training_flow(self, recogniser: str, dataset: str, key: str) -> list[str]:
        """The originals' flow that a recogniser's network is trained on."""
        if "flow" not in self.of_recogniser(recogniser, dataset)[key].inputs:
            return []
        return [
            file
            for shard in self.data.shards(dataset, "train")
            for file in self.shards.flow_files(
                recogniser, dataset, "hr", "train", shard
            )
        ]

    def training_modules(self, recogniser: str, dataset: str, key: str) -> list[str]:
        """The modules that train a network of a recogniser."""
        of = self.recogniser_modules(recogniser, "TRAIN", [key], dataset)
        return ["recognition.stage", *of]

    def recogniser_modules(
        self, recogniser: str, what: str, keys: Iterable[str], dataset: str
    ) -> list[str]:
        """The modules that train or score networks of a recogniser.

        Args:
            recogniser: its name.
            what: "TRAIN" or "SCORE".
            keys: the networks.
            dataset: on which.
        """
        kind = self.world.recognisers[recogniser].kind
        home = getattr(recognisers.module(kind), what).partition(":")[0]
        networks = self.of_recogniser(recogniser, dataset)
        used = [networks[key] for key in keys]
        files = {families.dotted(each.family, each.kind) for each in used}
        own = sorted(each.removeprefix("twinlens.") for each in files)
        return [f"recognisers.{kind}", home, *own]
