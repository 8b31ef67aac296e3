"""Any video file, enlarged: what is written, and what is said where it can't be."""

import errno
import os
import subprocess
import tracemalloc
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from tests.sr.test_enlarge import Seen
from tests.training import runs
from tests.videos import decoded
from twinlens import cli
from twinlens.errors import ArtifactError
from twinlens.media import ffmpeg, sound
from twinlens.resample import upscale as bicubic
from twinlens.sr import upscale as module
from twinlens.sr.upscale import Enlarger, upscale

pytestmark = pytest.mark.slow


@pytest.fixture
def video(tmp_path, make_video, noise):
    return make_video(tmp_path / "in.avi", noise(9, height=16, width=24), fps=10)


def test_bicubic_writes_every_frame_four_times_larger(video, tmp_path):
    out = tmp_path / "out.mkv"
    upscale(video, out, method="bicubic", quality=0)
    output = decoded(out)
    assert output.frames.shape == (9, 64, 96, 3)
    assert output.fps == 10
    wanted = bicubic(decoded(video).frames).astype(int)
    # H.264 keeps chroma at half size: compare brightness.
    error = np.abs(output.frames.astype(int).mean(-1) - wanted.mean(-1))
    assert error.mean() < 8


def test_a_trained_method_is_found_in_results(video, tmp_path):
    runs.train(tmp_path / "results/made/networks/sr/trained", name="sosr")
    upscale(video, tmp_path / "out.mp4", results=tmp_path / "results")
    assert decoded(tmp_path / "out.mp4").frames.shape == (9, 64, 96, 3)


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
    assert len(decoded(tmp_path / "out.avi").frames) == 9


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


def test_the_present_world_s_network_comes_first(tmp_path):
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


# --- what is kept ---------------------------------------------------------------------

PICTURE = "-f lavfi -i testsrc2=s=48x36:r=25:d=1"
SOUND = "-f lavfi -i sine=d=1.4"


TIMED = f"{PICTURE} {SOUND} -fps_mode passthrough -frames:v 20 -c:v libx264"


def encode(path, words):
    subprocess.run([ffmpeg.binary(), "-v", "error", *words.split(), path], check=True)
    return path


class Found:
    """What another reader finds in a file."""

    def __init__(self, path):
        with av.open(str(path)) as file:
            (stream,) = file.streams.video
            frames = list(file.decode(stream))
            self.start = (file.start_time or 0) / av.time_base
            self.times = [float(each.time) - self.start for each in frames]
            self.size = frames[0].width, frames[0].height
            self.pixel = stream.sample_aspect_ratio
            context = stream.codec_context
            self.colours = [context.color_range, context.colorspace]
            self.colours += [context.color_primaries, context.color_trc]
            self.first = frames[0]
        with av.open(str(path)) as file:
            tracks = [stream.index for stream in file.streams.audio]
        sounds = [self.sound(path, index) for index in tracks]
        self.sounds = [(name, end) for name, _, end in sounds]
        self.lead = self.times[0] - (sounds[0][1] if sounds else 0)

    def sound(self, path, index):
        """Codec, start and end of a track."""
        with av.open(str(path)) as file:
            stream = file.streams[index]
            packets = [each for each in file.demux(stream) if each.pts is not None]
            start, last = packets[0].pts, packets[-1]
            end = last.pts + (last.duration or 0)
            seconds = [
                float(each * stream.time_base) - self.start for each in (start, end)
            ]
            return stream.codec_context.name, *seconds


def enlarged(path, out, **options):
    """Enlarge a file by bicubic interpolation; both, as another reader finds them."""
    upscale(path, out, method="bicubic", **options)
    return Found(path), Found(out)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov", ".webm"])
@pytest.mark.parametrize(
    "times", ["N*N*300+N*200", "N*512+mod(N\\,3)*100", "N*512+6400"]
)
def test_frames_are_shown_when_they_were(tmp_path, suffix, times):
    """At a rate that varies or jitters, or after half a second of sound."""
    words = f"{TIMED} -c:a libopus -vf settb=1/12800,setpts={times}"
    path = encode(tmp_path / "in.mkv", words)
    before, after = enlarged(path, tmp_path / f"out{suffix}")
    shift = after.start if suffix == ".webm" else 0  # where sound starts before it
    np.testing.assert_allclose(np.array(after.times) + shift, before.times, atol=0.03)
    assert len(after.times) == 20


