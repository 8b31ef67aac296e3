"""The whole chain in miniature: run, rerun, killed, edited, spoilt."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.workflow.checkout import (
    TINY,
    command,
    copy,
    environment,
    planned,
    snakemake,
)
from twinlens.artifacts import reader
from twinlens.artifacts.table import read_csv

pytestmark = pytest.mark.slow
TABLE = "results/table3.csv"
OF_SCORES = ("scatter", "tradeoff", "fidelity")
FIGURES = (
    *("flow", "profile", "frames"),
    *OF_SCORES,
    *(f"{name}_st_resnet" for name in OF_SCORES),
)


@pytest.fixture
def source(done):
    """A way to edit a file of the checkout; it is as before after the test."""
    kept = {}

    def edit(name, before, after):
        path = done / name
        kept.setdefault(path, path.read_text())
        assert before in path.read_text()
        path.write_text(path.read_text().replace(before, after, 1))

    yield edit
    for path, text in kept.items():
        path.write_text(text)


def test_table_3_has_its_rows_and_says_what_it_is(done):
    lines = (done / TABLE).read_text().splitlines()
    assert "90-second look" in lines[0]
    assert "GENERATED DATA" in lines[0]
    assert lines[1].startswith("Method,Workshop Spatial,Workshop Temporal")
    rows = [line.split(",")[0] for line in lines[2:]]
    paper = ["Bicubic", "VDSR", "SoSR", "ToSR2", "SoSR+ToSR2"]
    assert rows == [*paper, "HR"]
    assert re.fullmatch(r"SoSR\+ToSR2,,,[\d.]+,,,[\d.]+", lines[-2])


def test_table_2_s_mse_is_table_3_s_vdsr(done):
    two, three = (
        (done / f"results/table{number}.csv").read_text().splitlines()
        for number in (2, 3)
    )
    assert two[1] == "Dataset,MSE,WMSE,WMSE+Perceptual"
    rows = {line.split(",")[0]: line.split(",") for line in three[2:]}
    for line, column in zip(two[2:], (1, 4), strict=True):
        _, mse, _, both = line.split(",")
        assert mse == rows["VDSR"][column]
        assert both == rows["SoSR"][column]


def test_tables_of_classes_have_their_methods_as_columns(done):
    one, five = (
        (done / f"results/table{number}.csv").read_text().splitlines()
        for number in (1, 5)
    )
    assert one[1] == "Dataset,Case,Class,HR,Bicubic,VDSR,Chosen,Case in the paper"
    assert five[1].startswith("Dataset,Kind,Class,Bicubic,VDSR,SoSR,ToSR2,HR,Chosen")


def test_dispersion_has_a_line_for_each_method_but_bicubic(done):
    lines = (done / "results/dispersion.csv").read_text().splitlines()
    methods = ["VDSR", "SoSR", "ToSR2", "HR"]
    assert [line.split(",")[1] for line in lines[2:]] == 2 * methods


def test_table_2_by_flow_has_both_estimators(done):
    lines = (done / "results/table2_flow.csv").read_text().splitlines()
    columns = ["WMSE (TV-L1)", "WMSE (FlowNet2)", "SoSR (TV-L1)", "SoSR (FlowNet2)"]
    assert lines[1].split(",") == ["Dataset", *columns]
    two = (done / "results/table2.csv").read_text().splitlines()
    for line, other in zip(lines[2:], two[2:], strict=True):
        assert line.split(",")[1:4:2] == other.split(",")[2:4]
    text = (done / "results/table2_flow.md").read_text()
    assert text.count("exact McNemar p = ") == 4


def test_flownet2_is_set_beside_tv_l1_and_zero_flow(done):
    rows = read_csv(done / "results/tiny/flow_error.csv", "flow-error/1")
    assert rows["estimator"].unique().tolist() == ["FlowNet2", "TV-L1", "zero flow"]
    assert (
        "WARNING flow: the end-point error of FlowNet2" in (done / "said").read_text()
    )
    about = {}
    for estimator in ("tvl1", "flownet2"):
        path = done / f"results/tiny/motion/corpus/{estimator}-1/corpus-00.h5"
        with reader.open(path, "motion/1", flow=estimator) as file:
            about[estimator] = file.about
    network = reader.file_id(done / "results/tiny/networks/flow/trained/flownet2.h5")
    assert network in about["flownet2"]["inputs"].values()
    assert network not in about["tvl1"]["inputs"].values()


def test_quality_has_a_row_for_each_method(done):
    lines = (done / "results/quality.csv").read_text().splitlines()
    rows = [line.split(",")[0] for line in lines[2:]]
    assert lines[-1].endswith(",")  # its temporal stream's frames were never made
    paper = ["Bicubic", "VDSR", "SoSR", "ToSR2", "HR", "SoSR (WMSE)"]
    assert rows == [*paper, "SoSR (WMSE by FlowNet2)", "SoSR (by FlowNet2)"]


def test_table_4_is_of_st_resnet_and_pairs_are_scored_together(done):
    lines = (done / "results/table4.csv").read_text().splitlines()
    assert "spatial and temporal of all views, fusion of all clips" in lines[0]
    rows = [line.split(",")[0] for line in lines[2:]]
    assert rows == ["Bicubic", "VDSR", "SoSR", "ToSR2", "SoSR+ToSR2", "HR"]
    assert re.fullmatch(r"SoSR\+ToSR2,,,[\d.]+,,,[\d.]+", lines[-2])
    scores = done / "results/tiny/scores/st_resnet/yard/sosr+tosr2/test-00.h5"
    with reader.open(scores, frames_of="sosr", flow_of="tosr2") as file:
        first = file.clip(file.clips[0])
        assert first["spatial"].shape == first["temporal"].shape == (2, 2)
    start = done / "results/tiny/networks/recogniser/trained/st_resnet-yard-stage1.h5"
    with reader.open(start.with_name("st_resnet-yard-stage2.h5")) as file:
        assert str(start.relative_to(done)) in file.about["inputs"]


def test_there_are_curves_counts_and_pictures(done):
    world = done / "results/tiny"
    names = "vdsr sosr sosr_wmse sosr_other_flow sosr_wmse_other_flow tosr2".split()
    for name in [*names, "starts/vdsr", "starts/duf16"]:
        curve = world / f"networks/sr/trained/{name}.png"
        assert curve.read_bytes().startswith(b"\x89PNG")
    for name in ("spatial", "spatial_other_flow", "temporal"):
        counts = read_csv(world / f"patches/{name}.csv", "counts/1")
        assert counts["part"].tolist() == ["training", "validation"]
    for name in ("workshop", "yard"):
        for figure in FIGURES:
            for ending in ("png", "pdf", "svg"):
                path = world / f"figures/{figure}/{name}.{ending}"
                assert path.stat().st_size > 10_000, path


def test_all_methods_start_from_the_same_weights(done):
    folder = done / "results/tiny/networks/sr/trained"
    start = reader.file_id(folder / "starts/vdsr.h5")
    for name in ("vdsr", "sosr", "sosr_wmse"):
        with reader.open(folder / f"{name}.h5", "network/1") as file:
            about = file.about
        assert start in about["inputs"].values(), name
        assert about["job"]["recipe"]["steps"] == 10


def test_a_run_says_loudly_that_mse_did_not_beat_bicubic(done):
    said = (done / "said").read_text()
    assert "WARNING vdsr: trained with MSE, yet its PSNR" in said.splitlines()[-2]


def test_a_method_that_is_scored_in_one_stream_has_no_flow(done):
    flow = done / "results/tiny/flow/tsn/yard"
    assert (flow / "sosr").exists()
    assert not (flow / "sosr_wmse").exists()


def test_a_run_tells_steps_time_left_and_shows_the_table(done):
    said = (done / "said").read_text()
    assert "steps to do: " in said
    assert " left] done: " in said
    assert TABLE in said.splitlines()
    assert "| Bicubic" in said


def test_logs_keep_progress_as_plain_lines(done):
    log = (done / "results/tiny/logs/flow/tsn/yard/hr/test-00.log").read_text()
    assert "flow yard test hr: 8 clips in" in log
    assert "\r" not in log


def test_a_report_holds_tables_figures_and_curves(done):
    snakemake(done, "all", *TINY, "--report", "report.zip")
    with ZipFile(done / "report.zip") as archive:
        held = Counter(Path(name).name for name in archive.namelist())
        page = archive.read("report/report.html").decode()
    for table in ("table1", "table2", "table3", "table4", "table5", "quality"):
        assert held[f"{table}.csv"] == held[f"{table}.md"] == 1
    assert held["yard.png"] == held["workshop.png"] == len(FIGURES)
    assert held["sosr.png"] == held["audit.csv"] == 1
    assert held["index.html"] == 1
    assert held["frames-hr.webp"] == 20  # of four clips of five classes, below the page
    for category in ("Tables", "Figures", "Trainings", "Explorer"):
        assert f'"{category}"' in page


def test_a_second_run_has_nothing_to_do(done):
    assert planned(done) == {}


def test_a_comment_or_docstring_reruns_nothing(done, source):
    source("src/twinlens/artifacts/shard.py", '"""Write a', '# new\n"""Write any')
    assert planned(done) == {}


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("artifacts/reader.py", '"is empty"', '"has no bytes"'),
        ("networks/trainer.py", "is not a finite number at", "diverged at"),
        ("plan/crosscheck.py", "names no model", "has no model"),
        ("sr/enlarge.py", "that the network reads are not", "of the network are not"),
        ("media/ffmpeg.py", "no such file", "there is none"),
    ],
)
def test_a_reworded_message_reruns_nothing(done, source, name, before, after):
    source(f"src/twinlens/{name}", before, after)
    assert planned(done) == {}


