"""The frames and the flow of one clip by every method, as they were scored."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twinlens.arrays import Frames
from twinlens.artifacts import reader
from twinlens.artifacts.reader import Artifact, Clip, JoinedClip
from twinlens.errors import ArtifactError
from twinlens.flow.encoding import decode
from twinlens.tables.settings import ClipChoice, FigureJob

Flow = NDArray[np.float32]
Index = NDArray[np.integer]
LOW = "low resolution"
HR = "hr"
CLIPS = ("frames/1", "low/1", "flow/1")


class Row(NamedTuple):
    """A method that is drawn."""

    label: str
    frames_of: str
    flow_of: str
    key: str
    """Its name in the layout; "" of low resolution."""


class Sources:
    """A clip's frames and flow by method, as some artifacts store them."""

    def __init__(self, files: Iterable[Artifact], name: str) -> None:
        """Take open shards of frames, low resolution and flow, and the clip's name."""
        self.name = name
        self._bound: dict[str, float] = {}
        frames: dict[str, list[Clip]] = {}
        flow: dict[str, list[Clip]] = {}
        for file in files:
            method = LOW if file.kind == "low/1" else str(file.about["method"])
            if file.kind == "flow/1":
                flow.setdefault(method, []).append(file.clip(name))
                self._bound[method] = float(file.about["form"]["bound"])
            else:
                frames.setdefault(method, []).append(file.clip(name))
        self.frames = {method: JoinedClip(each) for method, each in frames.items()}
        self.flow = {method: JoinedClip(each) for method, each in flow.items()}

    def flow_at(self, method: str, index: int) -> Flow:
        """Read the flow of a method's frame to the next: (2, h, w), px."""
        return decode(self.flow[method].at("flow", index), self._bound[method])


@contextmanager
def open_clips(inputs: Iterable[Path]) -> Iterator[list[Artifact]]:
    """Open the shards of clips among some inputs.

    Raises:
        ArtifactError: one is damaged.
    """
    with ExitStack() as stack:
        stored = of_kinds(inputs, *CLIPS)
        yield [stack.enter_context(reader.open(path)) for path in stored]


def of_kinds(inputs: Iterable[Path], *kinds: str) -> list[Path]:
    """Select the artifacts of some formats."""
    found = []
    for path in inputs:
        with reader.open(path) as file:
            found += [path] * (file.kind in kinds)
    return found


def choice(files: list[Artifact], job: FigureJob) -> ClipChoice | None:
    """The clip that the config names, or the paper if it is there; None for neither.

    Raises:
        ArtifactError: that of the config is not in the shard, or the shard has none.
    """
    clips = files[0].clips
    if not clips:
        raise ArtifactError(f"{files[0].path}: has no clip to draw")
    if job.clip is not None and job.clip.clip not in clips:
        raise ArtifactError(
            f"select.clips.{job.dataset}: {files[0].path} has no clip"
            f" {job.clip.clip}; it has {clips[0]}, for instance"
        )
    if job.clip is None and job.paper is not None and job.paper.clip in clips:
        return job.paper
    return job.clip


def fastest_clip(files: list[Artifact]) -> str:
    """Find the clip whose flow in the middle is fastest in the originals."""

    def speed(clip: Sources, index: Index) -> float:
        return float(np.hypot(*clip.flow_at(HR, int(index[len(index) // 2]))).mean())

    return _largest(files, "flow", speed)


def most_changing_clip(files: list[Artifact]) -> str:
    """Find the clip whose frames in the middle differ most in the originals."""

    def difference(clip: Sources, index: Index) -> float:
        pair = index[max(0, len(index) // 2 - 1) :][:2]
        return float(change(clip.frames[HR].at("frames", pair)).mean())

    return _largest(files, "frames", difference)


def _largest(
    files: list[Artifact], kind: str, measure: Callable[[Sources, Index], float]
) -> str:
    stored = [each for each in files if each.kind == f"{kind}/1"]
    stored = [each for each in stored if each.about["method"] == HR]

    def measured(name: str) -> float:
        clip = Sources(stored, name)
        index = getattr(clip, kind)[HR].index
        return measure(clip, index) if len(index) else -1.0

    return max(files[0].clips, key=measured)


def rows(job: FigureJob, low: bool = False) -> list[Row]:
    """List what is drawn: low resolution if asked for, the original, all methods.

    Where clips are low-resolution already, there is no original.
    """
    layout = job.layout
    methods = [
        Row(each.label, each.frames_of, each.flow_of, key)
        for key, each in layout.methods.items()
        if not each.is_hr
    ]
    has_hr = layout.datasets[job.dataset].has_hr
    hr = [(key, each.label) for key, each in layout.methods.items() if each.is_hr]
    first = [Row(LOW, LOW if has_hr else HR, "", "")] * low
    if has_hr:
        key, label = hr[0] if hr else ("", "HR")
        first.append(Row(label, HR, HR, key))
    return [*first, *methods]


def frames_in_common(sources: Sources, drawn: Iterable[Row]) -> Index:
    """Find the frames that are stored for all methods: their indices, ascending.

    Raises:
        ArtifactError: there is none.
    """
    stored = [sources.frames[each.frames_of] for each in drawn]
    return in_common(stored, sources.name, "frame")


def flows_in_common(sources: Sources, drawn: Iterable[Row]) -> Index:
    """Find the flows that are stored for all methods that have flow, as above."""
    stored = [sources.flow[r.flow_of] for r in drawn if r.flow_of in sources.flow]
    return in_common(stored, sources.name, "flow")


def in_common(stored: Iterable[JoinedClip], name: str, kind: str) -> Index:
    """Find the items that some clips all store: their indices, ascending.

    Args:
        stored: the same clip by some methods.
        name: the clip's, for the message.
        kind: what the items are.

    Raises:
        ArtifactError: there is none.
    """
    indices = [each.index for each in stored] or [np.array([], np.int64)]
    common: Index = indices[0]
    for index in indices[1:]:
        common = np.intersect1d(common, index)
    if not len(common):
        raise ArtifactError(
            f"no {kind} of {name} is stored for all methods; set frames: all of its"
            " data set"
        )
    return common


def nearest(index: Index, chosen: ClipChoice | None) -> int:
    """Choose the stored frame nearest to the one that is named, or the middle one."""
    if chosen is None or chosen.frame is None:
        return int(index[len(index) // 2])
    return int(index[np.abs(index - chosen.frame).argmin()])


def busiest(map_hw: NDArray[np.floating], size: tuple[int, int]) -> tuple[int, int]:
    """Find the corner (y, x) of the box of a size whose sum is largest."""
    tall, wide = size
    exact = map_hw.astype(np.float64)  # sums of many cancel in single precision
    sums = np.pad(exact, ((1, 0), (1, 0))).cumsum(0).cumsum(1)
    boxes = (
        sums[tall:, wide:]
        - sums[:-tall, wide:]
        - sums[tall:, :-wide]
        + sums[:-tall, :-wide]
    )
    y, x = np.unravel_index(boxes.argmax(), boxes.shape)
    return int(y), int(x)


def change(frames: Frames) -> NDArray[np.float32]:
    """Average the change from frame to frame: (T, H, W, 3) to (H, W), gray levels."""
    steps = np.abs(np.diff(frames.astype(np.float32), axis=0))
    mean: NDArray[np.float32] = (
        steps.mean(axis=(0, 3)) if len(steps) else steps.sum(axis=(0, 3))
    )
    return mean
