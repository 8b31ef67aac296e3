"""Write the explorer: a page, the scores of each class, and pictures of some clips."""

import hashlib
import html
import json
import string
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from twinlens.artifacts import reader
from twinlens.artifacts.publish import publish_folder
from twinlens.errors import ArtifactError, unusable
from twinlens.explorer import verdicts
from twinlens.explorer.media import MEDIA
from twinlens.explorer.settings import ExplorerJob
from twinlens.figures import sources, style
from twinlens.progress import say
from twinlens.recognition import SCORES
from twinlens.tables import accuracy, facts, forms
from twinlens.tables.accuracy import Scores

SITE = Path(__file__).parent / "site"
Rows = dict[str, Scores]
ByDataset = dict[str, dict[str, Rows]]
"""Rows by data set and recogniser."""


class Place(NamedTuple):
    """A clip of a data set."""

    dataset: str
    number: int


def write_explorer(inputs: list[Path], job: ExplorerJob, out: Path) -> None:
    """Write a folder with a page that opens from disk and asks no host for anything.

    Args:
        inputs: score shards (in `<recogniser>/<data set>/<row>/`), the csv and long
            csv of each recogniser's table, HDF5 "media/1".
        job: what is shown.
        out: the folder: `index.html`, `scores/<data set>/<label>.js`,
            `media/<data set>/<clip>/<strip>.webp`.

    Raises:
        ArtifactError: an input is damaged or missing, or rows are of other clips.
    """
    tables = [each for each in inputs if each.suffix == ".csv"]
    stored = [each for each in inputs if each.suffix == ".h5"]
    rows = _rows(sources.of_kinds(stored, SCORES), job)
    first = {name: _first(name, of) for name, of in rows.items()}
    with publish_folder(out) as folder:
        shown = _shown(rows, first, job)
        media = _write_media(sources.of_kinds(stored, MEDIA), first, shown, folder)
        _write_scores(rows, first, job, folder)
        _write_page(_page(rows, first, media, tables, job), folder)
    say(f"open {out}/index.html in a browser")


def _rows(shards: list[Path], job: ExplorerJob) -> ByDataset:
    """Read the scores of each table's rows."""
    of_recogniser = defaultdict(list)
    for path in shards:
        of_recogniser[path.parents[2].name].append(path)
    found: ByDataset = defaultdict(dict)
    for name, layout in job.layouts.items():
        loaded = accuracy.load(of_recogniser[name])
        for dataset in layout.datasets:
            found[dataset][name] = verdicts.rows(loaded, layout, dataset)
    return dict(found)


def _first(dataset: str, of_recognisers: dict[str, Rows]) -> Scores:
    """The clips and labels of a data set, the same in all of its rows."""
    every = {
        f"{n}/{row}": s for n, of in of_recognisers.items() for row, s in of.items()
    }
    return verdicts.same(every, dataset)


# --- what is read on demand -----------------------------------------------------------


def _shown(rows: ByDataset, first: Rows, job: ExplorerJob) -> dict[str, set[str]]:
    """The clips with pictures: those of each class that methods agree least on.

    Each shard has as many of its own.
    """
    recogniser, layout = next(iter(job.layouts.items()))
    found = {}
    for dataset, scores in first.items():
        right = verdicts.right(rows[dataset][recogniser], layout)
        clips = facts.most_disputed(right, scores, scores.clips, job.clips)
        found[dataset] = set(clips)
    return found


def _write_media(
    shards: list[Path], first: Rows, shown: dict[str, set[str]], folder: Path
) -> dict[Place, dict[str, Any]]:
    """Write the strips of the clips that are shown; what the page must know of them."""
    found: dict[Place, dict[str, Any]] = {}
    for path in shards:
        with reader.open(path, MEDIA) as file:
            dataset = file.about["dataset"]
            for name in filter(shown[dataset].__contains__, file.clips):
                clip = file.clip(name)
                place = Place(dataset, first[dataset].clips.index(name))
                strips = [each for each in clip if not each.endswith("index")]
                target = folder / "media" / dataset / str(place.number)
                target.mkdir(parents=True)
                for each in strips:
                    (target / f"{each}.webp").write_bytes(clip[each][:].tobytes())
                sizes = {
                    key: float(clip.facts[key]) for key in ("height", "width", "full")
                }
                indices = {
                    key: clip[key][:].tolist() for key in ("index", "flow_index")
                }
                found[place] = {**indices, "strips": strips, **sizes}
    return found


def _write_scores(rows: ByDataset, first: Rows, job: ExplorerJob, folder: Path) -> None:
    """Write the best scores of each class's clips, a script for each class."""
    for dataset, clips in first.items():
        (folder / "scores" / dataset).mkdir(parents=True)
        best = _best(rows[dataset], job)
        for label in np.unique(clips.labels).tolist():
            places = np.flatnonzero(clips.labels == label).tolist()
            found = {place: _of_clip(best, place) for place in places}
            name, text = f"{dataset}/{label}", json.dumps(found, separators=(",", ":"))
            script = f"twinlensScores({json.dumps(name)}, {text});\n"
            (folder / "scores" / f"{name}.js").write_text(script, encoding="utf-8")


