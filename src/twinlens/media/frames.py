"""Decode a shard's clips and keep the frames that recognisers read."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twinlens import provenance
from twinlens.artifacts import reader
from twinlens.artifacts.contents import sha1
from twinlens.artifacts.shard import Shard
from twinlens.artifacts.table import write_csv
from twinlens.errors import RejectedError, message
from twinlens.media import detail, scan
from twinlens.media.ends import stated_frames
from twinlens.media.ffmpeg import decode, unreadable
from twinlens.media.settings import Decoding, Limits
from twinlens.media.survey import Survey, keep
from twinlens.progress import say, track
from twinlens.recognisers import with_neighbours
from twinlens.settings import mapping

FRAMES = "frames/1"
REPORT = (
    "clip class label part status note frames kept width height fps end"
    " sha1 content look detail path"
).split()
FEWER = 0.98
"""Of the frames that a header states: writers count some that are empty."""
COUNTS = "label frames kept width height".split()


def frames(
    job: Decoding, out: Path, report: Path, seconds: float | None = None
) -> None:
    """Decode the clips of one shard.

    Args:
        job: which clips, and which of their frames to keep. `short_side` of its source
            brings frames to this short side by MATLAB's bicubic, aspect kept, as the
            paper does with its corpus (section 4.1: "around 320x240").
        out: HDF5 "frames/1", by clip: `frames` uint8 (n, H, W, 3) RGB 0..255 and
            `index` int32 (n,), the index of each in the clip, ascending.
        report: csv of every clip with size, frames, fps, sha1, or why it was rejected.
        seconds: that the decoding of a file may take, instead of the source's own.

    Raises:
        DecodingError: a decoder was ended or a disk failed. Clips that are done stay
            done; that clip is not rejected, since nothing is known of it.
    """
    source = job.source
    rows = scan.shard(source, job.part, job.shard, job.shards)
    rows["sha1"] = [_sha1(Path(path), source.limits.file) for path in rows["path"]]
    limits = replace(source.limits, seconds=seconds or source.limits.seconds)
    rejected: dict[str, str] = {}
    with Shard(out, FRAMES, _about(job, rows), list(rows["clip"])) as shard:
        todo = rows[rows["clip"].isin(shard.missing())]
        for row in track(todo.to_dict("records"), f"frames {job.dataset} {job.part}"):
            try:
                arrays, facts = _decoded(row, job, limits, out.parent)
            except RejectedError as reason:
                rejected[row["clip"]] = str(reason)
                say(f"REJECTED {row['path']}: {reason}")
                shard.skip(row["clip"])
            else:
                shard.write(row["clip"], arrays, **facts)
    write_csv(report, "report/1", _report(rows, out, rejected))


def _about(job: Decoding, rows: pd.DataFrame) -> dict[str, Any]:
    """Describe the artifact: files by their bytes, whatever folder they lie in."""
    source = job.source
    listed = rows["clip"] + rows["label"].astype(str) + rows["sha1"]
    digest = hashlib.sha256("".join(listed).encode()).hexdigest()
    limits = {**asdict(source.limits), "seconds": None}
    return provenance.about(
        "frames",
        ["twinlens.media.frames", f"twinlens.media.sets.{source.kind}", *job.modules],
        {str(source.videos): digest},
        dataset=job.dataset,
        part=job.part,
        method="hr",
        shard=[job.shard, job.shards],
        reading=mapping(job.reading),
        around=job.around,
        short_side=source.short_side,
        detail_at=job.detail_at,
        limits=limits,
    )


def _decoded(
    row: Mapping[Any, Any], job: Decoding, limits: Limits, folder: Path
) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Decode the frames to keep of a clip, and what its report says."""
    path = Path(row["path"])
    clip = decode(path, limits, Survey)
    if clip.total < 2:
        raise RejectedError("one frame only: flow needs two")
    wanted = job.reading.frames(clip.total, row["clip"])
    index = with_neighbours(wanted, job.around, clip.total)
    kept = keep(path, limits, clip, index, job.source.short_side, folder)
    facts = {
        "frames": clip.total,
        "label": int(row["label"]),
        "fps": clip.fps,
        "end": clip.end,
        "notes": "; ".join(_notes(path, clip)),
        "sha1": row["sha1"],
        "content": clip.content,
        "look": clip.look,
        "detail": _detail(kept, job.detail_at),
    }
    return {"frames": kept, "index": index.astype(np.int32)}, facts


def _notes(path: Path, clip: Survey) -> list[str]:
    """Say what is odd about a clip that is used."""
    notes, stated = list(clip.notes), stated_frames(path)
    if clip.total < FEWER * stated - 2:
        notes.append(message(f"its header states {stated} frames"))
    return notes


def _detail(frames: NDArray[np.uint8], scale: int | None) -> float | str:
    """Measure the fine detail of a middle frame at low resolution; "" for none."""
    if scale is None or not len(frames):
        return ""
    frame = frames[len(frames) // 2]
    found = detail.of_low(frame) if scale == 1 else detail.of_high(frame, scale)
    return "" if found is None else found


def _sha1(path: Path, most: int) -> str:
    """Digest of a file; "" for none or a larger one, which decoding will reject.

    Raises:
        DecodingError: it can't be read.
    """
    try:
        readable = path.is_file() and path.stat().st_size <= most
        return sha1(path) if readable else ""
    except OSError as error:
        raise unreadable(path, error) from error


def _report(rows: pd.DataFrame, out: Path, rejected: dict[str, str]) -> pd.DataFrame:
    """Build the manifest's rows: what every clip is, or why it is not there."""
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
    """Read a clip's size, length and source."""
    height, width = group["frames"].shape[1:3]
    facts = group.facts
    return {
        **facts,
        "kept": len(group["index"]),
        "width": width,
        "height": height,
        "status": "ok",
        "note": facts["notes"],
    }
