"""The command that brings what a config names."""

import dataclasses
import hashlib

import pytest
import yaml

from tests.assets import rar
from tests.assets.server import Served, serving
from tests.plan import worlds
from twinlens import cli
from twinlens.assets import fetch, published, unpack
from twinlens.assets.needs import needs

WORLDS = ["paper.yaml", "subset.yaml", "released.yaml"]


@pytest.fixture(autouse=True)
def at_root(monkeypatch):
    monkeypatch.chdir(worlds.ROOT)


@pytest.fixture
def config(tmp_path):
    """An overlay that names two published things, one unknown and one by hand."""
    entry = {"kind": "ucf101", "videos": "UCF-101", "splits": "own_lists"}
    text = {
        "select": {
            "datasets": ["ucf"],
            "methods": ["bicubic", "vdsr", "hr"],
            "table2": None,
            "table2_flow": None,
            "recognisers": ["tsn"],
        },
        "datasets": {"ucf": {"label": "UCF", **entry}},
        "patches": {"spatial": {"corpus": "cdvl"}},
        "starts": {
            "vdsr": {
                "weights": "weights/VDSR_Official.mat",
                "settings": {"width": 64, "depth": 20},
            }
        },
        "recognisers": {"tsn": {"views": {"size": [120, 90]}}},
    }
    text["datasets"]["cdvl"] = {"label": "C", "kind": "corpus", "videos": "CDVL-134"}
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(text))
    return path


def run(config, tmp_path, *options):
    return fetch.main(["--config", str(config), "--data", str(tmp_path), *options])


def place(monkeypatch, name, url, **changes):
    asset = dataclasses.replace(published.ASSETS[name], urls=(url,), **changes)
    monkeypatch.setitem(published.ASSETS, name, asset)


def digest(content):
    return f"md5:{hashlib.md5(content).hexdigest()}"


def test_what_is_published_comes_and_the_rest_is_reported(
    tmp_path, config, monkeypatch, capsys
):
    clips = {"UCF-101/Wave/v_Wave_g01_c01.avi": b"clip"}
    archive, weights = rar.archive(clips), b"weights"
    files = {"/UCF101.rar": Served(archive), "/v.mat": Served(weights)}
    monkeypatch.setattr(unpack.rarfile, "tool_setup", lambda: None)
    with serving(files) as address:
        url = f"{address}/UCF101.rar"
        place(monkeypatch, "UCF-101", url, digest=digest(archive), files=1, megabytes=1)
        place(
            monkeypatch,
            "VDSR_Official.mat",
            f"{address}/v.mat",
            digest=digest(weights),
        )
        assert run(config, tmp_path) == 1
    said = capsys.readouterr()
    assert (tmp_path / "UCF-101/Wave/v_Wave_g01_c01.avi").read_bytes() == b"clip"
    assert (tmp_path / "weights/VDSR_Official.mat").read_bytes() == weights
    assert sorted(each.name for each in tmp_path.iterdir()) == [
        "UCF-101",
        "mine.yaml",
        "weights",
    ]
    missing = [line for line in said.out.splitlines() if line.startswith("MISSING")]
    assert any("own_lists: splits of data set ucf, no published" in m for m in missing)
    assert any("CDVL-134: ask for an account at https://www." in m for m in missing)
    assert len(missing) == 2
    assert "licence: MIT" in said.err


def test_what_is_there_is_not_asked_for(tmp_path, config, monkeypatch, capsys):
    for name in ("UCF-101", "own_lists", "CDVL-134"):
        (tmp_path / name).mkdir()
    served = Served(b"weights")
    with serving({"/v.mat": served}) as address:
        url = f"{address}/v.mat"
        place(monkeypatch, "VDSR_Official.mat", url, digest=digest(b"weights"))
        assert run(config, tmp_path) == 0
        assert run(config, tmp_path) == 0
    assert len(served.asked) == 1
    rows = capsys.readouterr().out.splitlines()[2:6]
    states = [line.split()[1] for line in rows]
    assert states == ["there", "there", "there", "to"]


@pytest.mark.parametrize("known", [True, False], ids=["digest", "no digest"])
def test_an_archive_of_other_content_is_kept_where_it_is_what_was_published(
    tmp_path, config, monkeypatch, capsys, known
):
    """Else the next command downloads it again."""
    archive = rar.archive({"Other/a.avi": b"clip"})
    monkeypatch.setattr(unpack.rarfile, "tool_setup", lambda: None)
    with serving({"/UCF101.rar": Served(archive)}) as address:
        text = digest(archive) if known else ""
        url = f"{address}/UCF101.rar"
        place(monkeypatch, "UCF-101", url, digest=text, files=1, megabytes=1)
        place(monkeypatch, "VDSR_Official.mat", f"{address}/none")
        assert run(config, tmp_path) == 1
    assert "UCF101.rar: has no UCF-101" in capsys.readouterr().out
    assert (tmp_path / ".downloads/UCF101.rar").exists() == known
    assert not (tmp_path / "UCF-101").exists()


def test_listing_brings_nothing(tmp_path, config, capsys):
    assert run(config, tmp_path, "--list") == 0
    lines = capsys.readouterr().out.splitlines()
    (line,) = [line for line in lines if "VDSR_Official.mat" in line]
    assert line.split()[1:] == ["to", "fetch", "3", "MIT", "sha256:f613166660840af"]
    assert [each.name for each in tmp_path.iterdir()] == ["mine.yaml"]


def test_a_wrong_file_is_refused(tmp_path, config, monkeypatch, capsys):
    for name in ("UCF-101", "own_lists", "CDVL-134"):
        (tmp_path / name).mkdir()
    with serving({"/v.mat": Served(b"a web page of an error")}) as address:
        place(monkeypatch, "VDSR_Official.mat", f"{address}/v.mat")
        assert run(config, tmp_path) == 1
    assert "VDSR_Official.mat: VDSR_Official.mat: http" in (
        out := capsys.readouterr().out
    )
    assert "another file than was published: SHA256 hash of" in out
    assert list((tmp_path / "weights").iterdir()) == []


def test_a_disk_without_room_is_said_first(tmp_path, config, monkeypatch, capsys):
    monkeypatch.setattr(unpack.rarfile, "tool_setup", lambda: None)
    usage = fetch.shutil.disk_usage(tmp_path)._replace(free=10**9)
    monkeypatch.setattr(fetch.shutil, "disk_usage", lambda _: usage)
    assert run(config, tmp_path) == 1
    out = capsys.readouterr().out
    assert "UCF-101: needs 15,180 MB at" in out
    assert "where 1,000 MB are free" in out


def test_a_config_that_cannot_be_read_is_said(tmp_path, capsys):
    with pytest.raises(SystemExit, match=r"(?s)twinlens fetch: .*none\.yaml"):
        cli.main(["fetch", "--config", str(tmp_path / "none.yaml")])


@pytest.mark.parametrize("name", WORLDS)
def test_all_that_our_worlds_name_is_known(name):
    """All files but those of the subset, which are a choice of real clips."""
    overlays = ["paper.yaml", name] if name == "released.yaml" else [name]
    plan = worlds.Plan.of(worlds.merged(*overlays))
    named = [need.path for need in needs(plan)]
    unknown = [path for path in named if published.find(path) is None]
    assert unknown == [] or name == "subset.yaml"
    assert named


def test_real_weights_have_the_published_digest(realdata):
    asset = published.ASSETS["VDSR_Official.mat"]
    content = next(realdata.rglob("VDSR_Official.mat")).read_bytes()
    assert asset.digest == f"sha256:{hashlib.sha256(content).hexdigest()}"