@pytest.mark.parametrize("source", [".ts", ".mpg", ".ogv", ".mkv", ".flv", ".mov"])
def test_sound_that_starts_first_stays_first(tmp_path, source):
    """Whatever clock the format has."""
    words = f"-itsoffset 0.6 {PICTURE} {SOUND} -fps_mode passthrough"
    path = encode(tmp_path / f"in{source}", words)
    before, after = enlarged(path, tmp_path / "out.mkv")
    assert before.lead == pytest.approx(0.6, abs=0.08)
    assert after.lead == pytest.approx(before.lead, abs=0.03)


def test_an_avi_with_an_empty_frame_is_no_reason_to_leave_mp4(tmp_path, capsys):
    words = f"{TIMED} -vf settb=1/10,setpts=N+gt(N\\,4) -enc_time_base 1/10 -c:v mpeg4"
    path = encode(tmp_path / "in.avi", words)
    upscale(path, tmp_path / "out.mp4", method="bicubic")
    assert "AVI has no other" not in capsys.readouterr().err


def test_avi_has_one_rate(tmp_path, capsys):
    words = f"{TIMED} -vf settb=1/12800,setpts=N*N*30+N*512"
    path = encode(tmp_path / "in.mkv", words)
    before, after = enlarged(path, tmp_path / "out.avi")
    assert len(after.times) == 20
    assert after.times[-1] == pytest.approx(before.times[-1], abs=0.04)
    assert "AVI has no other: use .mp4" in capsys.readouterr().err


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi"])
def test_pixels_keep_their_shape(tmp_path, suffix):
    path = encode(tmp_path / "in.mp4", f"{PICTURE} -vf setsar=16/11 -c:v libx264")
    before, after = enlarged(path, tmp_path / f"out{suffix}")
    assert before.pixel == after.pixel == Fraction(16, 11)


def test_pixels_that_can_not_keep_their_shape_are_reported(tmp_path, capsys):
    path = encode(tmp_path / "in.mp4", f"{PICTURE} -vf setsar=16/11 -c:v libx264")
    upscale(path, tmp_path / "out.webm", method="bicubic")
    assert "WARNING webm: pixels of 16/11 become square" in capsys.readouterr().err


COLOURS = {  # size, pixel format, tags; range, matrix, primaries, transfer written
    "untagged SD": ("48x36", "yuv420p", "", [1, 6, 2, 2]),
    "untagged HD": ("1280x720", "yuv420p", "", [1, 1, 2, 2]),
    "BT.709": (
        "48x36",
        "yuv420p",
        "range=tv:colorspace=bt709:color_primaries=bt709:color_trc=bt709",
        [1, 1, 1, 1],
    ),
    "PAL": (
        "48x36",
        "yuv420p",
        "colorspace=bt470bg:color_primaries=bt470bg:color_trc=bt470bg",
        [1, 5, 5, 5],
    ),
    "full range": ("48x36", "yuv420p", "range=pc:colorspace=bt470bg", [2, 5, 2, 2]),
    "BT.2020, PQ": (
        "48x36",
        "yuv420p10le",
        "colorspace=bt2020nc:color_primaries=bt2020:color_trc=smpte2084",
        [1, 9, 9, 16],
    ),
    "BT.2020, HLG": (
        "48x36",
        "yuv420p10le",
        "colorspace=bt2020nc:color_primaries=bt2020:color_trc=arib-std-b67",
        [1, 9, 9, 18],
    ),
}


@pytest.mark.parametrize("name", COLOURS)
def test_colours_stay_within_a_level(tmp_path, capsys, name):
    """Of brightness and colour differences, and are tagged as they are to be taken."""
    size, form, tags, expected = COLOURS[name]
    words = f"-f lavfi -i color=0xB04020:r=5:d=0.4:s={size} -c:v libx264 -qp 1"
    words += f" -vf format={form}" + (f",setparams={tags}" if tags else "")
    path = encode(tmp_path / "in.mp4", words)
    before, after = enlarged(path, tmp_path / "out.mp4", quality=1)
    depth = 10 if form.endswith("10le") else 8
    for one, other in zip(before.first.planes, after.first.planes, strict=True):
        wanted = np.frombuffer(one, np.uint16 if depth > 8 else np.uint8)[5]
        found = np.frombuffer(other, np.uint8)[5]
        assert found == pytest.approx(wanted / 2 ** (depth - 8), abs=1)
    assert after.colours == expected
    said = capsys.readouterr().err
    assert ("its 10 bits a channel become 8" in said) == (depth == 10)
    assert ("high dynamic range" in said) == (depth == 10)


