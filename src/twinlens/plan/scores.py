"""Scores of rows by recognisers: from which frames, flow and networks."""

from collections.abc import Iterable

from twinlens import recognisers
from twinlens.plan import registry
from twinlens.plan.methods import HR, Row
from twinlens.plan.networks import Networks
from twinlens.plan.world import World
from twinlens.recognition.settings import Scoring


class Scores:
    """The scores of a world."""

    def __init__(self, world: World, networks: Networks) -> None:
        """Take the world and its networks."""
        self.world, self.networks = world, networks
        self.shards, self.methods = networks.shards, networks.methods
        self.data, self.root = networks.data, networks.root

    def is_joint(self, recogniser: str) -> bool:
        """Whether its heads read frames and flow together."""
        return recognisers.reads_jointly(self.world.recognisers[recogniser].kind)

    def stored_rows(
        self, recogniser: str, shown: Iterable[str], inputs: Iterable[str]
    ) -> list[str]:
        """The rows whose stored scores a table of some methods takes."""
        rows = [self.methods.row(name) for name in shown]
        if self.is_joint(recogniser):
            return list(dict.fromkeys(row.name for row in rows))
        of = {
            "frames": [row.frames_of for row in rows],
            "flow": [r.flow_of for r in rows],
        }
        return list(dict.fromkeys(each for kind in inputs for each in of[kind]))

    def by_head(self, recogniser: str, method: str) -> dict[str, str]:
        """The row whose stored scores a method's own row takes, by head."""
        row = self.methods.row(method)
        if self.is_joint(recogniser):
            return dict.fromkeys(self._heads(recogniser), row.name)
        of = {"frames": row.frames_of, "flow": row.flow_of}
        heads = self._heads(recogniser).items()
        return {name: of[head.inputs[0]] for name, head in heads}

    def _heads(self, recogniser: str) -> dict[str, recognisers.Head]:
        kind = self.world.recognisers[recogniser].kind
        heads: dict[str, recognisers.Head] = recognisers.module(kind).HEADS
        return heads

    def files(
        self,
        recogniser: str,
        rows: Iterable[str],
        datasets: Iterable[str],
        only: str | None = None,
    ) -> list[str]:
        """Score shards of some rows; there are none of HR where clips are low."""
        return sorted(
            f"{self.root}/scores/{recogniser}/{dataset}/{row}/test-{shard}.h5"
            for dataset in datasets
            for row in rows
            if HR not in Row.of(row) or self.data.has_originals(dataset)
            for shard in self.data.shards(dataset, "test")
            if only in {None, shard}
        )

    def heads_scored(self, recogniser: str, row: str) -> list[str]:
        """The heads by which a row is scored: those that a table shows.

        All of them where no table shows the row.
        """
        pair = Row.of(row)
        heads = self._heads(recogniser)
        if self.is_joint(recogniser):
            return list(heads)
        read = dict(zip(recognisers.INPUTS, pair, strict=True))
        scored = [
            name
            for name, head in heads.items()
            if all(
                kind in self.shards.inputs(recogniser, read[kind])
                for kind in head.inputs
            )
        ]
        return scored or list(heads)

    def network_names(self, recogniser: str, row: str) -> list[str]:
        """The networks that score a row, by their names within the recogniser."""
        heads = self._heads(recogniser)
        scored = self.heads_scored(recogniser, row)
        return list(dict.fromkeys(n for head in scored for n in heads[head].networks))

    def networks_of(self, recogniser: str, dataset: str, row: str) -> list[str]:
        """The files of these networks."""
        names = self.network_names(recogniser, row)
        return [self.networks.recogniser_file(recogniser, dataset, n) for n in names]

    def frames(
        self, recogniser: str, dataset: str, row: str, part: str, shard: str
    ) -> list[str]:
        """The frames that a row's heads read."""
        if not self._reads(recogniser, row, "frames"):
            return []
        method = Row.of(row).frames_of
        return self.shards.frame_files(recogniser, dataset, method, part, shard)

    def flow(
        self, recogniser: str, dataset: str, row: str, part: str, shard: str
    ) -> list[str]:
        """The flow that a row's heads read."""
        if not self._reads(recogniser, row, "flow"):
            return []
        method = Row.of(row).flow_of
        return self.shards.flow_files(recogniser, dataset, method, part, shard)

    def _reads(self, recogniser: str, row: str, kind: str) -> bool:
        heads = self._heads(recogniser)
        scored = self.heads_scored(recogniser, row)
        return any(kind in heads[head].inputs for head in scored)

    def job(self, recogniser: str, dataset: str, row: str, part: str) -> Scoring:
        """A shard of clips to score."""
        entry = self.world.recognisers[recogniser]
        pair = Row.of(row)
        return Scoring(
            dataset=dataset,
            row=row,
            frames_of=pair.frames_of,
            flow_of=pair.flow_of,
            sampler=self.shards.sampler(recogniser, part),
            heads=tuple(self.heads_scored(recogniser, row)),
            networks=tuple(self.network_names(recogniser, row)),
            scoring=recognisers.module(entry.kind).scoring(entry),
        )

    def modules(self, recogniser: str, dataset: str, row: str) -> list[str]:
        """The modules that score a row."""
        names = self.network_names(recogniser, row)
        of = self.networks.recogniser_modules(recogniser, "SCORE", names, dataset)
        return ["recognition.stage", *of]

    def quality_files(self, datasets: Iterable[str]) -> list[str]:
        """What was measured of methods whose frames are read, on some data sets."""
        return sorted(
            f"{self.root}/quality/{dataset}/{method}/test-{shard}.csv"
            for dataset in datasets
            for method in registry.measured(self.world)
            for shard in self.data.shards(dataset, "test")
        )
