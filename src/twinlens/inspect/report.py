"""Say what a file is and what it holds, as text or JSON, and draw a sheet of it."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from twinlens.artifacts import reader
from twinlens.artifacts.reader import Artifact
from twinlens.artifacts.table import read_csv
from twinlens.errors import ArtifactError, unusable
from twinlens.inspect import pictures, sheets

MOST_LINES = 8
"""Arrays of weights that the text lists."""
MARK = "# twinlens "
"""How the first line of a csv of ours begins."""


def inspect(
    file: Path,
    sheet: Path | None = None,
    clips: int = 4,
    columns: int = 6,
    json: bool = False,
) -> None:
    """Print what an artifact or csv says and holds, and draw a sheet beside it.

    Of clips, frames, flow, patches or scores are drawn; of a network the filters of its
    first layer and its curve; of a training's csv the curve.

    Args:
        file: any HDF5 artifact or csv of a world.
        sheet: PNG to write; by default the file's name with `-sheet.png` at its end.
        clips: clips to draw, spread over the shard.
        columns: pictures of each.
        json: print one JSON object, and nothing else.

    Raises:
        ArtifactError: the file is not whole, or not ours.
    """
    if file.suffix == ".csv":
        about, drawn = _csv(file)
    else:
        with reader.open(file) as artifact:
            about = _artifact(file, artifact)
            drawn = pictures.of_artifact(artifact, clips, columns)
    path = sheet or file.with_name(f"{file.stem}-sheet.png")
    if drawn.lines or drawn.curves:
        sheets.draw(f"{file.name}: {about['kind']}", drawn, path)
        about["sheet"] = str(path)
    print(_as_json(about) if json else "\n".join(_lines(about)))


def _as_json(about: dict[str, Any]) -> str:
    return json.dumps(about, ensure_ascii=False)


# --- artifacts ------------------------------------------------------------------------


def _artifact(path: Path, file: Artifact) -> dict[str, Any]:
    """Describe an artifact: what it says of itself, and each array."""
    about = dict(file.about)
    found: dict[str, Any] = {
        "file": str(path),
        "kind": file.kind,
        "bytes": path.stat().st_size,
        "checked": True,
        "inputs": about.pop("inputs", {}),
        "about": about,
    }
    if names := file.clips:
        first = file.clip(names[0])
        facts = {key: _plain(value) for key, value in first.facts.items()}
        return found | {
            "clips": names,
            "arrays": {key: _over_clips(file, names, key) for key in sorted(first)},
            "first_clip": facts,
        }
    return found | {"arrays": {item.name: _array(item) for item in file.arrays()}}


def _over_clips(file: Artifact, names: list[str], key: str) -> dict[str, Any]:
    """Summarise an array over clips; the range is that of some of them."""
    items = [file.clip(name)[key] for name in names]
    some = names[:: max(1, len(names) // 16)]
    return {
        "dtype": str(items[0].dtype),
        "count": sum(len(item) for item in items),
        "shapes": sorted({item.shape[1:] for item in items}),
        **_range([file.clip(name)[key][:] for name in some]),
    }


def _array(item: Any) -> dict[str, Any]:
    return {"dtype": str(item.dtype), "shape": item.shape, **_range([item[:]])}


def _range(values: list[NDArray[Any]]) -> dict[str, float]:
    filled = [each for each in values if each.size]
    if not filled:
        return {}
    return {
        "low": _plain(min(each.min() for each in filled)),
        "high": _plain(max(each.max() for each in filled)),
        "mean": float(np.mean([each.mean() for each in filled])),
    }


def _plain(value: Any) -> Any:
    """A number of numpy's as one of Python's."""
    return value.item() if isinstance(value, np.generic) else value


# --- csv ------------------------------------------------------------------------------


def _csv(path: Path) -> tuple[dict[str, Any], pictures.Drawn]:
    """Describe a csv of ours: its first line and each column; its curve, if it has one.

    Raises:
        ArtifactError: there is none, it was cut off or edited, or it is no csv of ours.
    """
    if not path.is_file():
        raise ArtifactError(f"{path}: no such file; run the workflow to make it")
    first = path.read_text(encoding="utf-8", errors="replace").partition("\n")[0]
    if not first.startswith(MARK):
        raise ArtifactError(
            f"{path}: is a csv of another program (ours begin with {MARK.strip()!r})"
        )
    kind = first.removeprefix(MARK)
    if checked := "sha256=" in kind:
        kind = kind.split()[0]
        rows = read_csv(path, kind)
    else:
        rows = _table(path)
        kind = kind.partition(":")[0].partition(",")[0]
    about = {
        "file": str(path),
        "kind": kind,
        "bytes": path.stat().st_size,
        "checked": checked,
        "first_line": first.removeprefix("# "),
        "rows": len(rows),
        "columns": {str(name): _column(rows[name]) for name in rows},
    }
    return about, pictures.of_training(rows) if kind == "training/1" else pictures.NONE


def _table(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path, skiprows=1, keep_default_na=False)
    except (ValueError, pd.errors.ParserError) as error:
        raise unusable(path, f"can't be read ({error})") from error


def _column(values: "pd.Series[Any]") -> dict[str, Any]:
    """Summarise a column: a range of numbers, or how many texts there are."""
    numbers = pd.to_numeric(values.replace("", np.nan), errors="coerce")
    stated = values[values.astype(str) != ""]
    if len(stated) and numbers[stated.index].notna().all():
        known = numbers.dropna()
        return {
            "count": len(known),
            "low": _plain(known.min()),
            "high": _plain(known.max()),
            "mean": float(known.mean()),
        }
    texts = stated.astype(str).unique().tolist()
    return {"count": len(stated), "different": len(texts), "such as": texts[:3]}


# --- text -----------------------------------------------------------------------------


def _lines(about: dict[str, Any]) -> Iterator[str]:
    """Write a description, line by line."""
    whole = "complete" if about["checked"] else "not checked: it has no digest"
    yield f"{about['file']}: {about['kind']}, {about['bytes'] / 1e6:.1f} MB, {whole}"
    for key, value in about.get("about", {}).items():
        text = json.dumps(value) if isinstance(value, dict | list) else value
        yield f"  {key}: {text}"
    for name, identity in about.get("inputs", {}).items():
        yield f"  made from: {name} ({identity[:12]})"
    if "clips" in about:
        yield from _lines_of_clips(about)
    elif "columns" in about:
        yield from _lines_of_columns(about)
    else:
        yield from _lines_of_arrays(about["arrays"])
    if "sheet" in about:
        yield f"sheet: {about['sheet']}"


def _lines_of_clips(about: dict[str, Any]) -> Iterator[str]:
    names = about["clips"]
    yield f"clips: {len(names)}, {names[0]} ... {names[-1]}"
    for key, each in about["arrays"].items():
        shapes = " or ".join(map(str, each["shapes"][:3]))
        what = f"{each['dtype']}, {each['count']} of shape {shapes}"
        yield f"  {key}: {what}; {_said(each)}"
    if about["first_clip"]:
        facts = ", ".join(
            f"{key} {value}" for key, value in about["first_clip"].items()
        )
        yield f"  {names[0]}: {facts}"


def _lines_of_arrays(arrays: dict[str, Any]) -> Iterator[str]:
    """List the arrays of an artifact without clips, such as weights."""
    total = sum(math.prod(each["shape"]) for each in arrays.values())
    yield f"arrays: {len(arrays)}, {total:,} numbers"
    for name, each in list(arrays.items())[:MOST_LINES]:
        yield f"  {name}: {each['dtype']} {each['shape']}; {_said(each)}"
    if len(arrays) > MOST_LINES:
        yield f"  ... and {len(arrays) - MOST_LINES} more"


def _lines_of_columns(about: dict[str, Any]) -> Iterator[str]:
    yield f"  {about['first_line']}"
    yield f"rows: {about['rows']}"
    for name, each in about["columns"].items():
        if "different" in each:
            some = ", ".join(each["such as"])
            text = f"{each['different']} different" + f", such as {some}" * bool(some)
        else:
            text = _said(each)
        yield f"  {name}: {each['count']} stated; {text}"


def _said(each: dict[str, Any]) -> str:
    if "low" not in each:
        return "empty"
    return f"{each['low']:.6g} .. {each['high']:.6g}, mean {each['mean']:.6g}"
