"""What of a file is drawn: lines of pictures with a label each, and curves."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twinlens.artifacts import reader
from twinlens.artifacts.reader import Artifact
from twinlens.artifacts.table import read_csv
from twinlens.flow.colours import coloured, fastest
from twinlens.flow.encoding import decode

Image = NDArray[np.uint8]
LOGGED = ("psnr", "accuracy", "loss")
"""Columns of a training's csv that its curves show."""


class Picture(NamedTuple):
    """A picture of a line."""

    title: str
    image: Image


class Bars(NamedTuple):
    """Numbers of a line, of which one is the label's."""

    title: str
    values: NDArray[np.floating]
    label: int


class Line(NamedTuple):
    """Pictures side by side."""

    label: str
    pictures: list[Picture | Bars]


class Curve(NamedTuple):
    """Values over steps."""

    label: str
    steps: NDArray[np.floating]
    values: NDArray[np.floating]


class Drawn(NamedTuple):
    """What a sheet shows."""

    lines: list[Line]
    curves: list[Curve]


NONE = Drawn([], [])


def of_artifact(file: Artifact, clips: int, columns: int) -> Drawn:
    """Draw some clips of a shard, or a network's first filters and its curve.

    Args:
        file: any artifact.
        clips: how many, spread over the shard.
        columns: pictures of each.
    """
    if file.kind == "network/1":
        log = file.path.with_suffix(".csv")
        curve = of_training(read_csv(log, "training/1")) if log.is_file() else NONE
        return Drawn(_filters(file, columns), curve.curves)
    draw = {
        "frames/1": _frames,
        "low/1": _frames,
        "flow/1": _flow,
        "truth/1": _flow,
        "motion/1": _flow,
        "patches/1": _patches,
        "scores/2": _scores,
        "media/1": _media,
    }
    if file.kind not in draw:
        return NONE
    chosen = [file.clips[index] for index in _spread(len(file.clips), clips)]
    lines = [draw[file.kind](file, name, columns) for name in chosen]
    if file.kind in {"low/1", "frames/1"} and (source := _source(file)):
        lines = _beside(lines, chosen, source, columns)
    return Drawn([line for line in lines if line.pictures], [])


def of_training(rows: pd.DataFrame) -> Drawn:
    """The curves of a training's csv: PSNR or accuracy, and loss, where stated."""
    curves = []
    for name in LOGGED:
        if name in rows:
            values = pd.to_numeric(rows[name], errors="coerce")
            known = values.notna()
            steps = rows.loc[known, "step"].to_numpy(np.float64)
            if known.any():
                curves.append(Curve(name, steps, values[known].to_numpy(np.float64)))
    return Drawn([], curves)


def _spread(count: int, most: int) -> list[int]:
    if not count:
        return []
    return sorted({int(index) for index in np.linspace(0, count - 1, most)})


def _source(file: Artifact) -> Path | None:
    """Find the artifact that frames come from, to draw beneath them."""
    for path in file.about.get("inputs", {}):
        if path.endswith(".h5") and Path(path).exists():
            return Path(path)
    return None


def _beside(
    lines: list[Line], names: list[str], source: Path, columns: int
) -> list[Line]:
    """Put the source of each clip below it."""
    found = []
    with reader.open(source) as twin:
        there = set(twin.clips)
        for line, name in zip(lines, names, strict=True):
            found.append(line)
            if name in there:
                below = _frames(twin, name, columns)
                found.append(below._replace(label=f"made from, {below.label}"))
    return found


def _frames(file: Artifact, name: str, columns: int) -> Line:
    clip = file.clip(name)
    frames = clip["frames"]
    index = clip.index if "index" in clip else np.arange(len(frames))
    height, width = frames.shape[1:3]
    return Line(
        f"{name}\n{height} x {width}",
        [
            Picture(f"frame {index[at]}", frames[at])
            for at in _spread(len(frames), columns)
        ],
    )


