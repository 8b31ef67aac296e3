"""A config for a folder of videos: what is looked at, and what is written."""

import os
import re

import numpy as np
import pytest
import yaml

from tests.plan import worlds
from twinlens.errors import DataError
from twinlens.template import init


@pytest.fixture
def kitchen(tmp_path, make_video, noise):
    """Videos of two classes."""
    root = tmp_path / "My kitchen, 2024"
    for name in ("pour/a", "pour/b", "pour/c", "pour/d", "stir/x", "stir/y"):
        make_video(root / f"{name}.avi", noise(5, height=36, width=64))
    return root


def written(root, tmp_path):
    out = tmp_path / "mine.yaml"
    init(root, out)
    text = out.read_text()
    return text, yaml.safe_load(text)


def test_a_folder_s_config_names_it(kitchen, tmp_path, capsys):
    text, config = written(kitchen, tmp_path)
    assert config["world"] == "my_my_kitchen_2024"
    entry = config["datasets"][config["world"]]
    assert entry["label"] == "My kitchen, 2024"
    assert entry["videos"] == str(kitchen)
    assert config["select"]["datasets"] == [config["world"]]
    assert config["recognisers"]["tsn"]["views"]["size"] == [352, 192]
    assert "#       4 pour\n" in text
    assert "#       2 stir   <- too few to train and test on\n" in text
    assert "Looked at 6: 6 of 64x36" in text
    assert "--configfile" in capsys.readouterr().err


def test_names_that_say_a_scene_give_the_pattern(tmp_path, make_video, noise):
    for name in ("a/v_a_g01_c01", "a/v_a_g02_c01", "b/v_b_g01_c01", "b/v_b_g01_c02"):
        make_video(tmp_path / "v" / f"{name}.avi", noise(3))
    _, config = written(tmp_path / "v", tmp_path)
    entry = config["datasets"]["my_v"]
    assert entry["group"] == r"_g(\d+)_c"
    assert entry["group_within_class"] is True


def test_one_name_without_a_scene_gives_no_pattern(tmp_path, make_video, noise):
    for name in ("a/v_a_g01_c01", "a/v_a_g02_c01", "b/v_b_g01_c01", "b/other"):
        make_video(tmp_path / "v" / f"{name}.avi", noise(3))
    make_video(tmp_path / "v/deep/er/v_g01_c01.avi", noise(3))
    text, config = written(tmp_path / "v", tmp_path)
    assert "group" not in config["datasets"]["my_v"]
    assert "# 4 videos of 2 classes" in text
    assert "Looked at 4" in text


def test_upright_videos_are_seen_upright(tmp_path, make_video):
    for name in ("a/1", "a/2", "b/1"):
        frames = np.zeros((2, 64, 36, 3), np.uint8)
        make_video(tmp_path / "v" / f"{name}.avi", frames)
    make_video(tmp_path / "v/b/2.avi", np.zeros((2, 36, 64, 3), np.uint8))
    text, config = written(tmp_path / "v", tmp_path)
    assert config["recognisers"]["tsn"]["views"]["size"] == [192, 352]
    assert "others of 1 sizes" in text
    assert "3 are upright" in text


@pytest.mark.parametrize(
    "name", ['a "b"', "a: b", "# no", "yes", "$world", "küche\u2028", "\U0001f373"]
)
def test_odd_names_are_read_back(tmp_path, make_video, noise, name):
    root = tmp_path / name
    for clip in ("x/1", "y/1"):
        make_video(root / f"{clip}.avi", noise(2))
    _, config = written(root, tmp_path)
    (entry,) = config["datasets"].values()
    assert (entry["label"], entry["videos"]) == (name, str(root))


def world_of(root, tmp_path, make_video, noise):
    for clip in ("x/1", "y/1"):
        make_video(root / f"{clip}.avi", noise(2))
    return written(root, tmp_path)[1]["world"]


def test_long_names_give_a_world_that_can_be_made(tmp_path, make_video, noise):
    root = tmp_path / ("the fourth of July in the old kitchen " * 4).strip()
    world = world_of(root, tmp_path, make_video, noise)
    assert world == "my_the_fourth_of_july_in_the_old_kitchen_th"
    config = worlds.merged() | yaml.safe_load((tmp_path / "mine.yaml").read_text())
    assert len(config["datasets"][world]["label"]) == 100


def test_folders_that_differ_in_other_letters_are_other_worlds(
    tmp_path, make_video, noise
):
    names = [
        world_of(tmp_path / at / name, tmp_path / at, make_video, noise)
        for at, name in (("one", "日本語"), ("two", "中文"))
    ]
    assert names[0] != names[1]
    assert all(re.fullmatch(r"my_videos_[0-9a-f]{6}", name) for name in names)


def test_a_name_that_an_earlier_world_has_is_another(kitchen, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results/my_my_kitchen_2024").mkdir(parents=True)
    assert re.fullmatch(
        r"my_my_kitchen_2024_[0-9a-f]{6}", written(kitchen, tmp_path)[1]["world"]
    )


def test_what_can_not_be_read_is_reported(kitchen, tmp_path, capsys):
    os.truncate(kitchen / "pour/a.avi", 100)
    (kitchen / "pour/notes.txt").touch()
    text, _ = written(kitchen, tmp_path)
    said = capsys.readouterr().err
    assert "pour/a.avi: truncated" in said
    assert "1 left out" in said
    assert "Looked at 5:" in text


def test_a_config_that_is_there_is_kept(kitchen, tmp_path):
    (tmp_path / "mine.yaml").write_text("world: mine")
    with pytest.raises(DataError, match=r"mine\.yaml: exists; name another"):
        init(kitchen, tmp_path / "mine.yaml")
    assert (tmp_path / "mine.yaml").read_text() == "world: mine"


def test_folders_without_classes_are_refused(kitchen, tmp_path):
    out = tmp_path / "mine.yaml"
    with pytest.raises(DataError, match="gone: no such folder"):
        init(tmp_path / "gone", out)
    with pytest.raises(DataError, match="needs two classes or more.*: none"):
        init(kitchen / "pour", out)
    for path in (kitchen / "stir").iterdir():
        path.unlink()
    with pytest.raises(DataError, match=r"needs two classes or more.*: pour"):
        init(kitchen, out)
    for path in (kitchen / "pour").iterdir():
        path.write_text("no video")
    (kitchen / "stir/z.mp4").touch()
    with pytest.raises(DataError, match="none of its videos can be read"):
        init(kitchen, out)
    assert not out.exists()
