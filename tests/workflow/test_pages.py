"""docs/extending.md as its reader follows it: its files and entries, as they stand."""

import re
import shutil
from pathlib import Path

import pytest

from tests.workflow.checkout import TINY, snakemake
from twinlens import cli

pytestmark = pytest.mark.slow
PAGE = Path(__file__).parents[2] / "docs/extending.md"
FILE = re.compile(r"`(src/twinlens/[\w/]+\.py)`:\n\n```python\n(.*?)```", re.S)
ENTRY = re.compile(r"in `(\w+\.yaml)`.*?\n\n```yaml\n(.*?)```", re.S)
COMMAND = re.compile(r"^    snakemake --cores all (.+) --configfile (\w+\.yaml)", re.M)


def sections():
    """The page's parts with files, entries of the config and commands, by title."""
    parts = re.split(r"^## ", PAGE.read_text(), flags=re.M)[1:]
    found = {part.partition("\n")[0]: part for part in parts}
    return {
        title: (FILE.findall(part), ENTRY.findall(part), COMMAND.findall(part))
        for title, part in found.items()
        if FILE.search(part) and ENTRY.search(part)
    }


SECTIONS = sections()


@pytest.fixture
def folder(done, tmp_path):
    """A copy of a finished world."""
    copied = tmp_path / "checkout"
    shutil.copytree(done, copied)
    return copied


def write(folder, title):
    """Write the files and entries of a section."""
    files, entries, _ = SECTIONS[title]
    for name, text in [*files, *entries]:
        path = folder / name
        assert not path.exists()
        path.write_text(text)
    return [name for name, _ in entries]


def test_the_page_s_sections_are_found():
    assert set(SECTIONS) == {
        "A recogniser",
        "A backbone",
        "A flow estimator",
        "A kind of data set",
    }


def test_the_page_s_backbone_is_trained(folder):
    (entry,) = write(folder, "A backbone")
    target = "results/tiny/networks/recogniser/trained/tsn-yard-spatial.h5"
    said = snakemake(folder, target, *TINY, entry)
    assert "steps to do: 2 train" in said or "steps to do: 1 train" in said
    said = snakemake(folder, "-n", target, *TINY, entry)
    assert "Nothing to be done" in said


def clips(folder, count):
    """Some generated videos."""
    found = sorted((folder / "results/tiny/data/yard").rglob("*.avi"))
    assert len(found) >= count
    return found[:count]


def kitchen(folder):
    """Twelve videos of two classes, sorted as their owner has them."""
    for number, path in enumerate(clips(folder, 12)):
        name = "pour" if number % 2 else "stir"
        copy = folder / f"kitchen/{name}/scene{number // 4}_{number}.avi"
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    return folder / "kitchen"


def test_own_videos_come_to_their_table_in_two_commands(folder, monkeypatch):
    kitchen(folder)
    monkeypatch.chdir(folder)
    cli.main(["init", "kitchen"])
    text = (folder / "mine.yaml").read_text()
    small = text.replace("size: [256, 192], crop: 160", "size: [80, 64], crop: 48")
    (folder / "mine.yaml").write_text(small)
    snakemake(folder, "results/table3.csv", *TINY, "mine.yaml")
    _, header, *rows = (folder / "results/table3.csv").read_text().splitlines()
    assert header.startswith("Method,kitchen Spatial,kitchen Temporal")
    assert [row.split(",")[0] for row in rows] == ["Bicubic", "SoSR", "HR"]


def test_the_page_of_own_videos_plans_its_rows(folder):
    text = PAGE.with_name("videos.md").read_text()
    (example,) = re.findall(r"^    # mine\.yaml\n((?:    .*\n)+)", text, re.M)
    example = re.sub(r"^    ", "", example, flags=re.M)
    example = example.replace("/data/kitchen", str(kitchen(folder)))
    (folder / "mine.yaml").write_text(example)
    said = snakemake(folder, "-n", "results/table3.csv", *TINY, "mine.yaml")
    counts = re.search(r"steps to do: (.*)", said)[1]
    assert " 3 score" in counts


def test_the_page_s_data_set_is_read(folder):
    videos = folder / "kitchen"
    for number, path in enumerate(clips(folder, 8)):
        part = "train" if number % 2 else "test"
        copy = videos / part / f"class{number // 4}" / path.name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    (entry,) = write(folder, "A kind of data set")
    text = (folder / entry).read_text().replace("/data/kitchen", str(videos))
    (folder / entry).write_text(text)
    target = "results/kitchen/manifest/kitchen/manifest.csv"
    snakemake(folder, target, *TINY, entry)
    assert (folder / target).read_text().count(",ok,") == 8


@pytest.mark.parametrize("title", ["A recogniser", "A flow estimator"])
def test_the_page_s_entries_plan_their_jobs(folder, title):
    entries = write(folder, title)
    *_, commands = SECTIONS[title]
    assert [entry for _, entry in commands] == entries
    for targets, entry in commands:
        words = f"-n {targets} --cores 2 --configfile {entry}".split()
        said = snakemake(folder, *words)
        assert re.search(r"steps to do: .*\d+ (score|train_sr)", said)
