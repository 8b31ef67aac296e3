"""Small score shards of classes with known right and wrong clips, and their layouts."""

import numpy as np

from twinlens import provenance
from twinlens.artifacts.shard import Shard
from twinlens.tables import published
from twinlens.tables.forms import Files
from twinlens.tables.settings import Dataset, Layout, Method, TableJob
from twinlens.tables.write import write_table

HEADS = ("spatial", "temporal")


def files(folder, name):
    """Where a table's forms go."""
    return Files(
        out=folder / f"{name}.csv",
        long=folder / f"{name}_long.csv",
        markdown=folder / f"{name}.md",
        latex=folder / f"{name}.tex",
    )


def method(name, label=None, paper=None, flow_of=None):
    """A method in a table that takes its own scores, or those of a pair.

    It stands for the row of the paper that its label names, if there is one.
    """
    label = label or name.upper()
    flow_of = flow_of or name
    return Method(
        label=label,
        frames_of=name,
        flow_of=flow_of,
        scores=dict(zip(HEADS, (name, flow_of), strict=True)),
        paper=paper or (label if label in published.ROWS else None),
    )


def dataset(label, **facts):
    """A data set, the paper's where its label says so."""
    paper = label if label in published.DATASETS else None
    return Dataset(label=label, **{"paper": paper, **facts})


def layout(methods, datasets=None, **changes):
    """What a table shows, by default of one generated data set."""
    datasets = datasets or {"one": dataset("One", generated=True)}
    settings = {"world": "small", "note": "a test", **changes}
    return Layout(datasets=datasets, methods=methods, **settings)


def write(folder, name, inputs, layout, module=None, cautions=()):
    """Write a table as its stage does; its files."""
    written = files(folder, name)
    job = TableJob(name=name, module=module or name, layout=layout)
    write_table(inputs, list(cautions), job, written)
    return written


def shard(folder, dataset, row, right, clips=10, names=None, heads=HEADS[:1]):
    """A score shard whose heads have so many clips of each class right.

    Args:
        folder: where it goes.
        dataset: its name.
        row: its method.
        right: of each class, how many of its first clips are right.
        clips: of each class.
        names: the clips' names, in order; by default class by class.
        heads: what is scored.
    """
    path = folder / f"{dataset}-{row}.h5"
    names = names or [f"{each}/{at:02d}" for each in right for at in range(clips)]
    classes = sorted(right)
    about = provenance.about("score", [], {}, dataset=dataset, row=row)
    with Shard(path, "scores/2", about, names) as file:
        for name in names:
            own, at = name.split("/")
            label = classes.index(own)
            chosen = label if int(at) < right[own] else (label + 1) % len(classes)
            scores = np.eye(len(classes), dtype=np.float32)[[chosen]]
            file.write(name, dict.fromkeys(heads, scores), label=label)
    return path


LABELS = [0, 0, 0, 0, 1, 1, 1, 1]


def streams(folder, dataset, row, spatial, temporal, labels=LABELS, **facts):
    """Score shards, two for a row, with these clips right in each stream.

    `facts` are said of each clip.
    """
    paths = []
    for part in (0, 1):
        path = folder / f"{dataset}-{row}-{part}.h5"
        places = range(part, len(labels), 2)
        names = [f"c/clip{place}" for place in places]
        about = provenance.about("score", [], {}, dataset=dataset, row=row, n=part)
        with Shard(path, "scores/2", about, names) as file:
            for name, place in zip(names, places, strict=True):
                arrays = {
                    "spatial": _snippets(labels[place], spatial[place]),
                    "temporal": _snippets(labels[place], temporal[place]),
                }
                file.write(name, arrays, label=labels[place], **facts)
        paths.append(path)
    return paths


def _snippets(label, right):
    """Two snippets whose mean decides."""
    chosen = label if right else 1 - label
    scores = np.zeros((2, 2), np.float32)
    scores[0, chosen], scores[1, 1 - chosen] = 3, 1
    return scores
