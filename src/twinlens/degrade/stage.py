"""Write the low-resolution twin of every clip of a shard."""

from pathlib import Path

from twinlens import provenance
from twinlens.artifacts import reader
from twinlens.artifacts.shard import Shard
from twinlens.degrade.bicubic import downscale
from twinlens.progress import track

LOW = "low/1"


def degrade(
    frames: Path, out: Path, scale: int = 4, dataset: str | None = None
) -> None:
    """Shrink every frame of a shard.

    Args:
        frames: HDF5 "frames/1" of original clips.
        out: HDF5 "low/1": of each clip `frames` uint8 (n, ceil(H / scale),
            ceil(W / scale), 3), `index` as in `frames`, and as attributes `height` and
            `width` of the originals and the clip's number of `frames`.
        scale: how many times smaller each side becomes.
        dataset: that the frames must be of; any without.
    """
    with reader.open(frames, "frames/1", method="hr", dataset=dataset) as source:
        inherited = source.about
        about = provenance.about(
            "degrade",
            ["twinlens.degrade.stage"],
            reader.ids(frames),
            dataset=inherited["dataset"],
            part=inherited["part"],
            scale=scale,
        )
        names = source.clips
        with Shard(out, LOW, about, names) as shard:
            for name in track(shard.missing(), f"low {inherited['dataset']}"):
                clip = source.clip(name)
                low = downscale(clip["frames"][:], scale)
                height, width = clip["frames"].shape[1:3]
                arrays = {"frames": low, "index": clip["index"][:]}
                total = int(clip.facts["frames"])
                shard.write(name, arrays, height=height, width=width, frames=total)