def test_a_change_of_code_reruns_what_imports_it_and_no_more(done, source):
    source("src/twinlens/tables/accuracy.py", "10_000", "10_001")
    assert planned(done) == {
        "table": 7,
        "figure": 14,
        "explorer_media": 2,
        "explorer": 1,
        "present_table": 7,
        "all": 1,
    }


# --- gates: what stops a run in which too many clips were rejected --------------------

GATES = {
    "test clips": "datasets: {yard: {max_rejected: 0.5}}",
    "corpus": "datasets: {corpus: {max_rejected: 0.5}}",
    "code": ("src/twinlens/media/manifest.py", "<= job.max", "< job.max"),
}
CHANGES = {
    "rows": "select: {methods: [bicubic, vdsr, hr]}",
    "split": "training: {split: {by: clip, share: 0.4}}",
    "code": ("src/twinlens/tables/accuracy.py", "10_000", "10_001"),
    "a lost table": "results/table3.csv",
}


@pytest.fixture
def changed(done, source):
    """Make changes, of the config, of code or by losing a file, for one test."""
    lost = {}

    def change(*changes):
        overlays = []
        for number, each in enumerate(changes):
            if isinstance(each, tuple):
                source(*each)
            elif ":" in each:
                overlays.append(f"change{number}.yaml")
                (done / overlays[-1]).write_text(each)
            else:
                lost[done / each] = (done / each).with_suffix(".lost")
                (done / each).rename(lost[done / each])
        return overlays

    yield change
    for path, kept in lost.items():
        kept.replace(path)