@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        ("in.avi", "-c:v rawvideo -pix_fmt bgr24"),
        ("in.mov", "-c:v qtrle -pix_fmt rgb24"),
        ("in.mkv", "-c:v libx264rgb -qp 0"),
        ("in.gif", ""),
    ],
)
def test_colours_of_rgb_stay_and_are_tagged(tmp_path, name, encoding):
    words = f"-f lavfi -i color=0xB04020:r=5:d=0.4:s=48x36 {encoding}"
    path = encode(tmp_path / name, words)
    _, after = enlarged(path, tmp_path / "out.mp4", quality=1)
    assert after.colours == [1, 1, 2, 2]
    one, other = decoded(path).frames, decoded(tmp_path / "out.mp4").frames
    # The mean, since a palette is dithered.
    assert np.abs(one.mean((0, 1, 2)) - other.mean((0, 1, 2))).max() <= 2


@pytest.mark.parametrize("tags", ["range=pc:colorspace=bt470bg", "colorspace=bt709"])
def test_colours_in_avi_are_as_players_take_them(tmp_path, tags):
    """It has no tags: BT.601 of limited range in small frames."""
    words = "-f lavfi -i color=0xB04020:r=5:d=0.4:s=48x36 -c:v libx264 -qp 1"
    path = encode(tmp_path / "in.mp4", f"{words} -vf format=yuv420p,setparams={tags}")
    upscale(path, tmp_path / "out.avi", method="bicubic")
    one, other = decoded(path).frames, decoded(tmp_path / "out.avi").frames
    assert np.abs(one.mean((0, 1, 2)) - other.mean((0, 1, 2))).max() <= 3


def test_untagged_colours_of_large_frames_stay_in_avi(tmp_path):
    """Players take them for BT.709 before and after, ffmpeg for BT.601."""
    words = "-f lavfi -i color=0xB04020:r=5:d=0.4:s=96x580 -c:v libx264 -qp 1"
    untagged = "format=yuv420p,setparams=colorspace=unknown:range=unknown"
    path = encode(tmp_path / "in.mp4", f"{words} -vf {untagged}")
    upscale(path, tmp_path / "out.avi", method="bicubic")
    one, other = decoded(path).frames, decoded(tmp_path / "out.avi").frames
    assert np.abs(one.mean((0, 1, 2)) - other.mean((0, 1, 2))).max() <= 3


def test_sound_that_starts_late_in_an_avi_is_reported(tmp_path, capsys):
    words = f"{PICTURE} -itsoffset 0.7 {SOUND} -c:v libx264 -c:a pcm_s16le"
    upscale(encode(tmp_path / "in.mkv", words), tmp_path / "out.avi", method="bicubic")
    assert "AVI has no times of sound: use .mp4" in capsys.readouterr().err


def test_what_a_list_of_edits_hides_stays_hidden(tmp_path):
    long = encode(
        tmp_path / "long.mp4",
        "-f lavfi -i testsrc2=s=48x36:r=25:d=3 -f lavfi -i sine=d=3 -g 12 -c:a aac",
    )
    path = tmp_path / "in.mp4"
    cut = f"-v error -ss 0.7 -i {long} -c copy -t 1.5"
    subprocess.run([ffmpeg.binary(), *cut.split(), path], check=True)
    before, after = enlarged(path, tmp_path / "out.mkv")
    assert before.lead > 0.2  # of what is hidden
    assert after.lead == pytest.approx(0, abs=0.06)
    assert after.times[-1] == pytest.approx(before.times[-1], abs=0.06)


def test_a_video_that_is_turned_a_little_is_enlarged(tmp_path):
    flat = encode(tmp_path / "flat.mp4", f"{PICTURE} -c:v libx264")
    path = tmp_path / "in.mp4"
    turn = ["-display_rotation", "33", "-i", flat, "-c", "copy", path]
    subprocess.run([ffmpeg.binary(), "-v", "error", *turn], check=True)
    upscale(path, tmp_path / "out.mp4", method="bicubic")
    assert (tmp_path / "out.mp4").exists()


