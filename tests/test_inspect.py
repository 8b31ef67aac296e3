import cv2
import h5py
import numpy as np
import pytest

from tests.patches.clips import patch_set
from twinlens import cli
from twinlens.artifacts import reader, writer
from twinlens.artifacts.shard import Shard
from twinlens.errors import ArtifactError
from twinlens.inspect import GAP, TILE_HEIGHT, inspect

ABOUT = {"id": "0123456789abcdef", "stage": "frames", "seed": 2019}
FORM = {"form": {"flow": "tvl1", "bound": 20.0, "size": None}}
NAMES = [f"Wave/{number}" for number in range(3)]


def shard(path, kind, arrays, inputs=None, **facts):
    about = {
        **ABOUT,
        **(FORM if kind == "flow/1" else {}),
        "inputs": inputs or {"videos/yard": "f" * 32},
    }
    with Shard(path, kind, about, NAMES) as file:
        for name in NAMES:
            file.write(name, arrays, **facts)
    return path


def frames(path, height=12, width=16, **more):
    ramp = np.arange(5 * height * width * 3) % 200
    video = ramp.astype(np.uint8).reshape(5, height, width, 3)
    return shard(path, more.pop("kind", "frames/1"), {"frames": video}, **more)


def sheet(path):
    """The contact sheet's height and width in pictures."""
    picture = cv2.imread(str(path.with_suffix(".png")))
    return picture.shape[0] // (TILE_HEIGHT + GAP), picture.shape[1]


def test_it_says_what_an_artifact_is(tmp_path, capsys):
    path = frames(tmp_path / "x.h5", fps=25.0, sha1="0a" * 20)
    inspect(path)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"{path}: frames/1, 0.")
    assert lines[0].endswith(" MB, complete")
    assert "  stage: frames" in lines
    assert "  seed: 2019" in lines
    assert "  id: 0123456789abcdef" in lines
    assert "  made from: videos/yard (ffffffffffff)" in lines
    assert "clips: 3, Wave/0 ... Wave/2" in lines
    assert "  frames: uint8, 15 of shape (12, 16, 3); 0 .. 199, mean 97.8333" in lines
    assert f"  Wave/0: fps 25.0, sha1 {'0a' * 20}" in lines
    assert lines[-4] == f"contact sheet: {tmp_path / 'x.png'}"
    assert lines[-3:] == ["  Wave/0", "  Wave/1", "  Wave/2"]


def test_frames_are_drawn_in_a_row_a_clip(tmp_path):
    inspect(frames(tmp_path / "x.h5"), clips=2, columns=4)
    assert sheet(tmp_path / "x.h5") == (2, 4 * (160 + GAP))


def test_low_frames_are_drawn_above_their_originals(tmp_path):
    high = frames(tmp_path / "high.h5", height=24, width=32)
    inputs = {str(high): reader.file_id(high)}
    low = frames(tmp_path / "low.h5", kind="low/1", inputs=inputs)
    inspect(low, clips=1, columns=3)
    assert sheet(low) == (2, 3 * (160 + GAP))


def test_low_frames_without_their_originals_are_drawn_alone(tmp_path):
    low = frames(tmp_path / "low.h5", kind="low/1", inputs={"gone.h5": "0" * 32})
    inspect(low, clips=1)
    assert sheet(low)[0] == 1


def test_no_motion_is_drawn_white_and_motion_in_colour(tmp_path):
    flow = np.full((2, 2, 12, 16), 128, np.uint8)
    flow[1, 0] = 255
    inspect(shard(tmp_path / "x.h5", "flow/1", {"flow": flow}), clips=1)
    picture = cv2.imread(str(tmp_path / "x.png"))
    still, moving = picture[60, 80], picture[60, 160 + GAP + 80]
    assert still.min() > 235
    assert moving.min() < 50


@pytest.mark.parametrize("streams", [["spatial", "temporal"], ["spatial"]])
def test_the_true_class_of_scores_is_green(tmp_path, streams):
    scores = np.tile(np.float32([1, 3, 2]), (4, 1))
    path = tmp_path / "x.h5"
    inspect(shard(path, "scores/2", dict.fromkeys(streams, scores), label=1), clips=1)
    blue, green, red = cv2.split(cv2.imread(str(tmp_path / "x.png")).astype(int))
    assert (green > red + 60).any()
    assert sheet(path)[0] == 1


def test_weights_are_listed_and_not_drawn(tmp_path, capsys):
    path = tmp_path / "weights.h5"
    with writer.create(path, "network/1", {**ABOUT, "inputs": {}}) as file:
        for number in range(10):
            writer.put(file, f"state/layer{number}", np.eye(3, dtype=np.float32))
    inspect(path)
    lines = capsys.readouterr().out.splitlines()
    assert "arrays: 10, 90 numbers" in lines
    assert "  /state/layer0: float32 (3, 3); 0 .. 1, mean 0.333333" in lines
    assert lines[-1] == "  ... and 2 more"
    assert not (tmp_path / "weights.png").exists()


def test_a_shard_without_clips_is_described(tmp_path, capsys):
    path = tmp_path / "x.h5"
    with Shard(path, "frames/1", {**ABOUT, "inputs": {}}, []):
        pass
    inspect(path)
    assert "frames/1" in capsys.readouterr().out
    assert not path.with_suffix(".png").exists()


def test_the_sheet_goes_where_it_is_asked_for(tmp_path):
    inspect(frames(tmp_path / "x.h5"), sheet=tmp_path / "other/y.png")
    assert (tmp_path / "other/y.png").exists()
    assert not (tmp_path / "x.png").exists()


def test_external_links_are_refused(tmp_path):
    path = frames(tmp_path / "x.h5")
    with h5py.File(path, "a", libver="latest") as file:
        file["clip/Wave/3"] = h5py.ExternalLink("/etc/other.h5", "/")
    with pytest.raises(
        ArtifactError, match="x.h5: has other links than its own at clip/Wave"
    ):
        inspect(path)


def test_a_damaged_file_is_refused(tmp_path):
    path = frames(tmp_path / "x.h5", height=64, width=64)
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)
    with pytest.raises(ArtifactError, match="x.h5: is damaged"):
        inspect(path)


@pytest.mark.parametrize("pair", [False, True])
def test_patches_are_drawn_with_their_motion(tmp_path, capsys, pair):
    path, _ = patch_set(tmp_path, pair=pair)
    inspect(path, clips=2, columns=6)
    assert "high: uint8, 16 of shape" in capsys.readouterr().out
    assert sheet(path) == (2, (4 if pair else 6) * (120 + GAP))


def test_a_set_without_patches_has_no_sheet(tmp_path, capsys):
    path, _ = patch_set(tmp_path, least_variance=1.0)
    inspect(path)
    assert "contact sheet" not in capsys.readouterr().out


def test_text_is_not_to_be_removed(tmp_path):
    (tmp_path / "table3.csv").write_text("Method")
    with pytest.raises(ArtifactError, match=r"table3\.csv: is text"):
        inspect(tmp_path / "table3.csv")


def test_it_is_a_command(tmp_path, capsys):
    path = frames(tmp_path / "x.h5")
    cli.main(["inspect", str(path), "--clips", "1", "--columns", "2"])
    assert "clips: 3" in capsys.readouterr().out
    assert sheet(path) == (1, 2 * (160 + GAP))
