"""The paper's whole plan, over made-up folders of all official clip names."""

import re
import time

import pytest
import yaml

from tests.workflow.checkout import ROOT, copy, snakemake
from twinlens.media.sets.hmdb51 import CLASSES as HMDB51

pytestmark = pytest.mark.slow
UCF101_CLIPS, HMDB51_CLIPS = 13_320, 6_766


@pytest.fixture(scope="module")
def data(tmp_path_factory, realdata_folder):
    """Empty files of every official name, or of as many names where the lists lack."""
    folder = tmp_path_factory.mktemp("data")
    lists = realdata_folder if realdata_folder.is_dir() else None
    _ucf101(folder, lists)
    _hmdb51(folder, lists)
    config = yaml.safe_load((ROOT / "config/paper.yaml").read_text())
    given = [*config["starts"].values(), *config["methods"].values()]
    given += [config["training"]["perceptual"], config["flows"]["flownet2"]]
    files = [each["weights"] for each in given if each.get("weights")]
    for recogniser in config["recognisers"].values():
        for networks in recogniser["weights"].values():
            files += [each for each in networks.values() if isinstance(each, str)]
    for file in files:
        (folder / file).parent.mkdir(exist_ok=True)
        (folder / file).touch()
    for number in range(134):
        path = folder / "CDVL-134" / f"clip{number:03d}.avi"
        path.parent.mkdir(exist_ok=True)
        path.touch()
    return folder


def _ucf101(folder, lists):
    splits = folder / "ucfTrainTestlist"
    splits.mkdir()
    if lists:
        for path in (lists / "ucfTrainTestlist").glob("*.txt"):
            (splits / path.name).write_bytes(path.read_bytes())
    else:
        _made_up_ucf101(splits)
    for part in ("train", "test"):
        for line in (splits / f"{part}list01.txt").read_text().split("\n"):
            if line.strip():
                path = folder / "UCF-101" / line.split()[0]
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()


def _made_up_ucf101(splits):
    names = [f"Class{number:03d}" for number in range(101)]
    lines = [f"{place} {name}" for place, name in enumerate(names, 1)]
    (splits / "classInd.txt").write_text("\r\n".join(lines))
    clips = [
        f"{names[place % 101]}/v_g{place // 1000 + 1:02d}_c{place}.avi"
        for place in range(UCF101_CLIPS)
    ]
    (splits / "testlist01.txt").write_text("\n".join(clips[:3783]))
    train = [f"{clip} 1" for clip in clips[3783:]]
    (splits / "trainlist01.txt").write_text("\n".join(train))


def _hmdb51(folder, lists):
    splits = folder / "testTrainMulti_7030_splits"
    splits.mkdir()
    source = lists / "testTrainMulti_7030_splits" if lists else None
    for place, name in enumerate(HMDB51):
        file = f"{name}_test_split1.txt"
        text = (source / file).read_text() if source else _made_up_hmdb51(place, name)
        (splits / file).write_text(text)
        (folder / "hmdb51" / name).mkdir(parents=True)
        for line in text.splitlines():
            if line.strip():
                clip = line.rsplit(maxsplit=1)[0]
                (folder / "hmdb51" / name / clip).touch()


def _made_up_hmdb51(place, name):
    count = HMDB51_CLIPS // 51 + (place < HMDB51_CLIPS % 51)
    marks = [1] * 70 + [2] * 30 + [0] * (count - 100)
    return "\n".join(f"{name} ({at})#.avi {mark} " for at, mark in enumerate(marks))


@pytest.mark.parametrize(
    "configs",
    [["config/paper.yaml"], ["config/paper.yaml", "config/released.yaml"]],
    ids=["paper", "released"],
)
def test_the_paper_s_plan_is_small_and_quick(data, tmp_path, capsys, configs):
    videos = sum(1 for _ in (data / "UCF-101").rglob("*.avi"))
    assert videos == UCF101_CLIPS
    assert sum(1 for _ in (data / "hmdb51").rglob("*.avi")) == HMDB51_CLIPS
    folder = copy(tmp_path / "checkout")
    start = time.monotonic()
    said = snakemake(
        folder,
        "-n",
        "all",
        "--configfile",
        *configs,
        "--config",
        f"data={data}",
        "--cores",
        "1",
    )
    with capsys.disabled():
        print(f" [dry run of the paper: {time.monotonic() - start:.1f} s]", end="")
    jobs = int(re.search(r"(\d+) steps to do", said).group(1))
    with capsys.disabled():
        print(f" [{jobs} jobs]", end="")
    assert 100 < jobs < 2500