@pytest.mark.parametrize("gate", GATES.values(), ids=GATES)
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_changed_gate_hides_no_other_change(done, changed, gate, change):
    found = planned(done, overlays=changed(gate, change))
    needed = {"manifest", "table", "present_table"}
    needed |= {"train_sr", "score"} if "split" in change else set()
    assert needed <= found.keys()


@pytest.mark.parametrize("gate", GATES.values(), ids=GATES)
@pytest.mark.parametrize("keep", ["keep: true", "keep: false"])
def test_a_gate_alone_redoes_no_network_and_no_score(done, changed, gate, keep):
    found = planned(done, overlays=changed(gate, keep))
    assert {"manifest", "table", "present_table"} <= found.keys()
    costly = {"train_sr", "train_recogniser", "super_resolve", "flow", "score"}
    assert not costly & found.keys()


def test_a_run_that_was_killed_at_a_gate_is_not_done(done, changed):
    lost = ["results/tiny/manifest/yard/manifest.csv", "results/tiny/table3.csv", TABLE]
    changed(*lost)
    assert planned(done).keys() >= {"manifest", "table", "present_table"}


def test_one_run_after_a_gate_and_rows_were_changed_gives_the_new_table(done, tmp_path):
    folder = tmp_path / "checkout"
    shutil.copytree(done, folder)
    (folder / "gate.yaml").write_text(GATES["test clips"])
    (folder / "rows.yaml").write_text(CHANGES["rows"])
    rows = [row.split(",")[0] for row in (done / TABLE).read_text().splitlines()[2:]]
    old = dict(zip(rows, (done / TABLE).read_text().splitlines()[2:], strict=True))
    snakemake(folder, TABLE, *TINY, "gate.yaml", "rows.yaml")
    new = (folder / TABLE).read_text().splitlines()[2:]
    assert new == [old[row] for row in ("Bicubic", "VDSR", "HR")]


