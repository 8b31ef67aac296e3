"""One file and one entry: a recogniser, a table, a figure, a flow estimator.

Each is added to a finished world: it gets its results, and nothing else is run again.
"""

import re
import shutil

import pytest

from tests.workflow.checkout import TINY, planned, snakemake
from twinlens.artifacts import reader
from twinlens.artifacts.table import read_csv

pytestmark = pytest.mark.slow
WORLD = "results/tiny"


@pytest.fixture
def folder(done, tmp_path):
    """A copy of the finished world, to be changed."""
    copied = tmp_path / "checkout"
    shutil.copytree(done, copied)
    return copied


def jobs(said):
    """The jobs that a run did, as the progress names them."""
    lines = re.findall(r" done: (.+)$", said, re.M)
    return [job for line in lines for job in line.split(", ")]


JOINT = '''
"""Frames and flow together, in one network: made up for this test."""

from dataclasses import field
from typing import Any, Literal

import numpy as np
from pydantic.dataclasses import dataclass

from twinlens.recognisers import FlowForm, Head, Network, Reads
from twinlens.settings import STRICT

HEADS = {"joint": Head(("frames", "flow"), ("both",))}
TRAIN = "recognisers.joint:train"
SCORE = "recognisers.joint:scorer"


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Settings:
    """A made-up recogniser."""

    kind: Literal["joint"]
    label: str
    """Name on the tables."""
    table: str = "table_joint"
    """The table of all methods' accuracies."""
    flow: str = "tvl1"
    """The entry of `flows` that computes its flow."""
    fusion: tuple[float, ...] = (1.0,)
    """Of its one head."""
    weights: dict[str, Any] = field(default_factory=dict)
    """None are published."""


@dataclass(frozen=True, kw_only=True, slots=True, config=STRICT)
class Job:
    """A training."""

    network: str
    """Its name."""
    dataset: str
    """What it is trained on."""


def sampling(settings, part):
    return {"every": 4}


def read(sampling, total, part, clip, seed):
    starts = np.arange(0, total - 3, sampling["every"])
    return Reads(starts, starts[:, None] + np.arange(3))


def flow_form(settings):
    return FlowForm(flow=settings.flow, bound=10.0)


def networks(settings, name, dataset, seed):
    job = Job(network=f"{name}-{dataset}-both", dataset=dataset)
    return {"both": Network("compact", {}, ("frames", "flow"), job)}


def scoring(settings):
    return {}


def features(frames, flow, reads):
    import torch

    first = frames.at("frames", reads.frames).mean(axis=(1, 2))
    second = flow.at("flow", reads.flows).mean(axis=(1, 3, 4))
    return torch.from_numpy(np.concatenate([first, second], axis=1) / 255).float()


def train(
    job: Job, frames: list, flow: list, classes, starts: list, out, log, threads: int
) -> None:
    import pandas as pd

    from twinlens.artifacts import reader
    from twinlens.artifacts.table import read_csv, write_csv
    from twinlens.networks import artifact
    from twinlens.recognition import backbones

    settings = {"channels": 5, "classes": len(read_csv(classes, "classes/1"))}
    network = backbones.build("compact", **settings)
    about = artifact.about(
        "train",
        ["twinlens.recognisers.joint"],
        reader.ids(*frames, *flow, classes),
        job,
        family="recogniser",
        network=job.network,
        kind="compact",
        settings=settings,
        dataset=job.dataset,
    )
    artifact.save(out, about, network.state_dict())
    write_csv(log, "training/1", pd.DataFrame({"step": [0]}))


def scorer(scoring, networks, dataset, threads):
    import torch

    from twinlens.networks import artifact

    network = artifact.load(networks["both"], "recogniser", dataset=dataset)

    def score(frames, flow, reads):
        pixels = features(frames, flow, reads)[:, :, None, None]
        with torch.inference_mode():
            return {"joint": network(pixels.expand(-1, -1, 32, 32)).numpy()}

    return score
'''
JOINT_ENTRY = """
select: {recognisers: [tsn, st_resnet, joint]}
recognisers: {joint: {kind: joint, label: Joint}}
"""


def test_a_joint_recogniser_of_one_file_and_one_entry_has_its_table(folder):
    before = (folder / "results/table3.csv").read_bytes()
    (folder / "src/twinlens/recognisers/joint.py").write_text(JOINT)
    (folder / "joint.yaml").write_text(JOINT_ENTRY)
    said = snakemake(folder, "-n", "results/table3.csv", *TINY, "joint.yaml")
    assert "Nothing to be done" in said
    said = snakemake(folder, "results/table_joint.csv", *TINY, "joint.yaml")
    again = [job for job in jobs(said) if "joint" not in job]
    assert again == []
    assert (folder / "results/table3.csv").read_bytes() == before
    lines = (folder / "results/table_joint.csv").read_text().splitlines()
    assert lines[1] == "Method,Workshop Joint,Yard Joint"
    rows = [line.split(",")[0] for line in lines[2:]]
    assert rows == ["Bicubic", "VDSR", "SoSR", "ToSR2", "SoSR+ToSR2", "HR"]
    _check_pair(folder)
    _check_frames(folder)


