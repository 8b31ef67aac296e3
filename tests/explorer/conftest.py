"""A small world's explorer: two recognisers, two data sets, three methods, a pair."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.figures import clips
from tests.tables import scores
from twinlens import provenance
from twinlens.artifacts.shard import Shard
from twinlens.explorer.media import write_media
from twinlens.explorer.page import write_explorer
from twinlens.explorer.settings import Explorer, ExplorerJob, MediaJob
from twinlens.tables.settings import Layout

METHODS = {
    "bicubic": scores.method("bicubic", "Bicubic"),
    "vdsr": scores.method("vdsr", "VDSR"),
    "pair": scores.method("bicubic", "Pair", flow_of="vdsr"),
    "hr": scores.method("hr", "HR"),
}
DATASETS = {
    "one": scores.dataset("One </script><b>", generated=True),
    "two": scores.dataset("Two", generated=True),
}
NAMES = {
    "one": clips.NAMES,
    "two": [f"{name}/{at}" for name in ("Ada", "Ben") for at in range(10)],
}
# How many of a class's first clips each stream gets right.
RIGHT = {"bicubic": (1, 4), "vdsr": (2, 6), "hr": (3, 9)}


@dataclass(frozen=True)
class Small:
    """What a small explorer is written from."""

    inputs: list[Path]
    job: ExplorerJob


def layout(recogniser: str) -> Layout:
    label = {"tsn": "TSN", "net": "Net"}[recogniser]
    metrics = {"spatial": "views", "temporal": "views", "fusion": "clips"}
    return scores.layout(
        METHODS,
        DATASETS,
        recogniser=label,
        metrics=metrics if recogniser == "net" else {},
    )


def score_files(folder: Path, recogniser: str) -> Iterator[Path]:
    """Score shards as the workflow lays them out: two views of each clip."""
    for dataset, names in NAMES.items():
        classes = sorted({name.split("/")[0] for name in names})
        for row, rights in RIGHT.items():
            path = folder / f"scores/{recogniser}/{dataset}/{row}/test-00.h5"
            about = provenance.about(
                "score", [], {}, dataset=dataset, row=row, of=recogniser
            )
            with Shard(path, "scores/2", about, names) as file:
                for place, name in enumerate(names):
                    label = classes.index(name.split("/")[0])
                    of_class = [n for n in names if n.split("/")[0] == classes[label]]
                    rank = of_class.index(name)
                    arrays = {
                        head: _views(label, rank < right, half=place % 3 == 0)
                        for head, right in zip(scores.HEADS, rights, strict=True)
                    }
                    file.write(name, arrays, label=label)
            yield path


def _views(label: int, right: bool, half: bool) -> np.ndarray:
    """Scores of two views; `half`: the second view says another class than both do."""
    chosen = label if right else 1 - label
    values = np.zeros((2, 2), np.float32)
    values[:, chosen] = 2
    if half:
        values[1] = values[1, ::-1] / 2
    return values


@pytest.fixture(scope="session")
def small(tmp_path_factory) -> Small:
    folder = tmp_path_factory.mktemp("explorer")
    layouts = {name: layout(name) for name in ("tsn", "net")}
    tables = {"tsn": "table3", "net": "table4"}
    inputs = []
    for recogniser, shown in layouts.items():
        stored = list(score_files(folder, recogniser))
        files = scores.write(folder, tables[recogniser], stored, shown, "table3")
        inputs += [*stored, files.out, files.long]
    inputs.append(media(folder, layouts["tsn"], inputs))
    order = ("vdsr", "bicubic")
    job = ExplorerJob(layouts=layouts, tables=tables, order=order, clips=2)
    return Small(inputs, job)


def media(folder: Path, shown: Layout, inputs: list[Path], **facts) -> Path:
    """Pictures of the first data set's clips, two of a class at most."""
    out = folder / "media/test-00.h5"
    limits = Explorer(**({"clips": 2, "frames": 6} | facts))
    job = MediaJob(dataset="one", layout=shown, explorer=limits)
    write_media([*shards(folder), *of_dataset(inputs, "one")], job, out)
    return out


def shards(folder: Path) -> list[Path]:
    """Frames, low resolution and flow of the first data set's clips."""
    flows = range(clips.TOTAL - 1)
    return [
        *(clips.shard(folder, "frames", name) for name in RIGHT),
        clips.shard(folder, "low", "hr"),
        *(clips.shard(folder, "flow", name, flows) for name in RIGHT),
    ]


def of_dataset(inputs: list[Path], dataset: str) -> list[Path]:
    """The score shards of TSN on a data set."""
    return [each for each in inputs if each.match(f"scores/tsn/{dataset}/*/*.h5")]


@pytest.fixture(scope="session")
def written(small, tmp_path_factory) -> Path:
    """The explorer's folder."""
    out = tmp_path_factory.mktemp("page") / "explorer"
    write_explorer(small.inputs, small.job, out)
    return out
