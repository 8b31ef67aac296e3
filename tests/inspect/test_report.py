"""Look inside a file: its report, its sheet, both as JSON."""

import json

import cv2
import h5py
import numpy as np
import pandas as pd
import pytest

from tests.patches.clips import patch_set
from tests.tables import scores
from twinlens import cli
from twinlens.artifacts import reader, writer
from twinlens.artifacts.shard import Shard
from twinlens.artifacts.table import write_csv
from twinlens.errors import ArtifactError
from twinlens.inspect import pictures
from twinlens.inspect.report import inspect

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
    return path.with_name(f"{path.stem}-sheet.png")


def titles(axes):
    return [axis.get_title() for axis in axes if axis.get_title()]


def labels(axes):
    return [axis.get_ylabel() for axis in axes if axis.get_ylabel()]


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
    assert lines[-1] == f"sheet: {tmp_path / 'x-sheet.png'}"


def test_frames_are_drawn_in_a_line_a_clip(tmp_path, axes):
    path = frames(tmp_path / "x.h5")
    inspect(path, clips=2, columns=4)
    assert labels(axes) == ["Wave/0\n12 x 16", "Wave/2\n12 x 16"]
    assert titles(axes) == 2 * ["frame 0", "frame 1", "frame 2", "frame 4"]
    assert cv2.imread(str(sheet(path))).shape[1] > 800
    assert axes[0].figure.get_suptitle() == "x.h5: frames/1"


def test_frames_are_called_by_their_index_in_the_clip(tmp_path, axes):
    video = np.zeros((3, 12, 16, 3), np.uint8)
    arrays = {"frames": video, "index": np.array([4, 9, 30], np.int32)}
    inspect(shard(tmp_path / "x.h5", "frames/1", arrays), clips=1)
    assert titles(axes) == ["frame 4", "frame 9", "frame 30"]


def test_low_frames_are_drawn_above_their_originals(tmp_path, axes):
    high = frames(tmp_path / "high.h5", height=24, width=32)
    inputs = {str(high): reader.file_id(high)}
    low = frames(tmp_path / "low.h5", kind="low/1", inputs=inputs)
    inspect(low, clips=1, columns=3)
    assert labels(axes) == ["Wave/0\n12 x 16", "made from, Wave/0\n24 x 32"]
    assert axes[3].images[0].get_array().shape == (24, 32, 3)


def test_low_frames_without_their_originals_are_drawn_alone(tmp_path, axes):
    low = frames(tmp_path / "low.h5", kind="low/1", inputs={"gone.h5": "0" * 32})
    inspect(low, clips=1)
    assert len(labels(axes)) == 1


def test_no_motion_is_drawn_white_and_motion_in_colour(tmp_path, axes):
    flow = np.full((2, 2, 12, 16), 128, np.uint8)
    flow[1, 0] = 255
    inspect(shard(tmp_path / "x.h5", "flow/1", {"flow": flow}), clips=1)
    still, moving = (axis.images[0].get_array() for axis in axes)
    assert still.min() > 235
    assert moving.min() < 50
    assert labels(axes) == ["Wave/0\nfull colour 20.0 px"]


@pytest.mark.parametrize("streams", [["spatial", "temporal"], ["spatial"]])
def test_the_true_class_of_scores_is_in_colour(tmp_path, streams, axes):
    values = np.tile(np.float32([1, 3, 2]), (4, 1))
    path = tmp_path / "x.h5"
    inspect(shard(path, "scores/2", dict.fromkeys(streams, values), label=1), clips=1)
    assert titles(axes) == [f"{each}: class 1 in colour" for each in streams]
    bars = axes[0].patches
    assert [bar.get_height() for bar in bars] == [0, 2, 1]
    assert bars[1].get_facecolor() != bars[0].get_facecolor() == bars[2].get_facecolor()


def network(path, **arrays):
    with writer.create(path, "network/1", {**ABOUT, "inputs": {}}) as file:
        for name, array in arrays.items():
            writer.put(file, f"state/{name}", array)
    return path


def log(path):
    rows = {"step": [0, 1, 2, 3], "loss": [4.0, 2.0, 1.0, 1.5]}
    rows |= {"psnr": ["", 20.0, "", 25.0]}
    write_csv(path, "training/1", pd.DataFrame(rows))
    return path


def test_a_network_s_first_filters_and_its_curve_are_drawn(tmp_path, axes):
    kernels = np.linspace(-1, 2, 8 * 9, dtype=np.float32).reshape(8, 1, 3, 3)
    path = network(tmp_path / "x.h5", a_bias=np.zeros(8, np.float32), b=kernels)
    log(tmp_path / "x.csv")
    inspect(path, columns=5)
    filters = [f"filter {n}" for n in range(8)]
    assert titles(axes)[:8] == filters
    assert titles(axes)[8:] == ["psnr: last 25, best 25", "loss: last 1.5, best 1"]
    assert labels(axes)[0] == "b\nblack -2, white 2"
    assert axes[0].images[0].get_array()[0, 0].tolist() == [64, 64, 64]  # -1 of 2


