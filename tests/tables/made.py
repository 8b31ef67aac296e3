"""Made-up score shards of classes with known right and wrong clips."""

import numpy as np

from twinlens import provenance
from twinlens.artifacts import writer
from twinlens.tables.forms import Dataset, Files, Layout, Method


def files(folder, name):
    """Where a table's three forms go."""
    return Files(
        out=folder / f"{name}.csv",
        long=folder / f"{name}_long.csv",
        markdown=folder / f"{name}.md",
    )


def method(name, label=None):
    """A method in a table that takes its own scores."""
    return Method(label=label or name.upper(), spatial=name, temporal=name)


def layout(methods, **datasets):
    """What a table shows, by default of one generated data set."""
    one = {"one": Dataset(label="One", generated=True)}
    return Layout(
        world="made", note="a test", datasets=datasets or one, methods=methods
    )


def shard(folder, dataset, method, right, clips=10, names=None):
    """A score shard whose spatial stream has so many clips of each class right.

    Args:
        folder: where it goes.
        dataset: its name.
        method: its name.
        right: of each class, how many of its first clips are right.
        clips: of each class.
        names: the clips' names, in order; by default class by class.
    """
    path = folder / f"{dataset}-{method}.h5"
    names = names or [f"{each}/{at:02d}" for each in right for at in range(clips)]
    classes = sorted(right)
    about = provenance.about("made", [], {}, dataset=dataset, method=method)
    with writer.create(path, "scores/1", about) as made:
        writer.put_clips(made, names)
        for name in names:
            own, at = name.split("/")
            label = classes.index(own)
            chosen = label if int(at) < right[own] else (label + 1) % len(classes)
            scores = np.eye(len(classes), dtype=np.float32)[[chosen]]
            group = made.create_group(f"clip/{name}")
            group.attrs["label"] = label
            writer.put(group, "spatial", scores)
    return path
