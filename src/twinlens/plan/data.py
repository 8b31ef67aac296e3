"""Data sets: their clips, shards and parts, and the jobs that list and decode them."""

from dataclasses import replace
from functools import cached_property

from twinlens import provenance
from twinlens.artifacts.contents import Contents
from twinlens.errors import DataError, PlanError
from twinlens.media import scan, sets
from twinlens.media.settings import Generation, Limits, Listing, Source
from twinlens.plan.world import Dataset, World
from twinlens.recognisers import OFFICIAL
from twinlens.settings import shared


class Data:
    """The data sets of a world."""

    def __init__(self, world: World) -> None:
        """Take the world."""
        self.world, self.root = world, f"results/{world.world}"
        self.contents = Contents()
        self._listed: dict[str, sets.Listing] = {}
        self._digests: dict[tuple[str, str], list[str]] = {}

    def source(self, dataset: str) -> Source:
        """What decides a data set's clips; the time that decoding may take does not."""
        entry = self.world.datasets[dataset]
        folder = f"{self.root}/data/{dataset}"
        generated = {"videos": f"{folder}/videos", "splits": f"{folder}/splits"}
        source: Source = shared(
            Source,
            entry,
            seed=self.world.seed if entry.seed is None else entry.seed,
            limits=replace(entry.limits, seconds=Limits().seconds),
            **(generated if entry.generated else {}),
        )
        return source

    def decoding_seconds(self, dataset: str) -> float:
        """What the decoding of one file may take: it decides nothing about a clip."""
        return self.world.datasets[dataset].limits.seconds

    def generation(self, dataset: str) -> Generation:
        """A data set to generate."""
        generated = self.world.datasets[dataset].generated
        if generated is None:
            raise PlanError(f"datasets.{dataset}: nothing of it is generated")
        seed = provenance.seed(self.world.seed, "playground")
        return Generation(dataset=dataset, generated=generated, seed=seed)

    def listing(self, dataset: str) -> Listing:
        """A data set whose classes are listed."""
        return Listing(dataset=dataset, source=self.source(dataset))

    def manifest(self, dataset: str) -> Listing:
        """A data set whose clips are listed, and whose rejected ones are counted."""
        most = self.world.datasets[dataset].max_rejected
        return replace(self.listing(dataset), max_rejected=most)

    def modules(self, dataset: str) -> list[str]:
        """The module of its kind."""
        return [f"media.sets.{self.world.datasets[dataset].kind}"]

    def generated_files(self, dataset: str) -> list[str]:
        """The list of a generated data set's files; nothing for one that is there."""
        made = self.world.datasets[dataset].generated
        return [f"{self.root}/data/{dataset}/generated.csv"] if made else []

    def shard_count(self, dataset: str, part: str) -> int:
        """How many shards a part of a data set is cut into."""
        count: int = getattr(self.world.datasets[dataset].shards, part)
        return count

    def shards(self, dataset: str, part: str) -> list[str]:
        """The names of a part's shards."""
        return [f"{number:02d}" for number in range(self.shard_count(dataset, part))]

    def has_originals(self, dataset: str) -> bool:
        """False where the test clips are low-resolution already: they have no HR."""
        return self.world.datasets[dataset].low == "made"

    @cached_property
    def originals(self) -> list[str]:
        """The selected data sets with clips of full resolution to compare with."""
        return [each for each in self.world.select.datasets if self.has_originals(each)]

    def is_official(self, entry: Dataset) -> bool:
        """Whether it is all of an official split 1."""
        return entry.kind in OFFICIAL and entry.split == 1 and not entry.classes

    def fingerprint(self, dataset: str, part: str, shard: str) -> str:
        """Digest of a shard's video files, so that a swapped file is noticed."""
        if self.world.datasets[dataset].generated:
            return "generated"
        key = dataset, part
        if key not in self._digests:
            self._digests[key] = self._fingerprints(dataset, part)
        return self._digests[key][int(shard)]

    def _fingerprints(self, dataset: str, part: str) -> list[str]:
        """Digest the files of each shard of a part.

        Raises:
            PlanError: one can't be read.
        """
        try:
            return scan.fingerprints(
                self.clips(dataset, part),
                self.shard_count(dataset, part),
                self.contents,
                f"{part} videos of {dataset}",
                self.world.datasets[dataset].limits.file,
            )
        except DataError as error:
            raise PlanError(f"datasets.{dataset}: {error}") from error

    def class_names(self, dataset: str) -> list[str] | str:
        """The data set's classes where they are known before it runs."""
        if self.world.datasets[dataset].generated:
            return "generated"
        return self._listing(dataset).classes

    def listed_classes(self, dataset: str) -> tuple[str, ...]:
        """The classes of a data set that is there, by label; of generated ones none."""
        known = self.class_names(dataset)
        return () if isinstance(known, str) else tuple(known)

    def clips(self, dataset: str, part: str | None = None) -> list[sets.Listed]:
        """The clips of a part of a data set that is there, or of all of it."""
        found = self._listing(dataset).clips
        return [each for each in found if part in {None, each.part}]

    def _listing(self, dataset: str) -> sets.Listing:
        """A data set's clips and classes, listed once.

        Raises:
            PlanError: its folders can't be used.
        """
        if dataset not in self._listed:
            try:
                self._listed[dataset] = sets.listing(self.source(dataset))
            except DataError as error:
                raise PlanError(f"datasets.{dataset}: {error}") from error
        return self._listed[dataset]
