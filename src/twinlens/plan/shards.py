"""Shards of clips on their way: frames, low resolution, super-resolved, flow.

Of a data set's clips those frames are stored that recognisers read. Each recogniser has
files of its own, below its name, which hold what those before it (in the order of
`select.recognisers`) don't store already: a frame that two read is super-resolved once,
and flow that both store in the same form is computed once. A recogniser that is added
changes no file of the others. Files below `all` hold all frames: of a corpus, and where
the config or a network asks for whole clips.
"""

from collections.abc import Iterator

from twinlens import models, provenance, recognisers
from twinlens.degrade.settings import Degradation
from twinlens.errors import PlanError
from twinlens.flow import estimators
from twinlens.flow.settings import FlowJob, MotionJob
from twinlens.media.settings import Decoding
from twinlens.plan import registry
from twinlens.plan.data import Data
from twinlens.plan.methods import HR, Methods
from twinlens.plan.world import World
from twinlens.quality.settings import Measurement
from twinlens.recognisers import INPUTS, FlowForm, Reading, Sampler
from twinlens.sr.settings import Enlargement

ALL = "all"
"""The reader of files that hold all frames of a clip."""


class Shards:
    """The shards of a world."""

    def __init__(self, world: World, data: Data, methods: Methods) -> None:
        """Take the world, its data sets and methods."""
        self.world, self.data, self.methods = world, data, methods
        self.root = data.root
        self.recognisers = list(world.select.recognisers)
        self._read = {
            each: registry.inputs_read(world, each) for each in self.recognisers
        }

    # What is read

    def inputs(self, recogniser: str, method: str) -> tuple[str, ...]:
        """What a recogniser reads of a method: "frames", their "flow".

        Of a method that no table shows, all that it could: its files are asked for by
        hand.
        """
        if method == HR or not any(method in read for read in self._read.values()):
            return INPUTS
        read = self._read[recogniser].get(method, set())
        return tuple(each for each in INPUTS if each in read)

    def sampler(
        self, recogniser: str, part: str, inputs: tuple[str, ...] = INPUTS
    ) -> Sampler:
        """Which frames of a part's clips a recogniser reads."""
        entry = self.world.recognisers[recogniser]
        return Sampler(
            kind=entry.kind,
            sampling=recognisers.module(entry.kind).sampling(entry, part),
            part=part,
            inputs=inputs,
            # It draws nothing of test clips, so another one reruns nothing of them.
            seed=provenance.seed(self.world.seed, "sampling") if part == "train" else 0,
        )

    def reading(self, reader: str, dataset: str, method: str, part: str) -> Reading:
        """Which frames of a part's clips the files of a reader store."""
        if reader == ALL or part == "corpus":
            return Reading()
        *before, own = [
            self.sampler(each, part, self.inputs(each, method))
            for each in self._until(reader, dataset, part)
        ]
        excluded = tuple(each for each in before if each.inputs)
        return Reading(samplers=(own,), excluded=excluded)

    def readers(self, dataset: str, part: str, recogniser: str = "") -> list[str]:
        """Those whose files hold what a recogniser reads; what all read by default."""
        if part == "corpus" or self.world.datasets[dataset].frames == "all":
            return [ALL]
        return self._until(recogniser or self.recognisers[-1], dataset, part)

    def _until(self, recogniser: str, dataset: str, part: str) -> list[str]:
        """A recogniser and those before it that read a part of a data set's clips."""
        *before, own = self.recognisers[: self.recognisers.index(recogniser) + 1]
        if part == "train":
            before = [each for each in before if self._trains(each, dataset)]
        return [*before, own]

    def _reading_modules(self, reading: Reading) -> list[str]:
        return [each.removeprefix("twinlens.") for each in reading.modules]

    # Original frames

    def original_files(
        self, dataset: str, part: str, shard: str, recogniser: str = ""
    ) -> list[str]:
        """Shards of the original frames that a recogniser reads."""
        return [
            f"{self.root}/frames/{reader}/{dataset}/{part}-{shard}.h5"
            for reader in self.readers(dataset, part, recogniser)
        ]

    def report(self, dataset: str, part: str, shard: str) -> str:
        """The report on a shard's clips."""
        reader = self.readers(dataset, part)[0]
        return f"{self.root}/reports/{reader}/{dataset}/{part}-{shard}.csv"

    def reports(self, dataset: str) -> list[str]:
        """The reports on all clips of a data set that this world reads."""
        return [
            self.report(dataset, part, shard)
            for part in self.parts(dataset)
            for shard in self.data.shards(dataset, part)
        ]

    def parts(self, dataset: str) -> list[str]:
        """The parts of a data set that this world reads."""
        if self.world.datasets[dataset].kind == "corpus":
            return ["corpus"]
        trains = any(self._trains(each, dataset) for each in self.recognisers)
        return ["train", "test"] if trains else ["test"]

    def _trains(self, recogniser: str, dataset: str) -> bool:
        """Whether a network of a recogniser is trained on a data set."""
        entry = self.world.recognisers[recogniser]
        networks = recognisers.module(entry.kind).networks(
            entry, recogniser, dataset, 0
        )
        return any(each.job and not each.weights for each in networks.values())

    def decoding(
        self, reader: str, dataset: str, part: str, shard: str, around: str
    ) -> Decoding:
        """A shard of frames to decode.

        Args:
            reader: whose files these are.
            dataset: its name.
            part: "train", "test" or "corpus".
            shard: its number in digits.
            around: what its name says of neighbours, such as "-near3"; or "".
        """
        return Decoding(
            dataset=dataset,
            source=self.data.source(dataset),
            part=part,  # type: ignore[arg-type]
            shard=int(shard),
            shards=self.data.shard_count(dataset, part),
            reading=self.reading(reader, dataset, HR, part),
            around=int(around.removeprefix("-near") or 0),
            detail_at=self._detail_at(dataset, part),
        )

    def _detail_at(self, dataset: str, part: str) -> int | None:
        """Where test clips are given low, they are compared with training clips."""
        if self.data.has_originals(dataset) or part == "corpus":
            return None
        return 1 if part == "test" else models.SCALE

    def decoding_modules(self, reader: str, dataset: str, part: str) -> list[str]:
        """The modules that list a data set and choose its frames."""
        reading = self.reading(reader, dataset, HR, part)
        return [*self.data.modules(dataset), *self._reading_modules(reading)]

    # Low resolution and back

    def low_files(
        self, reader: str, dataset: str, method: str, part: str, shard: str
    ) -> list[str]:
        """The low-resolution shards that a method enlarges for a reader.

        They are made from the originals, or the clips themselves where these are low.
        """
        folder = "low" if self.data.has_originals(dataset) else "frames"
        model = self.methods.network(method).model
        frames = models.frames(model)
        if frames == models.WHOLE_CLIP or reader == ALL:
            readers, around = [ALL], ""
        else:
            readers = self._until(reader, dataset, part)
            around = f"-near{frames // 2}" if frames > 1 else ""
        return [
            f"{self.root}/{folder}/{each}/{dataset}/{part}-{shard}{around}.h5"
            for each in readers
        ]

    def degradation(self, dataset: str) -> Degradation:
        """A shard to shrink."""
        return Degradation(dataset=dataset, scale=models.SCALE)

    def enlargement(
        self, reader: str, dataset: str, method: str, part: str
    ) -> Enlargement:
        """A shard to super-resolve by a method."""
        network = self.methods.network(method)
        return Enlargement(
            dataset=dataset,
            method=method,
            model=network.model,
            settings=network.settings,
            reading=self.reading(reader, dataset, method, part),
        )

    def enlargement_modules(
        self, reader: str, dataset: str, method: str, part: str
    ) -> list[str]:
        """The modules of the network, and of those that choose its frames."""
        reading = self.reading(reader, dataset, method, part)
        return [*self.methods.modules(method), *self._reading_modules(reading)]

    def frame_files(
        self, recogniser: str, dataset: str, method: str, part: str, shard: str
    ) -> list[str]:
        """Shards of a method's frames that a recogniser reads, originals for HR."""
        if method == HR:
            return self.original_files(dataset, part, shard, recogniser)
        return [
            f"{self.root}/sr/{reader}/{dataset}/{method}/{part}-{shard}.h5"
            for reader in self._holding(recogniser, dataset, method, part)
        ]

    def _holding(
        self, recogniser: str, dataset: str, method: str, part: str
    ) -> Iterator[str]:
        for reader in self.readers(dataset, part, recogniser):
            if reader == ALL or self.inputs(reader, method):
                yield reader

    def frames_read_as(
        self,
        kind: str,
        recogniser: str,
        dataset: str,
        method: str,
        part: str,
        shard: str,
    ) -> list[str]:
        """Shards of a method's frames, if a recogniser reads them as `kind` does.

        Raises:
            PlanError: no table reads these frames, so they are not stored.
        """
        everything = self.world.datasets[dataset].frames == "all"
        if kind not in self.inputs(recogniser, method) and not everything:
            stream = {"frames": "spatial", "flow": "temporal"}[kind]
            raise PlanError(
                f"no table reads the {stream} stream of {method}, so its frames for it"
                f" are not stored: add {method} to select.methods, or set"
                f" datasets.{dataset}.frames: all"
            )
        return self.frame_files(recogniser, dataset, method, part, shard)

    # Flow

    def flow_files(
        self, recogniser: str, dataset: str, method: str, part: str, shard: str
    ) -> list[str]:
        """Shards of the flow of a method's frames that a recogniser reads."""
        holders = self.flow_holders(recogniser, dataset, method, part)
        samplers = [self.sampler(each, part) for each in holders]
        # The first that reads the same flow has all of it, with those before it.
        holders = holders[: samplers.index(samplers[-1]) + 1]
        return [
            f"{self.root}/flow/{each}/{dataset}/{method}/{part}-{shard}.h5"
            for each in holders
        ]

    def flow_holders(
        self, recogniser: str, dataset: str, method: str, part: str
    ) -> list[str]:
        """Those before a recogniser that read flow of the same form, and itself."""
        *before, own = self._until(recogniser, dataset, part)
        form = self._flow_form(own)
        same = [
            each
            for each in before
            if self._flow_form(each) == form and "flow" in self.inputs(each, method)
        ]
        return [*same, own]

    def _flow_form(self, recogniser: str) -> FlowForm:
        entry = self.world.recognisers[recogniser]
        form: FlowForm = recognisers.module(entry.kind).flow_form(entry)
        return form

    def flow_of(self, recogniser: str) -> str:
        """The entry of `flows` that computes a recogniser's flow."""
        flow: str = self.world.recognisers[recogniser].flow
        return flow

    def flow_job_modules(
        self, recogniser: str, dataset: str, method: str, part: str
    ) -> list[str]:
        """The modules of a shard's flow, and of those that choose what is computed."""
        job = self.flow_job(recogniser, dataset, method, part)
        choosing = [each.removeprefix("twinlens.") for each in job.modules]
        return [*choosing, *self.flow_modules(self.flow_of(recogniser))]

    def flow_job(
        self, recogniser: str, dataset: str, method: str, part: str
    ) -> FlowJob:
        """A shard's flow to compute."""
        form = self._flow_form(recogniser)
        *before, own = self.flow_holders(recogniser, dataset, method, part)
        return FlowJob(
            dataset=dataset,
            method=method,
            sampler=self.sampler(own, part),
            form=form,
            estimator=estimators.deciding(self.world.flows[form.flow]),
            excluded=tuple(self.sampler(each, part) for each in before),
        )

    def motion_file(
        self, dataset: str, flow: str, gap: int, part: str, shard: str
    ) -> str:
        """A shard of the originals' motion in pixels."""
        return f"{self.root}/motion/{dataset}/{flow}-{gap}/{part}-{shard}.h5"

    def motion_frames(self, dataset: str, part: str, shard: str) -> list[str]:
        """The original frames whose motion is estimated."""
        return self.original_files(dataset, part, shard, self.recognisers[0])

    def motion_modules(self, flow: str, part: str) -> list[str]:
        """The modules of an estimator, and of the pairs of test clips."""
        own = [] if part == "corpus" else self.first_modules
        return [*self.flow_modules(flow), *own]

    def motion_job(self, dataset: str, flow: str, gap: str, part: str) -> MotionJob:
        """Motion of a shard's originals to estimate."""
        corpus = part == "corpus"
        entry = self.world.datasets[dataset]
        return MotionJob(
            dataset=dataset,
            flow=flow,
            estimator=estimators.deciding(self.world.flows[flow]),
            pairs=entry.pairs if corpus else self.world.quality.pairs,
            gap=int(gap),
            sampler=None if corpus else self.sampler(self.recognisers[0], part),
            seed=provenance.seed(self.world.seed, "patches"),
        )

    def flow_modules(self, flow: str) -> list[str]:
        """The module of an estimator."""
        return [f"flow.estimators.{self.world.flows[flow].kind}"]

    # Quality

    @property
    def first_modules(self) -> list[str]:
        """The module of the first recogniser, whose frames are compared."""
        return [f"recognisers.{self.world.recognisers[self.recognisers[0]].kind}"]

    def measured_frames(
        self, dataset: str, method: str, part: str, shard: str
    ) -> list[str]:
        """A method's frames to compare with the originals."""
        first = self.recognisers[0]
        return self.frames_read_as("frames", first, dataset, method, part, shard)

    def measured_originals(self, dataset: str, part: str, shard: str) -> list[str]:
        """These originals."""
        return self.original_files(dataset, part, shard, self.recognisers[0])

    def quality_motion(self, dataset: str, part: str, shard: str) -> str:
        """The motion along which frames are compared."""
        return self.motion_file(dataset, self.world.quality.flow, 1, part, shard)

    def measurement(self, dataset: str, method: str, part: str) -> Measurement:
        """A method's shard to compare with the originals."""
        first = self.recognisers[0]
        return Measurement(
            dataset=dataset,
            method=method,
            flow=self.world.quality.flow,
            sampler=self.sampler(first, part),
            consistency="flow" in self.inputs(first, method),
        )