def test_too_many_rejected_clips_stop_the_run_before_any_is_scored(done, tmp_path):
    folder = tmp_path / "checkout"
    shutil.copytree(done, folder)
    (folder / "few.yaml").write_text("datasets: {yard: {limits: {frames: 5}}}")
    words = (TABLE, *TINY, "few.yaml")
    for _ in range(2):  # it is not forgotten that the table is of other clips
        said = snakemake(folder, *words, check=False)
        assert "FAILED manifest" in said
        assert "more than max_rejected 0.02 allows" in said
        assert " done: score" not in said
        assert TABLE not in said.splitlines()
    snakemake(folder, TABLE, *TINY)
    assert (folder / TABLE).read_bytes() == (done / TABLE).read_bytes()


# --- more of everything ---------------------------------------------------------------


def test_a_new_method_s_file_reruns_nothing(done):
    path = done / "src/twinlens/models/mine.py"
    path.write_text("def build(scale=4):\n    return None\n")
    found = planned(done)
    path.unlink()
    assert found == {}


MINE = """
import torch
from torch import nn
from twinlens.resample.tensors import upscale
FRAMES = 3
class Mine(nn.Module):
    frames = FRAMES
    def __init__(self, width):
        super().__init__()
        self.conv = nn.Conv2d(3 * FRAMES, width, 3, padding=1)
        self.last = nn.Conv2d(width, 3, 3, padding=1)
    def forward(self, low):
        low_middle = low[:, 1] + self.last(self.conv(low.flatten(1, 2)).relu())
        return upscale(low_middle)
def build(width=4):
    return Mine(width)
"""
ENTRY = """
select: {methods: [bicubic, vdsr, sosr, tosr2, sosr_tosr2, hr, mine]}
methods:
  mine:
    label: Mine
    model: mine
    recipe: {patches: spatial, loss: {kind: mse, pixels: rgb}}
"""


def test_a_method_of_one_file_and_one_entry_has_its_row(done, tmp_path):
    """As docs/extending.md has it, and only its own jobs and tables are run."""
    folder = tmp_path / "checkout"
    shutil.copytree(done, folder)
    before = (folder / TABLE).read_text().splitlines()
    (folder / "src/twinlens/models/mine.py").write_text(MINE)
    (folder / "mine.yaml").write_text(ENTRY)
    words = ("--cores", "2", "--configfile", "config/tiny.yaml", "mine.yaml")
    said = snakemake(folder, TABLE, *words)
    after = (folder / TABLE).read_text().splitlines()
    assert after[:-1] == before
    assert after[-1].startswith("Mine,")
    jobs = re.findall(r" done: (.+)$", said, re.M)
    own = [job for job in jobs if " mine" in job or job.endswith("-near1")]
    assert set(jobs) - set(own) == {"table table3", "present_table table3"}
    # A network; of two sets frames, low resolution, enlarged, flow, scores.
    assert len(own) == 11


NEAR = """
from torch import nn
from twinlens.resample.tensors import upscale
FRAMES = 3
LEARNS = False
class Near(nn.Module):
    frames = FRAMES
    def forward(self, low):
        return upscale(low.mean(dim=1))
def build():
    return Near()
"""


def test_a_network_of_several_frames_gets_its_neighbours(done):
    path = done / "src/twinlens/models/near.py"
    path.write_text(NEAR)
    (done / "near.yaml").write_text("methods: {near: {label: Near, model: near}}")
    target = "results/tiny/sr/tsn/yard/near/test-00.h5"
    words = ("--cores", "2", "--configfile", "config/tiny.yaml", "near.yaml")
    snakemake(done, target, *words)
    path.unlink()
    with (
        reader.open(done / "results/tiny/low/tsn/yard/test-00-near1.h5") as low,
        reader.open(done / target) as near,
        reader.open(done / target.replace("near", "bicubic")) as bicubic,
    ):
        for name in near.clips:
            index = near.clip(name)["index"][:]
            assert index.tolist() == bicubic.clip(name)["index"][:].tolist()
            assert len(low.clip(name)["index"]) > len(index)


