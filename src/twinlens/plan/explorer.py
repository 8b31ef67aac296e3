"""The explorer: pictures of shards' clips, and the page that shows them."""

import hashlib

from twinlens.explorer.settings import ExplorerJob, MediaJob
from twinlens.plan import registry
from twinlens.plan.registry import Spec
from twinlens.plan.tables import Tables
from twinlens.provenance import SOURCE

PICTURES = Spec(module="", columns=registry.selected, reads=("frames", "low", "flow"))
"""What is read of a shard's clips; of the first recogniser."""
PAGE = SOURCE / "twinlens/explorer/site"


class Explorer:
    """The explorer of a world."""

    def __init__(self, tables: Tables) -> None:
        """Take its tables."""
        self.tables, self.world, self.data = tables, tables.world, tables.data
        self.root = tables.root
        self.recognisers = {
            name: self.world.recognisers[name].table
            for name in self.world.select.recognisers
        }
        self.pictures = registry.of_first(self.world, PICTURES)

    def media_inputs(self, dataset: str, shard: str) -> list[str]:
        """Frames, flow and scores of a shard's clips by the first recogniser."""
        first = self.tables.names[next(iter(self.recognisers.values()))]
        return [
            *self.tables.clip_files(self.pictures, dataset, shard),
            *self.tables.score_files(first, [dataset], shard),
        ]

    def media_job(self, dataset: str) -> MediaJob:
        """Pictures of a shard's clips to write."""
        return MediaJob(
            dataset=dataset,
            layout=self.tables.layout(self.pictures),
            explorer=self.world.explorer,
        )

    def inputs(self) -> list[str]:
        """What the page reads: scores, tables, pictures."""
        scores = [
            file
            for table in self.recognisers.values()
            for file in self.tables.table_inputs(table)
        ]
        tables = [
            f"{self.root}/{table}{form}.csv"
            for table in self.recognisers.values()
            for form in ("", "_long")
        ]
        return [*scores, *tables, *self._media()]

    def _media(self) -> list[str]:
        if not self.world.explorer.clips:
            return []
        return [
            f"{self.root}/explorer_media/{dataset}/test-{shard}.h5"
            for dataset in self.world.select.datasets
            for shard in self.data.shards(dataset, "test")
        ]

    def job(self) -> ExplorerJob:
        """The page to write."""
        names = self.tables.names
        return ExplorerJob(
            layouts={
                recogniser: self.tables.layout(names[table])
                for recogniser, table in self.recognisers.items()
            },
            tables=self.recognisers,
            order=self.tables.order,
            clips=self.world.explorer.clips,
            classes={
                dataset: self.data.listed_classes(dataset)
                for dataset in self.world.select.datasets
            },
        )

    def page_digest(self) -> str:
        """Digest of the page's own files, which are no Python."""
        parts = [path.read_bytes() for path in sorted(PAGE.iterdir())]
        return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]