def _best(of_recognisers: dict[str, Rows], job: ExplorerJob) -> dict[str, Any]:
    """The best scores of all clips, by recogniser, row and stream."""
    return {
        name: {
            row: {
                stream: verdicts.best(scores, stream, job.layouts[name])
                for stream in verdicts.shown(job.layouts[name], row)
            }
            for row, scores in of_rows.items()
        }
        for name, of_rows in of_recognisers.items()
    }


def _of_clip(best: dict[str, Any], place: int) -> dict[str, Any]:
    """The same of a single clip."""
    return {
        name: {
            row: {stream: of_clips[place] for stream, of_clips in streams.items()}
            for row, streams in of_rows.items()
        }
        for name, of_rows in best.items()
    }


# --- the page -------------------------------------------------------------------------


def _page(
    rows: ByDataset,
    first: Rows,
    media: dict[Place, dict[str, Any]],
    tables: list[Path],
    job: ExplorerJob,
) -> dict[str, Any]:
    """Collect what the page itself holds."""
    layout = next(iter(job.layouts.values()))
    of_dataset: dict[str, dict[int, Any]] = defaultdict(dict)
    for place, about in media.items():
        of_dataset[place.dataset][place.number] = about
    about_data = layout.datasets.values()
    return {
        "world": layout.world,
        "note": layout.note,
        "generated": [each.label for each in about_data if each.generated],
        "datasets": [_dataset(name, first[name], job) for name in layout.datasets],
        "recognisers": [_recogniser(name, job) for name in job.layouts],
        "rows": _methods(job),
        "reference": forms.standing_for(layout, "Bicubic")
        or next(iter(layout.methods)),
        "taken": {
            dataset: {
                name: _taken(of, job, name) for name, of in of_recognisers.items()
            }
            for dataset, of_recognisers in rows.items()
        },
        "cells": {name: _cells(name, tables, job) for name in job.layouts},
        "chosen_by": f"{layout.recogniser}, {verdicts.streams(layout)[-1]}",
        "tables": [{"file": each.name, "sha256": _sha256(each)} for each in tables],
        "media": of_dataset,
    }


def _dataset(name: str, clips: Scores, job: ExplorerJob) -> dict[str, Any]:
    layout = next(iter(job.layouts.values()))
    names = facts.class_names(clips, job.classes.get(name, ()))
    classes = [names.get(label, f"class {label}") for label in range(max(names) + 1)]
    return {
        "name": name,
        "label": layout.datasets[name].label,
        "classes": classes,
        "clips": [each.partition("/")[2] for each in clips.clips],
        "labels": verdicts.as_base64(clips.labels),
    }


def _recogniser(name: str, job: ExplorerJob) -> dict[str, Any]:
    layout = job.layouts[name]
    streams = [
        {"name": stream, "metric": facts.metric(layout, stream)}
        for stream in verdicts.streams(layout)
    ]
    table = job.tables[name]
    return {
        "name": name,
        "label": layout.recogniser,
        "table": table,
        "streams": streams,
    }


def _methods(job: ExplorerJob) -> list[dict[str, Any]]:
    """The rows of the tables, in their order."""
    layout = next(iter(job.layouts.values()))
    return [
        {
            "name": name,
            "label": layout.methods[name].label,
            "color": style.mark(layout, job.order, name).color,
            "frames_of": layout.methods[name].frames_of,
            "flow_of": layout.methods[name].flow_of,
        }
        for name in forms.order(layout)
    ]


def _taken(of_rows: Rows, job: ExplorerJob, recogniser: str) -> dict[str, Any]:
    layout = job.layouts[recogniser]
    return {
        row: {
            stream: verdicts.packed(scores, stream, layout)
            for stream in verdicts.shown(layout, row)
        }
        for row, scores in of_rows.items()
    }


def _cells(recogniser: str, tables: list[Path], job: ExplorerJob) -> dict[str, Any]:
    """The numbers of a recogniser's table by data set, row and stream."""
    layout, name = job.layouts[recogniser], f"{job.tables[recogniser]}_long.csv"
    path = next((each for each in tables if each.name == name), None)
    if path is None:
        raise ArtifactError(f"no {name} among the inputs")
    datasets = {each.label: key for key, each in layout.datasets.items()}
    rows = {each.label: key for key, each in layout.methods.items()}
    found: dict[str, Any] = defaultdict(lambda: defaultdict(dict))
    try:
        for line in _lines(path):
            row, stream = rows[line["method"]], line["stream"].lower()
            found[datasets[line["dataset"]]][row][stream] = float(line["accuracy"])
    except (KeyError, ValueError) as error:
        raise unusable(path, f"is not of these methods ({error})") from error
    return found


def _lines(path: Path) -> Iterator[dict[str, str]]:
    table = pd.read_csv(path, skiprows=1, keep_default_na=False, dtype=str)
    yield from table.to_dict("records")  # type: ignore[misc]


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _write_page(page: dict[str, Any], folder: Path) -> None:
    # As JSON within HTML, whatever names hold: a "<" may begin no tag.
    text = json.dumps(page, separators=(",", ":")).replace("<", "\\u003c")
    template = string.Template((SITE / "page.html").read_text(encoding="utf-8"))
    (folder / "index.html").write_text(
        template.substitute(
            title=html.escape(f"twinlens, world {page['world']}"),
            style=(SITE / "style.css").read_text(encoding="utf-8"),
            script=(SITE / "explorer.js").read_text(encoding="utf-8"),
            data=text,
        ),
        encoding="utf-8",
    )
