"""Tables and figures: what they read, show and wait for; what `all` asks for."""

from collections.abc import Iterable, Sequence
from functools import cached_property

from twinlens import provenance, recognisers
from twinlens.errors import PlanError
from twinlens.media import scan
from twinlens.named import nearest
from twinlens.plan import registry
from twinlens.plan.methods import HR
from twinlens.plan.registry import Spec
from twinlens.plan.scores import Scores
from twinlens.plan.world import World
from twinlens.tables.settings import (
    ClipChoice,
    Dataset,
    FigureJob,
    Layout,
    Method,
    TableJob,
)


class Tables:
    """The tables and figures of a world."""

    def __init__(self, world: World, scores: Scores) -> None:
        """Take the world and its scores."""
        self.world, self.scores = world, scores
        self.methods, self.data = scores.methods, scores.data
        self.root, self.shards = scores.root, scores.shards

    @cached_property
    def names(self) -> dict[str, Spec]:
        """All tables by name."""
        return registry.tables(self.world)

    @cached_property
    def figures(self) -> dict[str, Spec]:
        """All figures by name."""
        return registry.figures(self.world)

    @cached_property
    def methods_read(self) -> list[str]:
        """The methods whose frames or flow some table reads."""
        return registry.methods_read(self.world)

    def datasets(self, spec: Spec) -> list[str]:
        """The data sets that are read."""
        return self.data.originals if spec.originals else self.world.select.datasets

    def table_modules(self, name: str) -> list[str]:
        """The module of a table."""
        return [f"tables.{self.names[name].module}"]

    def figure_modules(self, name: str) -> list[str]:
        """The module of a figure."""
        return [f"figures.{self.figures[name].module}"]

    # Tables

    def table_inputs(self, name: str) -> list[str]:
        """What a table reads.

        Raises:
            PlanError: it can't be made; why, and what to change.
        """
        spec = self.names[name]
        if why := registry.reason(self.world, spec):
            raise PlanError(f"{name} can't be made: {why}")
        return self._inputs(spec, self.datasets(spec))

    def _inputs(self, spec: Spec, datasets: Iterable[str]) -> list[str]:
        found: list[str] = []
        if "scores" in spec.reads:
            found += self.score_files(spec, datasets)
        if "quality" in spec.reads:
            found += self.scores.quality_files(datasets)
        return found

    def score_files(
        self, spec: Spec, datasets: Iterable[str], shard: str | None = None
    ) -> list[str]:
        """The scores that a table or figure reads, of a shard or of all."""
        of, methods = spec.recogniser, spec.columns(self.world).values()
        rows = self.scores.stored_rows(of, methods, spec.inputs)
        return self.scores.files(of, rows, datasets, shard)

    def table_gates(self, name: str) -> list[str]:
        """What must stand before a table does, and is not read by it."""
        spec = self.names[name]
        return self._gates(spec, self.datasets(spec))

    def table_cautions(self, name: str) -> list[str]:
        """What a table warns of: each of its data sets' own file."""
        return [
            f"{self.root}/manifest/{each}/cautions.csv"
            for each in self.datasets(self.names[name])
        ]

    def _gates(self, spec: Spec, datasets: Iterable[str]) -> list[str]:
        """Manifests and counts.

        A manifest fails if too many clips of its data set were rejected, the counts of
        a patch set if no clip is left to train on. They are inputs of tables and of
        nothing that is costly: when a gate changes, tables are written again and no
        network is trained again. With `keep-going` other jobs go on beside a gate that
        fails, but no table is written.
        """
        methods = spec.columns(self.world).values()
        patches, corpora = (
            self.methods.patch_sets(methods),
            self.methods.corpora(methods),
        )
        manifests = [
            f"{self.root}/manifest/{each}/manifest.csv"
            for each in [*datasets, *corpora]
        ]
        return manifests + [f"{self.root}/patches/{each}.csv" for each in patches]

    def table_job(self, name: str) -> TableJob:
        """A table to write."""
        spec = self.names[name]
        return TableJob(
            name=name,
            module=spec.module,
            layout=self.layout(spec),
            seed=self._seed,
        )

    @property
    def _seed(self) -> int:
        """Of all tables and figures."""
        return provenance.seed(self.world.seed, "tables")

    def layout(self, spec: Spec) -> Layout:
        """What a table or figure shows."""
        of = spec.recogniser
        entry = self.world.recognisers[of]
        columns = spec.columns(self.world)
        return Layout(
            world=self.world.world,
            note=self.world.note,
            datasets={name: self._dataset(name) for name in self.world.select.datasets},
            methods={key: self._method(of, name) for key, name in columns.items()},
            recogniser=entry.label,
            paper=getattr(recognisers.module(entry.kind), "PAPER", None),
            heads=tuple(recognisers.module(entry.kind).HEADS),
            fusion=entry.fusion,
            metrics=recognisers.metrics(entry.kind),
        )

    def _dataset(self, name: str) -> Dataset:
        entry = self.world.datasets[name]
        return Dataset(
            label=entry.label,
            paper=entry.paper,
            generated=entry.generated is not None,
            official=self.data.is_official(entry),
            has_hr=self.data.has_originals(name),
        )

    def _method(self, recogniser: str, name: str) -> Method:
        entry, row = self.world.methods[name], self.methods.row(name)
        return Method(
            label=entry.label,
            paper=entry.paper,
            frames_of=row.frames_of,
            flow_of=row.flow_of,
            scores=self.scores.by_head(recogniser, name),
            origin=self.methods.origin(name),
        )

    # Figures

    def figure_inputs(self, name: str, dataset: str) -> list[str]:
        """What a figure of a data set reads.

        Raises:
            PlanError: it can't be made; why, and what to change.
        """
        spec = self.figures[name]
        if why := registry.reason(self.world, spec):
            raise PlanError(f"figure {name} can't be made: {why}")
        if dataset not in self.datasets(spec):
            raise PlanError(f"figure {name}: add {dataset} to select.datasets")
        if registry.shows_clip(spec):
            return self.clip_files(spec, dataset, self._shard(name, dataset))
        return self._inputs(spec, [dataset])

    def clip_files(self, spec: Spec, dataset: str, shard: str) -> list[str]:
        """What is read of a shard's test clips, of all methods that are shown."""
        of = spec.recogniser
        rows = [self.methods.row(m) for m in spec.columns(self.world).values()]
        found: list[str] = []
        if "frames" in spec.reads:
            for method in sorted({HR, *(row.frames_of for row in rows)}):
                found += self.shards.frame_files(of, dataset, method, "test", shard)
        if "flow" in spec.reads:
            hr = {HR} if self.data.has_originals(dataset) else set()
            for method in sorted({row.flow_of for row in rows} - {HR} | hr):
                found += self.shards.flow_files(of, dataset, method, "test", shard)
        if "low" in spec.reads and self.data.has_originals(dataset):
            readers = self.shards.readers(dataset, "test", of)
            found += [f"{self.root}/low/{r}/{dataset}/test-{shard}.h5" for r in readers]
        return found + (self._inputs(spec, [dataset]) if "scores" in spec.reads else [])

    def _shard(self, name: str, dataset: str) -> str:
        """The shard of test clips that has a figure's clip, or one in the middle."""
        shards = self.data.shards(dataset, "test")
        clip = self._named(dataset) or self._of_paper(name, dataset)
        if clip:
            return shards[scan.shard_of(clip.clip, len(shards))]
        filled: Sequence[int] = range(len(shards))
        if self.world.datasets[dataset].generated is None:
            of = {scan.shard_of(each, len(shards)) for each in self._clips(dataset)}
            filled = sorted(of) or filled
        return shards[filled[len(filled) // 2]]

    def _named(self, dataset: str) -> ClipChoice | None:
        """The clip that the config names.

        Raises:
            PlanError: no test clip has its name.
        """
        chosen = self.world.select.clips.get(dataset)
        if chosen and self.world.datasets[dataset].generated is None:
            known = self._clips(dataset)
            if chosen.clip not in known:
                near = nearest(chosen.clip, known)
                raise PlanError(
                    f"select.clips.{dataset}.clip: no test clip is {chosen.clip}{near}"
                )
        return chosen

    def _of_paper(self, name: str, dataset: str) -> ClipChoice | None:
        """The clip that the paper shows, where the data set lists it."""
        entry = self.world.datasets[dataset]
        clip = self.figures[name].clips.get(entry.paper or "")
        listed = clip and not entry.generated and clip.clip in self._clips(dataset)
        return clip if listed else None

    def _clips(self, dataset: str) -> list[str]:
        return [each.clip for each in self.data.clips(dataset, "test")]

    def figure_gates(self, name: str, dataset: str) -> list[str]:
        """What must stand before a figure does, and is not read by it."""
        return self._gates(self.figures[name], [dataset])

    def figure_job(self, name: str, dataset: str) -> FigureJob:
        """A figure to draw."""
        spec = self.figures[name]
        of_clip = registry.shows_clip(spec)
        return FigureJob(
            module=spec.module,
            dataset=dataset,
            layout=self.layout(spec),
            order=self.order,
            clip=self._named(dataset) if of_clip else None,
            paper=self._of_paper(name, dataset) if of_clip else None,
            seed=self._seed,
            classes=self.data.listed_classes(dataset) if of_clip else (),
        )

    @property
    def order(self) -> tuple[str, ...]:
        """All methods, selected ones first: what gives each its colour."""
        names = [*self.world.select.methods, *self.world.methods]
        return tuple(dict.fromkeys(names))

    # All

    def targets(self) -> list[str]:
        """What `all` asks for, of what can be made."""
        copies = [f"results/{name}.csv" for name in self._possible()]
        return [*copies, *self._beside_tables(), "results/audit.csv"]

    def own_targets(self) -> list[str]:
        """The same in the world's own folder: its tables, not their copies."""
        tables = [f"{self.root}/{name}.csv" for name in self._possible()]
        return [*tables, *self._beside_tables()]

    def _possible(self) -> list[str]:
        """Tables that can be made."""
        return [
            name
            for name, spec in self.names.items()
            if not registry.reason(self.world, spec)
            and self._inputs(spec, self.datasets(spec))
        ]

    def _beside_tables(self) -> list[str]:
        """Figures and what else can be looked at."""
        figures = [
            f"{self.root}/figures/{name}/{dataset}.png"
            for name, spec in self.figures.items()
            if not registry.reason(self.world, spec)
            for dataset in self.datasets(spec)
        ]
        flows = self.scores.networks.flows_used
        errors = [f"{self.root}/flow_error.csv"] * (len(flows) > 1)
        explorer = f"{self.root}/explorer"
        rules = f"{self.root}/rules.png"
        return [*figures, *errors, explorer, rules]

    def left_out(self) -> list[str]:
        """A line for each reason why `all` leaves out something that is asked for."""
        figures = {f"figure {name}": each for name, each in self.figures.items()}
        reasons: dict[str, list[str]] = {}
        for name, each in (self.names | figures).items():
            why = registry.reason(self.world, each)
            if why and each.columns(self.world):
                reasons.setdefault(why, []).append(name)
        return [
            f"{', '.join(names)}: left out: {why}" for why, names in reasons.items()
        ]