def _check_pair(folder):
    """The row of a pair is a job of its own: SoSR's frames with ToSR2's flow."""
    path = folder / WORLD / "scores/joint/yard/sosr+tosr2/test-00.h5"
    with reader.open(path, "scores/2", frames_of="sosr", flow_of="tosr2") as file:
        inputs = file.about["inputs"]
        assert len(file.clip(file.clips[0])["joint"]) > 2
    named = " ".join(inputs)
    assert "sr/tsn/yard/sosr/" in named
    assert "sr/joint/yard/sosr/" in named
    assert "flow/joint/yard/tosr2/" in named


def _check_frames(folder):
    """Frames that both read were super-resolved once."""
    shards = [
        folder / WORLD / f"sr/{reads}/yard/sosr/test-00.h5"
        for reads in ("tsn", "joint")
    ]
    with reader.open(shards[0]) as one, reader.open(shards[1]) as other:
        for name in one.clips:
            stored = one.clip(name).index, other.clip(name).index
            assert not set(stored[0]) & set(stored[1])
            assert len(stored[1])


TABLE = '''
"""How many clips each method classifies correctly: made up for this test."""

import pandas as pd

from twinlens.tables import accuracy, facts, forms


def table(inputs, job, files):
    layout, loaded = job.layout, accuracy.load(inputs)
    rows = [
        [of.label, *(_correct(loaded, layout, name, key) for name in layout.datasets)]
        for key, of in layout.methods.items()
    ]
    labels = [dataset.label for dataset in layout.datasets.values()]
    wide = pd.DataFrame(rows, columns=["Method", *labels]).astype(str)
    forms.write(files, forms.head(job.name, layout, "clips"), wide, wide, [])


def _correct(loaded, layout, dataset, key):
    scores = facts.single(loaded, layout, dataset)[key]
    return int(accuracy.is_correct(scores.of(layout.head), scores.labels).sum())
'''
FIGURE = '''
"""A bar for each method: made up for this test."""

import matplotlib

from twinlens.artifacts.figure import write_figure
from twinlens.tables import accuracy, facts

matplotlib.use("Agg")

from matplotlib import pyplot


def figure(inputs, job, out):
    single = facts.single(accuracy.load(inputs), job.layout, job.dataset)
    drawn, axes = pyplot.subplots()
    axes.bar(list(single), [scores.labels.mean() for scores in single.values()])
    write_figure(out, drawn, 50)
'''


def test_a_table_and_a_figure_of_one_file_and_one_entry_are_written(folder):
    source = folder / "src/twinlens"
    (source / "tables/correct.py").write_text(TABLE)
    (source / "figures/bars.py").write_text(FIGURE)
    registry = source / "plan/registry.py"
    text = registry.read_text()
    for head, entry in (
        ("TABLES = {\n", '    "correct": Spec(module="correct", columns=selected),\n'),
        ("FIGURES = {\n", '    "bars": Spec(module="bars", columns=unpaired),\n'),
    ):
        assert head in text
        text = text.replace(head, head + entry)
    registry.write_text(text)
    assert planned(folder) == {
        "table": 1,
        "figure": 4,  # of both recognisers
        "present_table": 1,
        "all": 1,
    }
    snakemake(folder, "all", *TINY)
    lines = (folder / "results/correct.csv").read_text().splitlines()
    assert lines[1] == "Method,Workshop,Yard"
    assert len(lines) == 2 + 6
    picture = folder / WORLD / "figures/bars/yard.png"
    assert picture.read_bytes().startswith(b"\x89PNG")


DIS = """
select:
  table2_flow:
    WMSE (TV-L1): sosr_wmse
    WMSE (DIS): sosr_wmse_dis
    WMSE (FlowNet2): null
    SoSR (TV-L1): null
    SoSR (FlowNet2): null
flows: {dis: {kind: dis, preset: medium}}
patches:
  spatial_dis:
    {corpus: corpus, flow: dis, size: 32, crops: 2, stride: [10, 8], margin: 4,
     window: 7}
methods:
  sosr_wmse_dis:
    label: SoSR (WMSE by DIS)
    start: vdsr
    recipe: {patches: spatial_dis, loss: {kind: wmse}}
"""


def test_dis_takes_the_forms_of_the_other_estimators(folder):
    (folder / "dis.yaml").write_text(DIS)
    targets = "results/table2_flow.csv", f"{WORLD}/flow_error.csv"
    said = snakemake(folder, *targets, *TINY, "dis.yaml")
    own = {job.split()[0] for job in jobs(said)}
    assert "train_flow" not in own
    assert "train_recogniser" not in own
    lines = (folder / "results/table2_flow.csv").read_text().splitlines()
    assert lines[1] == "Dataset,WMSE (TV-L1),WMSE (DIS)"
    rows = read_csv(folder / targets[1], "flow-error/1").set_index("estimator")
    assert set(rows.index) == {"TV-L1", "DIS", "zero flow"}
    assert float(rows.loc["DIS"].iloc[0]["of_zero"]) < 0.9


def test_a_recogniser_may_read_the_flow_of_another_estimator(folder):
    (folder / "flow.yaml").write_text(
        "flows: {dis: {kind: dis}}\nrecognisers: {tsn: {flow: dis}}"
    )
    target = f"{WORLD}/flow/tsn/yard/hr/test-00.h5"
    before = reader.file_id(folder / target)
    snakemake(folder, target, *TINY, "flow.yaml")
    with reader.open(folder / target, "flow/1") as file:
        assert file.about["estimator"]["kind"] == "dis"
    assert reader.file_id(folder / target) != before
