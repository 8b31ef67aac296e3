"""The frames and the flow of one clip by every method, as they were scored."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twinlens.artifacts import reader
from twinlens.artifacts.reader import Artifact, Clip, JoinedClip
from twinlens.errors import ArtifactError
from twinlens.flow.encoding import decode
from twinlens.tables.settings import FigureJob

Frames = NDArray[np.uint8]
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
        ArtifactError: one is damaged, or the shard has no clip.
    """
    with ExitStack() as stack:
        stored = of_kinds(inputs, *CLIPS)
        files = [stack.enter_context(reader.open(path)) for path in stored]
        if not files[0].clips:
            raise ArtifactError(f"{files[0].path}: has no clip to draw")
        yield files


def of_kinds(inputs: Iterable[Path], *kinds: str) -> list[Path]:
    """Select the artifacts of some formats."""
    found = []
    for path in inputs:
        with reader.open(path) as file:
            found += [path] * (file.kind in kinds)
    return found


def chosen(files: list[Artifact], job: FigureJob) -> str | None:
    """The clip that the config, or the paper, names; None where a rule chooses.

    Raises:
        ArtifactError: it is not in the shard.
    """
    if job.clip is None:
        return None
    if job.clip.clip not in files[0].clips:
        raise ArtifactError(
            f"select.clips.{job.dataset}: {files[0].path} has no clip"
            f" {job.clip.clip}; it has {files[0].clips[0]}, for instance"
        )
    return job.clip.clip


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


def rows(sources: Sources, job: FigureJob, low: bool = False) -> list[Row]:
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
    return _common([sources.frames[each.frames_of] for each in drawn], sources, "frame")


def flows_in_common(sources: Sources, drawn: Iterable[Row]) -> Index:
    """Find the flows that are stored for all methods that have flow, as above."""
    stored = [sources.flow[r.flow_of] for r in drawn if r.flow_of in sources.flow]
    return _common(stored, sources, "flow")


def _common(stored: list[JoinedClip], sources: Sources, kind: str) -> Index:
    indices = [each.index for each in stored] or [np.array([], np.int64)]
    common: Index = indices[0]
    for index in indices[1:]:
        common = np.intersect1d(common, index)
    if not len(common):
        raise ArtifactError(
            f"no {kind} of {sources.name} is stored for all methods; set frames: all of"
            " its data set"
        )
    return common


def nearest(index: Index, job: FigureJob) -> int:
    """Choose the frame that the config or the paper names, or one in the middle."""
    if job.clip is None or job.clip.frame is None:
        return int(index[len(index) // 2])
    return int(index[np.abs(index - job.clip.frame).argmin()])


def busiest(map_hw: NDArray[np.floating], size: tuple[int, int]) -> tuple[int, int]:
    """Find the corner (y, x) of the box of a size whose sum is largest."""
    tall, wide = size
    sums = np.pad(map_hw, ((1, 0), (1, 0))).cumsum(0).cumsum(1)
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