@pytest.mark.parametrize("layout", ["3.0", "5.1", "6.1", "7.1"])
@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_sound_of_many_channels_goes_along(tmp_path, layout, suffix):
    words = f"{PICTURE} -f lavfi -i anullsrc=cl={layout}:d=1 -t 1 -c:a pcm_s32le"
    path = encode(tmp_path / "in.mkv", words)
    _, after = enlarged(path, tmp_path / f"out{suffix}")
    assert len(after.sounds) == 1


def test_an_upright_video_stays_upright(tmp_path):
    flat = encode(tmp_path / "flat.mp4", f"{PICTURE} -c:v libx264")
    path = tmp_path / "in.mp4"
    turn = ["-display_rotation", "90", "-i", flat, "-c", "copy", path]
    subprocess.run([ffmpeg.binary(), "-v", "error", *turn], check=True)
    _, after = enlarged(path, tmp_path / "out.mp4")
    assert after.size == (4 * 36, 4 * 48)


def test_odd_sizes_are_enlarged_whole(tmp_path, make_video, noise):
    path = make_video(tmp_path / "in.avi", noise(2, height=27, width=33))
    assert enlarged(path, tmp_path / "out.mp4")[1].size == (132, 108)


SOUNDS = {  # written as, into; and what it is there
    ("aac", ".mp4", ".mp4"): "aac",
    ("aac", ".ts", ".mp4"): "aac",
    ("aac", ".mp4", ".mkv"): "aac",
    ("pcm_s16be", ".mov", ".avi"): "pcm_s16le",
    ("pcm_s16be", ".mov", ".mov"): "pcm_s16be",
    ("libvorbis", ".mkv", ".avi"): "pcm_s16le",
    ("libvorbis", ".mkv", ".webm"): "vorbis",
    ("wmav2", ".wmv", ".mp4"): "aac",
    ("ac3", ".mkv", ".mp4"): "ac3",
    ("mp2", ".mpg", ".webm"): "opus",
    ("flac", ".mkv", ".mkv"): "flac",
}


@pytest.mark.parametrize(("sound", "source", "suffix"), SOUNDS)
def test_sound_goes_along(tmp_path, capsys, sound, source, suffix):
    path = encode(tmp_path / f"in{source}", f"{PICTURE} {SOUND} -c:a {sound}")
    before, after = enlarged(path, tmp_path / f"out{suffix}")
    ((was, length),), ((name, seconds),) = before.sounds, after.sounds
    assert name == SOUNDS[sound, source, suffix]
    assert seconds == pytest.approx(length, abs=0.04)
    assert ("is encoded again as" in capsys.readouterr().err) == (was != name)


def test_a_disk_that_refuses_to_give_sound_ends_it(tmp_path, monkeypatch):
    path = encode(tmp_path / "in.mkv", f"{PICTURE} {SOUND} -c:a flac")

    def refuse(*_):
        raise av.error.OSError(errno.EIO, os.strerror(errno.EIO), f"file:{path}")

    monkeypatch.setattr(sound, "_copied", refuse)
    with pytest.raises(ArtifactError, match=r"in\.mkv: can't be .*Input/output error"):
        enlarged(path, tmp_path / "out.mkv")


def test_sound_of_six_channels_is_recoded(tmp_path):
    words = f"{PICTURE} {SOUND} -ac 6 -c:a pcm_s16le"
    path = encode(tmp_path / "in.mkv", words)
    _, after = enlarged(path, tmp_path / "out.webm")
    assert [name for name, _ in after.sounds] == ["opus"]


def test_joined_files_go_on(tmp_path):
    """Their clock starts again in the middle."""
    one = encode(tmp_path / "one.ts", f"{PICTURE} -f lavfi -i sine=d=1 -c:a aac")
    path = tmp_path / "in.ts"
    path.write_bytes(one.read_bytes() * 2)
    upscale(path, tmp_path / "out.mp4", method="bicubic")
    after = Found(tmp_path / "out.mp4")
    assert len(after.times) >= 48
    assert after.times[-1] == pytest.approx(2, abs=0.15)
    ((_, seconds),) = after.sounds
    assert seconds == pytest.approx(2, abs=0.15)


