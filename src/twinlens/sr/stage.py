"""Super-resolve every clip of a shard by one method."""

from pathlib import Path
from typing import Any

from twinlens import formats, models, provenance
from twinlens.progress import track


def enlarge(
    low: Path,
    method: str,
    model: str,
    out: Path,
    settings: dict[str, Any] | None = None,
) -> None:
    """Enlarge every frame of a shard to the size of its original.

    Args:
        low: HDF5 "low/1", or "frames/1" where the clips are low-resolution already.
        method: the method's name in the config.
        model: the file in `twinlens.models` that does it.
        out: HDF5 "frames/1": of each clip `frames` uint8 (n, H, W, 3) and `index`.
        settings: arguments of the model's `build`.
    """
    upscale = models.build(model, **(settings or {}))
    with formats.reading(low) as source:
        inherited = formats.about(source)
        about = provenance.about(
            "sr",
            ["twinlens.sr.stage", f"twinlens.models.{model}"],
            formats.ids(low),
            dataset=inherited["dataset"],
            part=inherited["part"],
            method=method,
            settings=settings or {},
        )
        names = formats.clips(source)
        with formats.Shard(out, "frames/1", about, names) as shard:
            for name in track(shard.missing(), f"sr {inherited['dataset']} {method}"):
                clip = formats.clip(source, name)
                high = upscale(clip["frames"][:])
                # ASSUME: the paper is silent on sides that 4 does not divide: MATLAB's
                # low resolution is ceil(n / 4), and the result is cut to n.
                height = int(clip.attrs.get("height", high.shape[1]))
                width = int(clip.attrs.get("width", high.shape[2]))
                arrays = {"frames": high[:, :height, :width], "index": clip["index"][:]}
                shard.write(name, arrays)
