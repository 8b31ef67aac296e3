"""Where data sets and weights were published, and under which terms.

Digests are those that others state: torchvision and dmvr for the data sets, Caffe's
model zoo for VGG-16, file names for PyTorch's own; those of VDSR's files were computed
from its project's. Sizes are rounded, those of networks from their parameters. Where a
server is gone, or asks for an account, a file can only be had by hand.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class Asset:
    """A published file, or a folder that is unpacked from one."""

    name: str
    """The last part of the path by which a config names it."""
    licence: str
    """Terms, as far as they are stated."""
    megabytes: int
    """Size of what is downloaded, rounded."""
    urls: tuple[str, ...] = ()
    """Where it is served, the best first; none for by hand only."""
    digest: str = ""
    """Of what is downloaded: an algorithm and all its digits or the first ones, such
    as "sha256:397923af"; "" where nobody states it."""
    inside: str | None = None
    """Its path in the archive that is downloaded; None for no archive."""
    files: int | None = None
    """Files that the folder has at least; None for a file."""
    by_hand: str = ""
    """How to get it where no server does."""


MIT = "MIT"
BSD = "BSD, as its project"
RESEARCH = "research only (LMB Freiburg)"
CRCV = "https://www.crcv.ucf.edu/data/UCF101"
HMDB = "http://serre-lab.clps.brown.edu/wp-content/uploads/2013/10"
TSN = "https://yjxiong.blob.core.windows.net/tsn-reference-models"
TSN_OLD = "http://mmlab.siat.ac.cn/tsn_model"
GRAZ = "http://ftp.tugraz.at/pub/feichtenhofer/st-res"
LMB = "https://lmb.informatik.uni-freiburg.de/resources/binaries/flownet2"
VDSR = "https://raw.githubusercontent.com/huangzehao/caffe-vdsr/master"
DUF = "https://raw.githubusercontent.com/yhjo09/VSR-DUF/master"
NVIDIA = "1hF8vS6YeHkx3j2pfCeQqqZGwA_PJq_Da"

DATA_SETS = (
    Asset(
        name="UCF-101",
        licence="for research; its videos are their owners'",
        megabytes=6900,
        urls=(f"{CRCV}/UCF101.rar",),
        digest="md5:6463accf4bbc20fa6418ab7f159e6149",
        inside="UCF-101",
        files=13320,
    ),
    Asset(
        name="ucfTrainTestlist",
        licence="for research",
        megabytes=1,
        urls=(f"{CRCV}/UCF101TrainTestSplits-RecognitionTask.zip",),
        digest="md5:4426308e815a5108ba976f4a2bb47c5e",
        inside="ucfTrainTestlist",
        files=7,
    ),
    Asset(
        name="hmdb51",
        licence="CC BY 4.0; its videos are their owners'",
        megabytes=2100,
        urls=(f"{HMDB}/hmdb51_org.rar",),
        digest="md5:517d6f1f19f215f45cdd4d25356be1fb",
        inside="",
        files=6766,
    ),
    Asset(
        name="testTrainMulti_7030_splits",
        licence="CC BY 4.0",
        megabytes=1,
        urls=(f"{HMDB}/test_train_splits.rar",),
        digest="md5:15e67781e70dcfbdce2d7dbb9b3344b5",
        inside="testTrainMulti_7030_splits",
        files=153,
    ),
    Asset(
        name="CDVL-134",
        licence="CDVL's own: research and development, no passing on",
        megabytes=40000,
        by_hand="ask for an account at https://www.cdvl.org and download the clips"
        " there, or put any natural videos in the folder: only training reads them",
    ),
)

NETWORKS = (
    Asset(
        name="VDSR_Official.mat",
        licence=MIT,
        megabytes=3,
        urls=(f"{VDSR}/Test/VDSR_Official.mat",),
        digest="sha256:f613166660840af1a2ca47e31b0337b951e7c4e094364f6135a16d81a55c323c",
    ),
    Asset(
        name="VDSR_Adam.mat",
        licence=MIT,
        megabytes=3,
        urls=(f"{VDSR}/Test/VDSR_Adam.mat",),
        digest="sha256:b3428091b982858476c087fe2db5b97d34bd896f82aff22851c5b1051ef185aa",
    ),
    Asset(
        name="VDSR_Adam.caffemodel",
        licence=MIT,
        megabytes=3,
        urls=(f"{VDSR}/Train/VDSR_Adam.caffemodel",),
        digest="sha256:9199251105e65ccbe3c720192366383e12fca21afaa71a792595b13eb2d8ae9d",
    ),
    *(
        Asset(
            name=f"params_{depth}L_x4.h5",
            licence="none stated",
            megabytes=size,
            urls=(f"{DUF}/params_{depth}L_x4.h5",),
        )
        for depth, size in ((16, 8), (28, 9), (52, 24))
    ),
    Asset(
        name="VGG_ILSVRC_16_layers.caffemodel",
        licence="CC BY 4.0",
        megabytes=553,
        urls=(
            "http://www.robots.ox.ac.uk/~vgg/software/very_deep/caffe/"
            "VGG_ILSVRC_16_layers.caffemodel",
        ),
        digest="sha1:9363e1f6d65f7dba68c4f27a1e62105cdf6c4e24",
    ),
    Asset(
        name="vgg16-397923af.pth",
        licence="CC BY 4.0",
        megabytes=553,
        urls=("https://download.pytorch.org/models/vgg16-397923af.pth",),
        digest="sha256:397923af",
    ),
    Asset(
        name="FlowNet2_checkpoint.pth.tar",
        licence=RESEARCH,
        megabytes=650,
        urls=(
            "https://drive.usercontent.google.com/download?export=download&confirm=t"
            f"&id={NVIDIA}",
        ),
        by_hand=f"download it from https://drive.google.com/file/d/{NVIDIA}/view, or"
        " name LMB's FlowNet2_weights.caffemodel.h5 in the config",
    ),
    Asset(
        name="FlowNet2_weights.caffemodel.h5",
        licence=RESEARCH,
        megabytes=2500,
        urls=(f"{LMB}/flownet2-models.tar.gz",),
        inside="FlowNet2/FlowNet2_weights.caffemodel.h5",
    ),
    Asset(
        name="bn_inception-9f5701afb96c8044.pth",
        licence=BSD,
        megabytes=46,
        urls=(
            "https://yjxiong.blob.core.windows.net/models/"
            "bn_inception-9f5701afb96c8044.pth",
        ),
        digest="sha256:9f5701afb96c8044",
    ),
    Asset(
        name="imagenet-resnet-50-dag.mat",
        licence="BSD, as MatConvNet",
        megabytes=98,
        urls=("https://www.vlfeat.org/matconvnet/models/imagenet-resnet-50-dag.mat",),
    ),
    Asset(
        name="5000_G.pth",
        licence="none stated",
        megabytes=67,
        by_hand="download it from the drive that its authors name on the page of their"
        " project, AlanZhang1995/TwoStreamSR",
    ),
)


def _recognisers() -> Iterator[Asset]:
    """TSN's and ST-ResNet's networks, of each data set and split."""
    for data in ("ucf101", "hmdb51"):
        for split in (1, 2, 3):
            for stream in ("rgb", "flow"):
                name = f"{data}_split_{split}_tsn_{stream}_reference_bn_inception"
                name += ".caffemodel.v5"
                yield Asset(
                    name=name,
                    licence=BSD,
                    megabytes=42,
                    urls=(f"{TSN}/{name}", f"{TSN_OLD}/{name}"),
                )
            for folder, stem, size in (
                ("stage2", f"{data}ST-ResNet50-final-split={split}", 235),
                ("stage1", f"{data}-ST-ResNet50-split={split}", 230),
                ("ts-base", f"{data}-img-resnet50-split{split}-dr0", 95),
                ("ts-base", f"{data}-resnet50-split{split}-dr0.8", 95),
            ):
                yield Asset(
                    name=f"{stem}.mat",
                    licence="none stated",
                    megabytes=size,
                    urls=(f"{GRAZ}/{folder}/{stem}.mat",),
                )


ASSETS = {each.name: each for each in (*DATA_SETS, *NETWORKS, *_recognisers())}


def difference(path: Path) -> str:
    """Say how a file's digest differs from that of the published one of its name.

    Args:
        path: a file.

    Returns:
        "" where they are equal, or nobody states what it must be.

    Raises:
        OSError: it can't be read.
    """
    asset = find(str(path))
    if asset is None or not asset.digest or asset.inside is not None:
        return ""
    kind, _, digits = asset.digest.partition(":")
    with path.open("rb") as file:
        found = hashlib.file_digest(file, kind).hexdigest()
    if found.startswith(digits):
        return ""
    return (
        f"its {kind} is {found[: len(digits)]}, that of the published file of its name"
        f" {digits}: damaged, or another file"
    )


def find(path: str) -> Asset | None:
    """Find what a config names by the last part of its path; None if it is unknown."""
    return ASSETS.get(Path(path).name)