def test_titles_go_along_and_what_is_left_out_is_reported(tmp_path, capsys):
    (tmp_path / "in.srt").write_text("1\n00:00:00,000 --> 00:00:01,000\nhello\n")
    words = f"{PICTURE} {SOUND} -i {tmp_path}/in.srt -metadata title=Mine"
    words += " -metadata:s:a:0 language=deu -map 0 -map 1 -map 2 -c:s srt"
    path = encode(tmp_path / "in.mkv", words)
    upscale(path, tmp_path / "out.mkv", method="bicubic")
    assert "1 tracks of subtitles are left out" in capsys.readouterr().err
    with av.open(str(tmp_path / "out.mkv")) as file:
        assert file.metadata["title"] == "Mine"
        assert file.streams.audio[0].metadata["language"] == "deu"


def test_transparency_that_is_lost_is_reported(tmp_path, capsys):
    words = f"{PICTURE} -vf format=argb -c:v qtrle"
    path = encode(tmp_path / "in.mov", words)
    upscale(path, tmp_path / "out.mp4", method="bicubic")
    assert "its transparency, if it has any, is lost" in capsys.readouterr().err


def test_all_tracks_of_sound_go_along(tmp_path):
    words = f"{PICTURE} {SOUND} {SOUND} -map 0 -map 1 -map 2 -c:v libx264"
    path = encode(tmp_path / "in.mkv", f"{words} -c:a:0 aac -c:a:1 ac3")
    _, after = enlarged(path, tmp_path / "out.mp4")
    assert [name for name, _ in after.sounds] == ["aac", "ac3"]


def test_memory_does_not_grow_with_the_video(tmp_path, make_video):
    """Of 88 MB of enlarged frames few are held."""
    path = make_video(tmp_path / "in.avi", np.zeros((600, 48, 64, 3), np.uint8))
    tracemalloc.start()
    try:
        upscale(path, tmp_path / "out.avi", method="bicubic")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 16 << 20


# --- what is refused ------------------------------------------------------------------


@pytest.mark.parametrize("name", ["out.xyz", "out", "out.gif"])
def test_an_unknown_ending_is_refused_before_anything_is_read(tmp_path, name):
    with pytest.raises(ArtifactError, match=r"can't write .*: give it one of \.mp4"):
        upscale(tmp_path / "none.mp4", tmp_path / name, method="sosr")


def test_a_missing_file_is_reported_where_the_output_exists(tmp_path):
    (tmp_path / "out.mp4").touch()
    with pytest.raises(ffmpeg.RejectedError, match="no such file"):
        upscale(tmp_path / "none.mp4", tmp_path / "out.mp4", method="bicubic")


def test_a_name_with_a_colon_is_written(video, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    upscale(video, Path("10:30.mp4"), method="bicubic")
    assert (tmp_path / "10:30.mp4").exists()


def test_originals_are_no_method(video, tmp_path):
    with pytest.raises(ArtifactError, match="hr: these are the original frames"):
        upscale(video, tmp_path / "out.mp4", "hr", results=tmp_path)


def test_weights_of_another_method_are_refused(video, tmp_path):
    runs.train(tmp_path, name="rrn")
    with pytest.raises(ArtifactError, match="made for network 'rrn', not 'vdsr'"):
        upscale(video, tmp_path / "out.mp4", "vdsr", weights=tmp_path / "rrn.h5")


def test_a_method_without_weights_takes_none(video, tmp_path):
    runs.train(tmp_path, name="rrn")
    with pytest.raises(ArtifactError, match="made for network 'rrn', not 'bicubic'"):
        upscale(video, tmp_path / "out.mp4", "bicubic", weights=tmp_path / "rrn.h5")


@pytest.mark.parametrize("frames", [1, 3, 5])
def test_frames_come_with_their_neighbours_as_they_are_read(frames):
    low = np.arange(1, 7, dtype=np.uint8)[:, None, None, None]
    low = np.broadcast_to(low, (6, 4, 5, 3))
    enlarger = Enlarger(Seen(frames), (4, 5), 100, torch.device("cpu"))
    seen = [picture[0, :frames, 0].tolist() for picture in enlarger.enlarged(iter(low))]
    half = frames // 2
    places = np.clip(np.arange(6)[:, None] + np.arange(-half, half + 1), 0, 5)
    assert seen == (places + 1).tolist()
