"""Write the low-resolution version of every clip of a shard."""

from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from twinlens import provenance
from twinlens.artifacts import reader
from twinlens.artifacts.reader import Clip
from twinlens.artifacts.shard import map_clips
from twinlens.degrade.settings import Degradation
from twinlens.resample.bicubic import downscale
from twinlens.settings import mapping

LOW = "low/1"


def degrade(frames: Path, job: Degradation, out: Path) -> None:
    """Shrink every frame of a shard.

    Args:
        frames: HDF5 "frames/1" of original clips.
        job: what to do.
        out: HDF5 "low/1", by clip: `frames` uint8 (n, ceil(H / scale),
            ceil(W / scale), 3), `index` as in `frames`, and as attributes `height` and
            `width` of the originals.
    """
    with reader.open(frames, "frames/1", method="hr", dataset=job.dataset) as source:
        about = provenance.about(
            "degrade",
            ["twinlens.degrade.stage"],
            reader.ids(frames),
            **mapping(job),
            part=source.about["part"],
        )

        def shrink(
            _: str, clip: Clip
        ) -> tuple[dict[str, NDArray[Any]], dict[str, int]]:
            low = downscale(clip["frames"][:], job.scale)
            height, width = clip["frames"].shape[1:3]
            arrays = {"frames": low, "index": clip.index}
            return arrays, {"height": height, "width": width}

        map_clips(source, out, LOW, about, shrink, f"low {job.dataset}")
