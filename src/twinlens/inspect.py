"""Look inside an artifact: what it is, what it holds, and a sheet of pictures."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from twinlens.artifacts import reader
from twinlens.artifacts.publish import publish
from twinlens.artifacts.reader import Artifact
from twinlens.errors import ArtifactError
from twinlens.flow.colours import coloured, fastest
from twinlens.flow.encoding import decode

Image = NDArray[np.uint8]
TILE_HEIGHT = 120
GAP = 4
MOST_LINES = 8


def inspect(
    file: Path, sheet: Path | None = None, clips: int = 4, columns: int = 6
) -> None:
    """Print what an artifact says and holds, and draw a contact sheet beside it.

    Args:
        file: any HDF5 artifact.
        sheet: PNG to write; by default the file's name with `.png`.
        clips: clips to draw, spread over the shard.
        columns: pictures of each.

    Raises:
        ArtifactError: the file is not whole, or not ours.
    """
    if file.suffix in {".csv", ".md"}:
        raise ArtifactError(f"{file}: is text, to be read as it is")
    with reader.open(file) as artifact:
        print(*_lines(file, artifact), sep="\n")
        rows = [row for row in _rows(artifact, clips, columns) if row]
        if rows:
            path = sheet or file.with_suffix(".png")
            with publish(path) as temporary:
                if not cv2.imwrite(str(temporary), _sheet(rows)[..., ::-1]):
                    raise ArtifactError(f"{path}: can't be written as a picture")
            print(f"contact sheet: {path}")
            names = artifact.clips
            for index in _spread(len(names), clips):
                print(f"  {names[index]}")


def _lines(path: Path, file: Artifact) -> Iterator[str]:
    """Write the report, line by line."""
    about = dict(file.about)
    inputs = about.pop("inputs", {})
    size = path.stat().st_size / 1e6
    yield f"{path}: {file.kind}, {size:.1f} MB, complete"
    for key, value in about.items():
        text = json.dumps(value) if isinstance(value, dict | list) else value
        yield f"  {key}: {text}"
    for name, identity in inputs.items():
        yield f"  made from: {name} ({identity[:12]})"
    names = file.clips
    if names:
        yield f"clips: {len(names)}, {names[0]} ... {names[-1]}"
        yield from _summary(file, names)
    else:
        yield from _arrays(file)


def _summary(file: Artifact, names: list[str]) -> Iterator[str]:
    """Summarise each array over clips: dtype, shapes, count of items, range of some."""
    keys = sorted(file.clip(names[0]))
    some = names[:: max(1, len(names) // 16)]
    for key in keys:
        items = [file.clip(name)[key] for name in names]
        shapes = sorted({item.shape[1:] for item in items})
        count = sum(len(item) for item in items)
        values = [file.clip(name)[key][:] for name in some]
        yield (
            f"  {key}: {items[0].dtype}, {count} of shape"
            f" {' or '.join(map(str, shapes[:3]))}; {_range(values)}"
        )
    first = file.clip(names[0]).facts
    if first:
        facts = ", ".join(f"{key} {value}" for key, value in first.items())
        yield f"  {names[0]}: {facts}"


def _arrays(file: Artifact) -> Iterator[str]:
    """List the arrays of an artifact without clips, such as weights."""
    found = list(file.arrays())
    total = sum(math.prod(item.shape) for item in found)
    yield f"arrays: {len(found)}, {total:,} numbers"
    for item in found[:MOST_LINES]:
        yield f"  {item.name}: {item.dtype} {item.shape}; {_range([item[:]])}"
    if len(found) > MOST_LINES:
        yield f"  ... and {len(found) - MOST_LINES} more"


def _range(values: list[NDArray[Any]]) -> str:
    filled = [each for each in values if each.size]
    if not filled:
        return "empty"
    low, high = min(each.min() for each in filled), max(each.max() for each in filled)
    mean = np.mean([each.mean() for each in filled])
    return f"{low:.6g} .. {high:.6g}, mean {mean:.6g}"


# --- pictures -------------------------------------------------------------------------


def _rows(file: Artifact, clips: int, columns: int) -> list[list[Image]]:
    """Draw some clips: frames, frames beside their source, flow, or scores."""
    names = file.clips
    chosen = [names[index] for index in _spread(len(names), clips)]
    draw = {
        "frames/1": _frames,
        "low/1": _frames,
        "flow/1": _flow,
        "truth/1": _flow,
        "motion/1": _flow,
        "patches/1": _patches,
        "scores/2": _scores,
    }
    kind = file.kind
    if kind not in draw:
        return []
    rows = [draw[kind](file, name, columns) for name in chosen]
    source = _source(file) if kind in {"low/1", "frames/1"} else None
    if source is None:
        return rows
    with reader.open(source) as twin:
        there = set(twin.clips)
        pairs = [
            [row, _frames(twin, name, columns)] if name in there else [row]
            for name, row in zip(chosen, rows, strict=True)
        ]
    return [row for pair in pairs for row in pair]


def _source(file: Artifact) -> Path | None:
    """Find the artifact that frames come from, to draw beneath them."""
    for path in file.about.get("inputs", {}):
        if path.endswith(".h5") and Path(path).exists():
            return Path(path)
    return None


def _spread(count: int, most: int) -> list[int]:
    if not count:
        return []
    return sorted({int(index) for index in np.linspace(0, count - 1, most)})


def _frames(file: Artifact, name: str, columns: int) -> list[Image]:
    frames = file.clip(name)["frames"]
    return [frames[index] for index in _spread(len(frames), columns)]


def _flow(file: Artifact, name: str, columns: int) -> list[Image]:
    """Draw flow: hue is direction, saturation speed, one scale for a clip."""
    group = file.clip(name)
    stored = group["flow"] if "flow" in group else group["forward"]
    chosen = [stored[index] for index in _spread(len(stored), columns)]
    if stored.dtype == np.uint8:
        bound = float(file.about["form"]["bound"])
        chosen = [decode(each, bound) for each in chosen]
    full = fastest(np.stack(chosen))
    return [coloured(flow, full) for flow in chosen]


def _patches(file: Artifact, name: str, columns: int) -> list[Image]:
    """Draw patches: low resolution, original (both of a pair), motion or its weight."""
    group = file.clip(name)
    pictures: list[Image] = []
    each = 2 + group["high"].shape[1]
    for index in _spread(len(group["high"]), max(1, columns // each)):
        low = group["low"][index][0]
        pictures += [low[len(low) // 2], *group["high"][index]]
        if "flow" in group:
            flow = group["flow"][index].astype(np.float32)
            pictures.append(coloured(flow, fastest(flow)))
        else:
            speed = group["speed"][index].astype(np.float32)
            grey = (255 * speed / max(1e-6, speed.max())).astype(np.uint8)
            pictures.append(np.repeat(grey[..., None], 3, axis=-1))
    return pictures


def _scores(file: Artifact, name: str, columns: int) -> list[Image]:
    """Draw the scores of the stored heads: a bar a class, green where the label is."""
    group = file.clip(name)
    label = int(group.facts["label"])
    scored = [group[key][:].mean(axis=0) for key in group]
    return [_bars(scores, label) for scores in scored]


def _bars(scores: NDArray[np.float32], label: int) -> Image:
    picture = np.full((TILE_HEIGHT, 8 * len(scores) + GAP, 3), 255, np.uint8)
    heights = (scores - scores.min()) / max(1e-9, float(np.ptp(scores)))
    for index, height in enumerate(heights):
        top = TILE_HEIGHT - GAP - round(float(height) * (TILE_HEIGHT - 3 * GAP)) - 1
        colour = (40, 160, 60) if index == label else (150, 150, 150)
        picture[top:-GAP, GAP + 8 * index : GAP + 8 * index + 6] = colour
    return picture


def _sheet(rows: list[list[Image]]) -> Image:
    """Arrange rows of pictures on white, all resized to one height."""
    lines = [np.hstack([_framed(each) for each in row]) for row in rows]
    width = max(line.shape[1] for line in lines)
    filled = [
        np.pad(line, ((0, 0), (0, width - line.shape[1]), (0, 0)), constant_values=255)
        for line in lines
    ]
    return np.vstack(filled)


def _framed(picture: Image) -> Image:
    """Resize a picture to the sheet's height; pixels stay visible when enlarged."""
    height, width = picture.shape[:2]
    size = round(width * TILE_HEIGHT / height), TILE_HEIGHT
    how = cv2.INTER_NEAREST if height < TILE_HEIGHT else cv2.INTER_AREA
    resized = cv2.resize(picture, size, interpolation=how)
    return np.pad(resized, ((GAP, 0), (GAP, 0), (0, 0)), constant_values=255)