def _flow(file: Artifact, name: str, columns: int) -> Line:
    """Draw flow: hue is direction, saturation speed, one scale for a clip."""
    clip = file.clip(name)
    stored = clip["flow"] if "flow" in clip else clip["forward"]
    index = clip.index if "index" in clip else np.arange(len(stored))
    places = _spread(len(stored), columns)
    chosen = [stored[at] for at in places]
    if not chosen:
        return Line(name, [])
    if stored.dtype == np.uint8:
        bound = float(file.about["form"]["bound"])
        chosen = [decode(each, bound) for each in chosen]
    full = fastest(np.stack(chosen))
    return Line(
        f"{name}\nfull colour {full:.1f} px",
        [
            Picture(f"from frame {index[at]}", coloured(flow, full))
            for at, flow in zip(places, chosen, strict=True)
        ],
    )


def _patches(file: Artifact, name: str, columns: int) -> Line:
    """Draw patches: low resolution, original (both of a pair), motion or its weight."""
    group = file.clip(name)
    pictures: list[Picture | Bars] = []
    each = 2 + group["high"].shape[1]
    for place in _spread(len(group["high"]), max(1, columns // each)):
        low = group["low"][place][0]
        pictures.append(Picture(f"patch {place}: low", low[len(low) // 2]))
        pictures += [Picture("target", high) for high in group["high"][place]]
        pictures.append(_motion(group, place))
    return Line(name, pictures)


def _motion(group: Any, place: int) -> Picture:
    if "flow" in group:
        flow = group["flow"][place].astype(np.float32)
        full = fastest(flow)
        return Picture(f"flow, {full:.1f} px", coloured(flow, full))
    speed = group["speed"][place].astype(np.float32)
    most = max(1e-6, float(speed.max()))
    grey = (255 * speed / most).astype(np.uint8)
    return Picture(f"speed, {most:.1f} px", np.repeat(grey[..., None], 3, axis=-1))


def _scores(file: Artifact, name: str, _columns: int) -> Line:
    """Draw the scores of the stored heads: a bar a class."""
    group = file.clip(name)
    label = int(group.facts["label"])
    return Line(name, [Bars(key, group[key][:].mean(axis=0), label) for key in group])


def _media(file: Artifact, name: str, columns: int) -> Line:
    """Draw a frame of each strip."""
    import cv2  # strips are WebP

    clip = file.clip(name)
    count = len(clip.index)
    pictures: list[Picture | Bars] = []
    for strip in [each for each in clip if each != "index"][:columns]:
        whole = cv2.imdecode(clip[strip][:], cv2.IMREAD_COLOR)
        tall = len(whole) // count
        shown = whole[count // 2 * tall :][:tall, :, ::-1]
        pictures.append(Picture(strip, np.ascontiguousarray(shown, dtype=np.uint8)))
    return Line(f"{name}\n{count} frames", pictures)


def _filters(file: Artifact, columns: int) -> list[Line]:
    """Draw kernels of the first layer that has some: two lines of them at most."""
    stored = {item.name.removeprefix("/state/"): item for item in file.arrays()}
    for name in filter(stored.__contains__, _layers(file.about) or list(stored)):
        item = stored[name]
        if len(item.shape) >= 4 and min(item.shape[-2:]) > 1:
            return _of_layer(name, item[:].astype(np.float32), columns)
    return []


def _layers(about: dict[str, Any]) -> list[str]:
    """The names of a network's weights in its own order; none of an unknown one."""
    if "family" not in about:
        return []
    from twinlens.networks import build  # PyTorch, for networks alone
    from twinlens.networks.job import Build

    of = Build(
        where="", family=about["family"], kind=about["kind"], settings=about["settings"]
    )
    return list(build.built(of).state_dict())


def _of_layer(name: str, kernels: NDArray[np.float32], columns: int) -> list[Line]:
    """Draw kernels (out, in, ..., h, w): as colours of 3 channels, else their mean."""
    count, channels = kernels.shape[:2]
    flat = kernels.reshape(count, channels, -1, *kernels.shape[-2:]).mean(axis=2)
    shown = flat if channels == 3 else flat.mean(axis=1, keepdims=True).repeat(3, 1)
    most = max(1e-9, float(np.abs(shown).max()))
    images = (
        np.rint(127.5 + 127.5 * shown / most).astype(np.uint8).transpose(0, 2, 3, 1)
    )
    total = min(count, 2 * columns)
    label = f"{name}\nblack -{most:.2g}, white {most:.2g}"
    return [
        Line(
            label,
            [
                Picture(f"filter {n}", images[n])
                for n in range(at, min(at + columns, total))
            ],
        )
        for at in range(0, total, columns)
    ]