def test_a_layer_that_reads_rgb_is_drawn_in_colour(tmp_path, axes):
    kernels = np.zeros((1, 3, 3, 3), np.float32)
    kernels[0, 0] = 1
    inspect(network(tmp_path / "x.h5", a=kernels))
    assert axes[0].images[0].get_array()[1, 1].tolist() == [255, 128, 128]


def test_weights_are_listed_and_not_drawn(tmp_path, capsys):
    eye = np.eye(3, dtype=np.float32)
    path = network(tmp_path / "x.h5", **{f"layer{n}": eye for n in range(10)})
    inspect(path)
    lines = capsys.readouterr().out.splitlines()
    assert "arrays: 10, 90 numbers" in lines
    assert "  /state/layer0: float32 (3, 3); 0 .. 1, mean 0.333333" in lines
    assert lines[-1] == "  ... and 2 more"
    assert not sheet(path).exists()


def test_a_shard_without_clips_is_described(tmp_path, capsys):
    path = tmp_path / "x.h5"
    with Shard(path, "frames/1", {**ABOUT, "inputs": {}}, []):
        pass
    inspect(path)
    assert "frames/1" in capsys.readouterr().out
    assert not sheet(path).exists()


def test_the_sheet_goes_where_it_is_asked_for(tmp_path):
    inspect(frames(tmp_path / "x.h5"), sheet=tmp_path / "other/y.png")
    assert (tmp_path / "other/y.png").exists()
    assert not sheet(tmp_path / "x.h5").exists()


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
def test_patches_are_drawn_with_their_motion(tmp_path, capsys, pair, axes):
    path, _ = patch_set(tmp_path, pair=pair)
    inspect(path, clips=2, columns=6)
    assert "high: uint8, 16 of shape" in capsys.readouterr().out
    words = [title.split(",")[0].split(": ")[-1] for title in titles(axes)]
    assert words == 2 * (
        ["low", "target", "target", "flow"] if pair else 2 * ["low", "target", "speed"]
    )


def test_a_set_without_patches_has_no_sheet(tmp_path, capsys):
    path, _ = patch_set(tmp_path, least_variance=1.0)
    inspect(path)
    assert "sheet:" not in capsys.readouterr().out


def test_a_training_s_csv_is_summarised_and_drawn(tmp_path, capsys, axes):
    path = log(tmp_path / "x.csv")
    inspect(path)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{path}: training/1, 0.0 MB, complete"
    assert "rows: 4" in lines
    assert "  psnr: 2 stated; 20 .. 25, mean 22.5" in lines
    assert titles(axes) == ["psnr: last 25, best 25", "loss: last 1.5, best 1"]
    assert axes[0].lines[0].get_xydata().tolist() == [[1, 20], [3, 25]]


def test_a_table_s_csv_is_summarised(tmp_path, capsys):
    rights = {"bicubic": {"Ada": 2, "Ben": 3}, "vdsr": {"Ada": 4, "Ben": 5}}
    stored = [
        scores.shard(tmp_path, "one", name, right, heads=scores.HEADS)
        for name, right in rights.items()
    ]
    methods = {name: scores.method(name) for name in rights}
    files = scores.write(tmp_path, "table3", stored, scores.layout(methods))
    capsys.readouterr()
    inspect(files.long)
    out = capsys.readouterr().out
    assert f"{files.long}: table 3, 0.0 MB, not checked: it has no digest" in out
    assert "  method: 6 stated; 2 different, such as VDSR, BICUBIC" in out
    assert "  accuracy: 6 stated; 25 .. 45, mean 35" in out
    assert "  published: 0 stated; 0 different" in out


def test_a_csv_that_was_edited_is_refused(tmp_path):
    path = log(tmp_path / "x.csv")
    path.write_text(path.read_text().replace("4.0", "5.0"))
    with pytest.raises(ArtifactError, match=r"x\.csv: was cut off or edited"):
        inspect(path)


@pytest.mark.parametrize("text", ["Method,One\n", ""])
def test_a_csv_of_another_program_is_refused(tmp_path, text):
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(ArtifactError, match=r"x\.csv: is a csv of another program"):
        inspect(tmp_path / "x.csv")


def test_a_missing_csv_is_named(tmp_path):
    with pytest.raises(ArtifactError, match=r"x\.csv: no such file"):
        inspect(tmp_path / "x.csv")


def test_it_is_a_command(tmp_path, capsys):
    path = frames(tmp_path / "x.h5")
    cli.main(["inspect", str(path), "--clips", "1", "--columns", "2"])
    assert "clips: 3" in capsys.readouterr().out
    assert sheet(path).exists()


def test_all_of_it_is_one_json_object(tmp_path, capsys):
    path = frames(tmp_path / "x.h5")
    cli.main(["inspect", str(path), "--json"])
    found = json.loads(capsys.readouterr().out)
    assert found["kind"] == "frames/1"
    assert found["clips"] == NAMES
    assert found["arrays"]["frames"]["shapes"] == [[12, 16, 3]]
    assert found["sheet"] == str(sheet(path))


@pytest.mark.parametrize("count", [0, 1, 5])
def test_clips_are_spread_over_a_shard(count):
    places = pictures._spread(count, 3)
    assert len(places) == min(count, 3)
    assert places == sorted(set(places))