def test_another_world_leaves_this_one_alone(done):
    words = ("--config", "world=other", "note=another")
    assert "generate" in planned(done, *words)
    (done / TABLE).rename(done / "kept.csv")
    found = planned(done)
    (done / "kept.csv").rename(done / TABLE)
    assert found == {"present_table": 1, "all": 1}


def test_more_methods_score_and_nothing_old_is_redone(done):
    words = ("--config", 'methods={"again": {"label": "Again", "model": "bicubic"}}')
    methods = '["bicubic", "vdsr", "sosr", "tosr2", "sosr_tosr2", "again", "hr"]'
    words += (f'select={{"methods": {methods}}}',)
    assert planned(done, *words) == {
        "super_resolve": 4,
        "flow": 4,
        "score": 4,
        "quality": 2,
        "figure": 18,
        "explorer_media": 2,
        "explorer": 1,
        "rule_graph": 1,
        "table": 5,
        "present_table": 5,
        "all": 1,
    }


def test_an_emptied_artifact_is_named_with_what_to_do(done):
    path = done / "results/tiny/flow/tsn/yard/hr/test-00.h5"
    path.write_bytes(b"")
    words = ("results/tiny/scores/tsn/yard/hr/test-00.h5", *TINY)
    said = snakemake(done, *words, "--forcerun", "score", check=False)
    assert "FAILED score" in said
    error = (
        "results/tiny/flow/tsn/yard/hr/test-00.h5: is empty; if the workflow made it"
    )
    assert error in said
    advice = re.search(r"snakemake (--cores all --force \S+)", said)[1]
    snakemake(done, *shlex.split(advice), *TINY[2:])
    snakemake(done, "all", *TINY)


def test_every_cell_can_be_traced_to_its_artifacts(done):
    with reader.open(done / "results/tiny/scores/tsn/yard/hr/test-00.h5") as file:
        inputs = file.about["inputs"]
    assert len(inputs) == 4
    for path, identity in inputs.items():
        assert reader.file_id(done / path) == identity


def test_a_killed_cold_run_goes_on_to_the_same_bytes(done, tmp_path):
    folder = copy(tmp_path / "killed")
    run = subprocess.Popen(
        command("all", *TINY),
        cwd=folder,
        env=environment(folder),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    wanted = folder / "results/tiny/networks/sr/trained/starts"
    for _ in range(600):
        if wanted.exists() or run.poll() is not None:
            break
        time.sleep(0.2)
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    assert not (folder / TABLE).exists()
    said = snakemake(folder, "all", *TINY)
    assert f"the last run here was killed (process {run.pid} on " in said
    hidden = [each for each in (folder / "results").rglob(".*") if each.is_file()]
    hidden = [each for each in hidden if each.name != ".snakemake_timestamp"]
    assert hidden == []
    names = [
        f"{table}{ending}"
        for table in (
            *("table1", "table2", "table2_flow", "table3", "table4", "table5"),
            *("quality", "dispersion"),
        )
        for ending in (".csv", "_long.csv", ".md", ".tex")
    ]
    for name in names:
        one, other = (Path(each) / "results" / name for each in (done, folder))
        assert one.read_bytes() == other.read_bytes(), name


def test_ctrl_c_ends_a_run_in_a_line(tmp_path):
    folder = copy(tmp_path / "checkout")
    said = folder / "said"
    with said.open("w") as output:
        run = subprocess.Popen(
            command(TABLE, *TINY),
            cwd=folder,
            env=environment(folder),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            # A shell lets what it runs in the background ignore Ctrl-C.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
    while "done:" not in said.read_text() and run.poll() is None:
        time.sleep(1)
    os.killpg(run.pid, signal.SIGINT)
    assert run.wait(timeout=3600) != 0
    text = said.read_text()
    assert "stopped by the user; finished jobs are kept" in text
    assert "Traceback" not in text
    assert "FAILED" not in text
