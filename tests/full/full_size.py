"""The paper's world at its full size, on files that are made up: `make test-full`.

Networks have their published sizes and random weights, written in the published
layouts; there are two real clips a data set and two to learn from. Hours on a few
cores: what is done stays in `.full`, so that a run that was ended goes on. Numbers mean
nothing here; that the whole chain runs, and what it costs, does.
"""

import shutil

import pandas as pd
import torch
import yaml

from tests.workflow import published
from tests.workflow.checkout import PARTS, ROOT, copy, snakemake
from twinlens import models
from twinlens.flow.flownet2.cascade import FlowNet2
from twinlens.media.sets.hmdb51 import CLASSES as HMDB51
from twinlens.perceptual import vgg
from twinlens.recognition import backbones
from twinlens.recognition.two_stream import st_resnet

FULL = ROOT / ".full"
PAPER = ROOT / "config/paper.yaml"
UCF_CLIPS = (
    "BasketballDunk/v_BasketballDunk_g07_c02.avi",
    "BasketballDunk/v_BasketballDunk_g04_c04.avi",
)
UCF_TRAIN = "BasketballDunk/v_BasketballDunk_g13_c01.avi"
HMDB_CLIPS = (
    "shoot_bow/ArcheryFastShooting_shoot_bow_u_nm_np1_fr_med_17.avi",
    "walk/Panic_in_the_Streets_walk_u_cm_np1_ba_med_5.avi",
)
HMDB_TRAIN = "jump/Arrasando_no_Le_Parkour_jump_f_cm_np1_ri_bad_1.avi"
CORPUS = ("bikes.mp4", "bigbuckbunny.mp4")
SHORT = {"steps": 2, "batch": 2}
ONE_SHARD = {"shards": {"train": 1, "test": 1}}
OVERLAY = {
    "world": "full",
    "note": "random weights in the published layouts",
    "datasets": {
        "ucf101": ONE_SHARD,
        "hmdb51": ONE_SHARD,
        "cdvl": {"shards": {"corpus": 1}, "pairs": 4},
    },
    "training": {
        "split": {"share": 0.5},
        "recipe": {
            **SHORT,
            "precision": "32-true",
            "validations": 1,
            "validation_patches": 4,
        },
    },
    "methods": {
        name: {"recipe": SHORT} for name in ("tosr1", "tosr2", "duf16", "duf52", "spmc")
    },
    "resources": {"threads": 2, "gpus": 0, "workers": 0},
}


def test_the_whole_chain_runs_at_full_size(realdata):
    data = FULL / "data"
    _clips(realdata, data)
    if not (data / "weights/whole").exists():
        _weights(data / "weights")
        (data / "weights/whole").touch()
    folder = _checkout()
    (folder / "full.yaml").write_text(yaml.safe_dump(OVERLAY))
    said = snakemake(
        folder,
        *("results/table3.csv", "results/table4.csv", "--cores", "2"),
        *("--configfile", "config/paper.yaml", "full.yaml"),
        *("--config", f"data={data}"),
        timeout=None,
    )
    (FULL / "said").write_text(said)
    for name in ("table3", "table4"):
        table = pd.read_csv(folder / f"results/{name}.csv", comment="#", index_col=0)
        assert len(table) == len(yaml.safe_load(PAPER.read_text())["select"]["methods"])
        # ST-ResNet reads both streams of a joint row at once: it has no others.
        assert not table.drop("SoSR+ToSR2").isna().any().any()
        assert not table.filter(like="Fusion").isna().any().any()
    costs = _costs(folder / "results/full/benchmarks").to_markdown(floatfmt=".0f")
    (FULL / "costs.md").write_text(f"{costs}\n")


def _clips(source, data):
    """Two real clips of each data set to score, one to learn from, two of a corpus."""
    lists = data / "ucfTrainTestlist"
    lists.mkdir(parents=True, exist_ok=True)
    shutil.copy(source / "ucfTrainTestlist/classInd.txt", lists)
    (lists / "testlist01.txt").write_text("\n".join(UCF_CLIPS))
    (lists / "trainlist01.txt").write_text(f"{UCF_TRAIN} 9\n")
    for clip in (*UCF_CLIPS, UCF_TRAIN):
        _copy(source / "UCF-101" / clip, data / "UCF-101" / clip)
    lists = data / "testTrainMulti_7030_splits"
    lists.mkdir(exist_ok=True)
    for name in HMDB51:
        marked = {clip: 2 for clip in HMDB_CLIPS} | {HMDB_TRAIN: 1}
        lines = [
            f"{clip.partition('/')[2]} {mark} \n"
            for clip, mark in marked.items()
            if clip.startswith(f"{name}/")
        ]
        (lists / f"{name}_test_split1.txt").write_text("".join(lines))
    for clip in (*HMDB_CLIPS, HMDB_TRAIN):
        _copy(source / "hmdb51" / clip, data / "hmdb51" / clip)
    for clip in CORPUS:
        _copy(next((source / "natural").rglob(clip)), data / "CDVL-134" / clip)


def _copy(source, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, path)


def _weights(folder):
    """Random networks of the published sizes, as their projects wrote them."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(1)
    published.vdsr_matlab(models.build("vdsr"), folder / "VDSR_Official.mat")
    for depth in (16, 52):
        path = folder / f"params_{depth}L_x4.h5"
        published.duf_tensorflow(models.build("duf", depth=depth), path)
    published.vgg_caffe(vgg.Vgg(), folder / "VGG_ILSVRC_16_layers.caffemodel")
    published.flownet2_nvidia(FlowNet2(), folder / "FlowNet2_checkpoint.pth.tar")
    for data, classes in (("ucf101", 101), ("hmdb51", 51)):
        for stream, channels in (("rgb", 3), ("flow", 10)):
            network = backbones.build(
                "bn_inception", channels=channels, classes=classes
            )
            name = f"{data}_split_1_tsn_{stream}_reference_bn_inception.caffemodel.v5"
            published.inception_caffe(network, folder / name)
        network = st_resnet.build(classes=classes)
        path = folder / f"{data}ST-ResNet50-final-split=1.mat"
        published.st_resnet_both(network, path)


def _checkout():
    """The code as it is now, with the results of the last run."""
    folder = FULL / "checkout"
    for part in PARTS:
        path = folder / part
        if path.is_dir():
            shutil.rmtree(path)
    return copy(folder)


def _costs(folder):
    """Wall and CPU time by rule, and the largest memory of a job."""
    rows = []
    for path in sorted(folder.rglob("*.tsv")):
        found = pd.read_csv(path, sep="\t").iloc[-1]
        rows.append(
            {
                "rule": path.relative_to(folder).parts[0],
                "wall s": found["s"],
                "cpu s": found["cpu_time"],
                "MB": found["max_rss"],
            }
        )
    frame = pd.DataFrame(rows).groupby("rule")
    costs = frame[["wall s", "cpu s"]].sum().assign(jobs=frame.size())
    return costs.assign(**{"most MB of a job": frame["MB"].max()})
