"""Any video file, enlarged: what is written, and what is said where it can't be."""

import subprocess

import numpy as np
import pytest

from tests.sr.test_enlarge import Seen
from tests.training import runs
from twinlens import cli
from twinlens.errors import ArtifactError
from twinlens.media import ffmpeg
from twinlens.resample import upscale as bicubic
from twinlens.sr import upscale as module
from twinlens.sr.upscale import upscale

pytestmark = pytest.mark.slow


@pytest.fixture
def video(tmp_path, make_video, noise):
    return make_video(tmp_path / "in.avi", noise(9, height=16, width=24), fps=10)


def test_bicubic_writes_every_frame_four_times_larger(video, tmp_path):
    out = tmp_path / "out.mkv"
    upscale(video, out, method="bicubic", quality=0)
    output = ffmpeg.decode(out)
    assert output.frames.shape == (9, 64, 96, 3)
    assert output.fps == 10
    wanted = bicubic(ffmpeg.decode(video).frames).astype(int)
    # H.264 keeps chroma at half size: compare brightness.
    error = np.abs(output.frames.astype(int).mean(-1) - wanted.mean(-1))
    assert error.mean() < 8


def test_a_trained_method_is_found_in_results(video, tmp_path):
    runs.train(tmp_path / "results/made/networks/sr/trained", name="sosr")
    upscale(video, tmp_path / "out.mp4", results=tmp_path / "results")
    assert ffmpeg.decode(tmp_path / "out.mp4").frames.shape == (9, 64, 96, 3)


def test_a_network_under_another_s_name_is_refused(video, tmp_path):
    folder = tmp_path / "results/made/networks/sr/trained"
    runs.train(folder, name="sosr")
    (folder / "sosr.h5").rename(folder / "vdsr.h5")
    with pytest.raises(ArtifactError, match="made for network 'sosr', not 'vdsr'"):
        upscale(video, tmp_path / "out.mp4", "vdsr", results=tmp_path / "results")


def test_weights_can_be_named(video, tmp_path):
    runs.train(tmp_path / "net")
    weights = tmp_path / "net/net.h5"
    upscale(video, tmp_path / "out.avi", weights=weights, results=tmp_path)
    assert len(ffmpeg.decode(tmp_path / "out.avi").frames) == 9


def test_a_method_that_was_never_trained_is_reported(video, tmp_path):
    with pytest.raises(ArtifactError, match="no trained network of 'sosr'"):
        upscale(video, tmp_path / "out.mp4", results=tmp_path)


def test_the_nearest_trained_method_is_reported(video, tmp_path):
    runs.train(tmp_path / "results/made/networks/sr/trained", name="sosr")
    with pytest.raises(ArtifactError, match="did you mean 'sosr'"):
        upscale(video, tmp_path / "out.mp4", "sosrr", results=tmp_path / "results")


def test_several_worlds_are_reported(video, tmp_path):
    for world in ("one", "two"):
        runs.train(tmp_path / f"results/{world}/networks/sr/trained", name="sosr")
    with pytest.raises(ArtifactError, match=r"choose by --weights one of .*one"):
        upscale(video, tmp_path / "out.mp4", results=tmp_path / "results")


def test_the_present_world_s_network_comes_first(video, tmp_path, capsys):
    for world in ("one", "two"):
        runs.train(tmp_path / f"results/{world}/networks/sr/trained", name="sosr")
    (tmp_path / "results/table3.csv").write_text("# twinlens table 3, world two: x\n")
    path = module._trained("sosr", tmp_path / "results")
    assert path == tmp_path / "results/two/networks/sr/trained/sosr.h5"


def test_a_video_does_not_take_its_own_place(video):
    before = video.read_bytes()
    with pytest.raises(ArtifactError, match="would overwrite the video"):
        upscale(video, video, method="bicubic")
    assert video.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"no video at all"])
def test_a_file_that_is_no_video_ends_in_one_line(tmp_path, content):
    (tmp_path / "in.mp4").write_bytes(content)
    words = ["upscale", str(tmp_path / "in.mp4"), str(tmp_path / "out.mp4")]
    with pytest.raises(SystemExit) as ended:
        cli.main([*words, "--method", "bicubic"])
    assert str(ended.value).startswith(f"twinlens upscale: {tmp_path}/in.mp4: ")
    assert not (tmp_path / "out.mp4").exists()


def test_a_cut_file_leaves_no_output(video, tmp_path):
    raw = video.read_bytes()
    (tmp_path / "cut.avi").write_bytes(raw[: len(raw) // 2])
    with pytest.raises(ffmpeg.RejectedError, match="truncated"):
        upscale(tmp_path / "cut.avi", tmp_path / "out.mp4", method="bicubic")
    assert not (tmp_path / "out.mp4").exists()


def test_sound_is_kept(tmp_path, video):
    loud = tmp_path / "loud.mkv"
    command = [ffmpeg.binary(), "-v", "error", "-i", str(video), "-f", "lavfi", "-i"]
    command += ["sine=frequency=440:duration=0.9", "-c:v", "mpeg4", str(loud)]
    subprocess.run(command, check=True)
    upscale(loud, tmp_path / "out.mkv", method="bicubic")
    said = subprocess.run(
        [ffmpeg.binary(), "-hide_banner", "-i", str(tmp_path / "out.mkv")],
        capture_output=True,
        text=True,
        check=False,
    ).stderr
    assert "Audio:" in said
    assert "Video: h264" in said


@pytest.mark.parametrize("frames", [1, 3, 5])
def test_frames_come_with_their_neighbours_as_they_are_read(frames):
    import torch

    low = np.arange(1, 7, dtype=np.uint8)[:, None, None, None]
    low = np.broadcast_to(low, (6, 4, 5, 3))
    output = module._enlarged(Seen(frames), iter(low), torch.device("cpu"))
    seen = [picture[0, :frames, 0].tolist() for picture in output]
    half = frames // 2
    places = np.clip(np.arange(6)[:, None] + np.arange(-half, half + 1), 0, 5)
    assert seen == (places + 1).tolist()


def test_ntsc_rates_are_written_exactly():
    assert ffmpeg._rational(29.97) == "30000/1001"
    assert ffmpeg._rational(23.98) == "24000/1001"
    assert ffmpeg._rational(25.0) == "25"
    assert ffmpeg._rational(12.5) == "12.5"
