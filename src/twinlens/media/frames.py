"""Decode a shard's clips and keep the frames that the recogniser will read."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twinlens import provenance
from twinlens.artifacts import reader
from twinlens.artifacts.shard import Shard
from twinlens.artifacts.table import write_csv
from twinlens.degrade.bicubic import resize
from twinlens.errors import RejectedError
from twinlens.media import scan
from twinlens.media.ffmpeg import Limits, decode, sha1, unreadable
from twinlens.progress import say, track
from twinlens.protocol import Protocol, read_frames, with_neighbours

FRAMES = "frames/1"
REPORT = (
    "clip class label part status note frames kept width height fps container_frames"
    " sha1 path"
).split()
COUNTS = "label frames kept width height container_frames".split()


def frames(
    dataset: str,
    settings: dict[str, Any],
    part: str,
    protocol: Protocol,
    out: Path,
    report: Path,
    shard: int = 0,
    shards: int = 1,
    seed: int = 0,
    keep: str = "protocol",
    around: int = 0,
    seconds: float | None = None,
) -> None:
    """Decode the clips of one shard.

    Args:
        dataset: its name.
        settings: its entry in the config: `kind` and folders. `short_side` brings
            frames to this short side by MATLAB's bicubic, aspect kept, as the paper
            does with its corpus (section 4.1: "around 320x240"); `limits` holds fields
            of `Limits`.
        part: "train", "test" or "corpus".
        protocol: how the recogniser samples a clip.
        out: HDF5 "frames/1": of each clip `frames` uint8 (n, H, W, 3) RGB 0..255 and
            `index` int32 (n,), the place of each in the clip, ascending.
        report: csv of every clip with size, frames, fps, sha1, or why it was rejected.
        shard: which, from 0.
        shards: how many the part is cut into.
        seed: draws the training positions.
        keep: "protocol" for the frames that are read, "all" for every frame.
        around: neighbours to keep on each side of those, for networks that read several
            frames.
        seconds: that the decoding of a file may take, instead of the settings' own.

    Raises:
        DecodingError: a decoder was ended or a disk failed. Clips that are done stay
            done; that clip is not rejected, since nothing is known of it.
    """
    rows = scan.shard(settings, part, shard, shards)
    rows["sha1"] = [_sha1(Path(path)) for path in rows["path"]]
    short_side = settings.get("short_side")
    limits = Limits(**settings.get("limits", {}))
    limits = replace(limits, seconds=seconds or limits.seconds)
    source = "".join(rows["clip"] + rows["sha1"])
    about = provenance.about(
        "frames",
        ["twinlens.media.frames", f"twinlens.media.sets.{settings['kind']}"],
        {str(settings.get("videos")): hashlib.sha256(source.encode()).hexdigest()},
        dataset=dataset,
        part=part,
        method="hr",
        shard=[shard, shards],
        protocol=protocol.settings(),
        seed=seed,
        keep=keep,
        around=around,
        short_side=short_side,
        # Not its seconds, which decide nothing about a clip.
        limits=[limits.frames, limits.pixels, limits.bytes],
    )
    how = _How(part, protocol, seed, keep, around, short_side, limits)
    rejected: dict[str, str] = {}
    with Shard(out, FRAMES, about, list(rows["clip"])) as made:
        todo = rows[rows["clip"].isin(made.missing())]
        for row in track(todo.to_dict("records"), f"frames {dataset} {part}"):
            try:
                arrays, facts = _decoded(row, how)
            except RejectedError as reason:
                rejected[row["clip"]] = str(reason)
                say(f"REJECTED {row['path']}: {reason}")
                made.skip(row["clip"])
            else:
                made.write(row["clip"], arrays, **facts)
    write_csv(report, "report/1", _report(rows, out, rejected))


@dataclass(frozen=True, slots=True)
class _How:
    """The settings of `frames` that a clip needs."""

    part: str
    protocol: Protocol
    seed: int
    keep: str
    around: int
    short_side: int | None
    limits: Limits


def _decoded(
    row: Mapping[Any, Any], how: _How
) -> tuple[dict[str, NDArray[Any]], dict[str, str | float]]:
    """The frames to keep of a clip, and what its report says."""
    path = Path(row["path"])
    clip = decode(path, how.limits)
    total = len(clip.frames)
    if total < 2:
        raise RejectedError("one frame only: flow needs two")
    index = np.arange(total)
    if how.keep == "protocol" and how.part != "corpus":
        wanted = read_frames(total, how.part, how.protocol, row["clip"], how.seed)
        index = with_neighbours(wanted, how.around, total)
    kept = clip.frames[index]
    kept = fitted(kept, how.short_side)
    facts: dict[str, str | float] = {
        "frames": total,
        "fps": clip.fps,
        "container_frames": clip.container_frames,
        "concealed": clip.concealed,
        "sha1": row["sha1"],
    }
    return {"frames": kept, "index": index.astype(np.int32)}, facts


def _sha1(path: Path) -> str:
    """Digest of a file; "" if there is none, which decoding will report.

    Raises:
        DecodingError: it can't be read.
    """
    try:
        return sha1(path) if path.is_file() else ""
    except OSError as error:
        raise unreadable(path, error) from error


def fitted(frames: NDArray[np.uint8], short_side: int | None) -> NDArray[np.uint8]:
    """Frames shrunk to a short side, never enlarged; aspect kept. None leaves them."""
    if short_side is None:
        return frames
    height, width = frames.shape[1:3]
    scale = short_side / min(height, width)
    if scale >= 1:
        return frames
    return resize(frames, (round(scale * height), round(scale * width)))


def _report(rows: pd.DataFrame, out: Path, rejected: dict[str, str]) -> pd.DataFrame:
    """Rows for the manifest: what every clip is, or why it is not there."""
    lines = []
    with reader.open(out, FRAMES) as file:
        for row in rows.to_dict("records"):
            line = {key: row[key] for key in ("clip", "class", "label", "part")}
            if row["clip"] in rejected:
                line |= {"status": "rejected", "note": rejected[row["clip"]]}
            else:
                line |= _facts(file.clip(row["clip"]))
            lines.append({**line, "path": row["path"]})
    counts = dict.fromkeys(COUNTS, "Int64")  # also where rejected clips have none
    return pd.DataFrame(lines, columns=REPORT).astype(counts)


def _facts(group: Any) -> dict[str, Any]:
    """Size, length and source of a clip; a note where the container says otherwise."""
    height, width = group["frames"].shape[1:3]
    facts = group.facts
    stated, found = int(facts["container_frames"]), int(facts["frames"])
    notes = []
    if stated and stated != found:
        notes.append(f"its container states {stated} frames")
    if facts["concealed"]:
        notes.append(f"ffmpeg mended: {facts['concealed']}")
    return {
        **facts,
        "kept": len(group["index"]),
        "width": width,
        "height": height,
        "status": "ok",
        "note": "; ".join(notes),
    }
