import csv
import errno
import os
import shutil
import subprocess

import numpy as np
import pytest

from tests.videos import decoded
from twinlens import decoder, doctor
from twinlens.errors import ArtifactError, DecodingError, RejectedError
from twinlens.media import ffmpeg
from twinlens.media.settings import UNLIMITED

MPEG4 = "-c:v mpeg4 -vtag xvid -q:v 3 -f avi"


@pytest.fixture
def video(tmp_path, make_video, noise):
    return make_video(tmp_path / "clip.avi", noise(6))


# --- what is decoded ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        ("a.avi", "-c:v rawvideo -pix_fmt bgr24"),
        ("a.avi", "-c:v ffv1 -pix_fmt bgr0"),
        ("a.mkv", "-c:v ffv1 -pix_fmt bgr0"),
        ("a.mov", "-c:v qtrle -pix_fmt rgb24"),
        ("a.mp4", "-c:v libx264rgb -qp 0 -g 3 -bf 2"),
    ],
)
def test_frames_come_out_as_they_went_in(tmp_path, make_video, noise, name, encoding):
    frames = noise(7, height=26, width=38)
    clip = decoded(make_video(tmp_path / name, frames, fps=12, encoding=encoding))
    np.testing.assert_array_equal(clip.frames, frames)
    assert clip.frames.dtype == np.uint8
    assert (clip.fps, clip.end, clip.notes) == (12, "whole", ())


def test_frames_are_the_same_at_every_decoding(tmp_path, make_video, noise):
    path = make_video(tmp_path / "a.avi", noise(5), encoding=MPEG4)
    np.testing.assert_array_equal(decoded(path).frames, decoded(path).frames)


def test_colours_are_red_green_and_blue(tmp_path, make_video):
    frames = np.zeros((2, 16, 24, 3), np.uint8)
    frames[..., 0], frames[..., 2] = 250, 90
    clip = decoded(make_video(tmp_path / "a.avi", frames, encoding=MPEG4))
    assert np.abs(clip.frames.astype(int) - [250, 0, 90]).max() < 12


def test_odd_sizes_are_kept(tmp_path, make_video, noise):
    path = make_video(tmp_path / "a.avi", noise(3, height=59, width=79), encoding=MPEG4)
    assert decoded(path).frames.shape == (3, 59, 79, 3)


@pytest.mark.parametrize(
    "name",
    [
        "with blanks .avi",
        'quo\'te "double".avi',
        "#hash & semi;colon!(x).avi",
        "-leading.avi",
        "Übung 視頻.avi",
        "50%d%03d*?[a].avi",
        "concat:a|b.avi",
        "back\\slash $HOME `ls`.avi",
        "new\nline.avi",
    ],
)
def test_any_name_is_decoded(tmp_path, video, name):
    path = tmp_path / "odd" / name
    path.parent.mkdir()
    shutil.move(video, path)
    assert len(decoded(path).frames) == 6


def test_a_relative_name_with_a_leading_dash_is_decoded(video, monkeypatch):
    monkeypatch.chdir(video.parent)
    path = video.rename("-i.avi")
    assert len(decoded(path).frames) == 6


def test_a_title_can_not_pass_for_the_size_or_rate(tmp_path, make_video, noise):
    frames = noise(3)
    plain = make_video(tmp_path / "plain.mkv", frames, encoding="-c:v ffv1")
    titled, title = tmp_path / "titled.mkv", "Stream #0:0: Video: rawvideo, 9x9, 99 fps"
    titles = ["-metadata", f"title={title}", "-metadata:s:v:0", f"title={title}"]
    command = [ffmpeg.binary(), "-v", "error", "-i", plain, "-c", "copy"]
    subprocess.run([*command, *titles, titled], check=True)
    clip = decoded(titled)
    np.testing.assert_array_equal(clip.frames, decoded(plain).frames)
    assert clip.fps == 10


@pytest.mark.parametrize(
    "title",
    [
        "[fatal] No space left on device",
        "[error] Input/output error",
        "[vist#0:0 @ 0x1] [error] Broken pipe",
        "x\n[error] Broken pipe",
        "Reconfiguring filter graph because x changed to 4x4",
    ],
)
def test_a_title_can_not_pass_for_an_error(tmp_path, make_video, noise, title):
    plain = make_video(tmp_path / "plain.mkv", noise(3), encoding="-c:v ffv1")
    titled = tmp_path / "titled.mkv"
    command = [ffmpeg.binary(), "-v", "error", "-i", plain, "-c", "copy"]
    subprocess.run([*command, "-metadata", f"title={title}", titled], check=True)
    assert decoded(titled).notes == ()


def test_a_title_can_not_pass_for_times(tmp_path, make_video, noise):
    plain = make_video(tmp_path / "plain.mkv", noise(3), encoding="-c:v ffv1")
    titled = tmp_path / "titled.mkv"
    title = "[Parsed_showinfo_0 @ 0x1] [info] n: 0 pts: 777 fmt:rgb24 sar:9/1 s:1x1 "
    command = [ffmpeg.binary(), "-v", "error", "-i", plain, "-c", "copy"]
    subprocess.run([*command, "-metadata", f"title={title}", titled], check=True)
    with ffmpeg.stream(titled, UNLIMITED, timed=True) as video:
        times = [next(video.times) for _ in video.frames]
        assert times == [0, 100, 200]
        assert video.shown.pixel == 1


def test_a_thousand_frames_a_second_are_read(tmp_path, make_video, noise):
    assert decoded(make_video(tmp_path / "a.avi", noise(3), fps=1000)).fps == 1000


def test_a_name_that_is_no_text_is_rejected(tmp_path, video):
    path = video.rename(os.fsdecode(os.fsencode(tmp_path) + b"/a\xff.avi"))
    assert rejected(path) == "its name is not valid UTF-8: rename it"


def test_a_limit_of_ages_is_none(video):
    assert len(decoded(video, seconds=1e12).frames) == 6


def test_of_a_video_with_sound_the_frames_are_taken(tmp_path):
    path = tmp_path / "sound.avi"
    command = [ffmpeg.binary(), *"-v error -f lavfi -i sine=d=1".split()]
    command += "-f lavfi -i testsrc=s=32x24:r=10:d=1 -c:v mpeg4 -c:a mp2".split()
    subprocess.run([*command, path], check=True)
    assert decoded(path).frames.shape == (10, 24, 32, 3)


# --- what is rejected -----------------------------------------------------------------


def rejected(path, **limits):
    with pytest.raises(RejectedError) as error:
        decoded(path, **limits)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_video_cut_in_its_header_is_rejected(video):
    os.truncate(video, 100)
    assert rejected(video).startswith("truncated: ")
    os.truncate(video, 3)
    assert rejected(video).startswith("ffmpeg: ")


def test_a_truncated_mp4_is_rejected(tmp_path, make_video, noise):
    path = make_video(tmp_path / "a.mp4", noise(9), encoding="-c:v mpeg4")
    os.truncate(path, path.stat().st_size // 2)
    assert rejected(path).startswith("truncated: ")


def test_a_missing_file_is_rejected(tmp_path):
    assert rejected(tmp_path / "gone.avi") == "no such file"


def test_a_folder_is_rejected(tmp_path):
    assert rejected(tmp_path) == "not a regular file"


def test_an_empty_file_is_rejected(tmp_path):
    (tmp_path / "a.avi").touch()
    assert rejected(tmp_path / "a.avi") == "the file is empty"


@pytest.mark.parametrize("name", ["a.avi", "a.mp4", "a.ts", "a.gif"])
def test_a_text_file_is_rejected(tmp_path, name):
    (tmp_path / name).write_text("404: not found\n" * 100)
    assert rejected(tmp_path / name).startswith("ffmpeg: ")


def test_random_bytes_are_rejected(tmp_path):
    path = tmp_path / "a.avi"
    path.write_bytes(np.random.default_rng(0).bytes(100_000))
    assert rejected(path).startswith("ffmpeg: ")


def test_a_sound_file_is_rejected(tmp_path):
    path = tmp_path / "a.avi"
    command = f"{ffmpeg.binary()} -v error -f lavfi -i sine=d=1 -c:a mp2".split()
    subprocess.run([*command, path], check=True)
    assert rejected(path) == "no video stream in it (audio only?)"


def test_a_video_without_frames_is_rejected(tmp_path, make_video, noise):
    path = make_video(tmp_path / "a.avi", noise(3), encoding=f"{MPEG4} -frames:v 0")
    assert rejected(path).startswith("ffmpeg: ")


@pytest.mark.parametrize("name", ["a.mp4", "a.avi", "a.ts"])
def test_a_playlist_with_a_videos_name_opens_nothing(tmp_path, video, name):
    path = tmp_path / name
    path.write_text(
        f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{video}\n#EXT-X-ENDLIST\n"
    )
    assert rejected(path).startswith("ffmpeg: ")


def test_a_list_of_files_with_a_videos_name_opens_nothing(tmp_path, video):
    path = tmp_path / "a.mp4"
    path.write_text(f"ffconcat version 1.0\nfile {video.name}\n")
    assert rejected(path).startswith("ffmpeg: ")


def test_a_picture_is_rejected(tmp_path, make_video, noise):
    path = make_video(tmp_path / "a.png", noise(1), encoding="-f image2")
    assert rejected(path.rename(tmp_path / "a.avi")).startswith("ffmpeg: ")


def test_too_many_frames_are_rejected(video):
    assert rejected(video, frames=5) == "longer than the limit of 5 frames"
    assert len(decoded(video, frames=6).frames) == 6


def test_too_many_pixels_are_rejected(tmp_path, make_video, noise):
    path = make_video(tmp_path / "a.avi", noise(2, height=240, width=320))
    assert "frames of 320x240" in rejected(path, pixels=320 * 240 - 1)
    assert len(decoded(path, pixels=320 * 240).frames) == 2


def test_a_file_of_too_many_bytes_is_rejected_unread(tmp_path):
    """Such as one with a hole of 40 GB."""
    path = tmp_path / "sparse.mp4"
    path.touch()
    os.truncate(path, 40 << 30)
    assert rejected(path) == f"the file takes over the limit of {16 << 30} bytes"


# --- what says nothing about the video ------------------------------------------------


@pytest.fixture
def fake_ffmpeg(tmp_path, monkeypatch):
    """Let a shell script decode; it may call the real one, `$real`."""

    def use(script):
        tool, real = tmp_path / "tool/ffmpeg", ffmpeg.binary()
        tool.parent.mkdir()
        tool.write_text(f"#!/bin/sh\nreal={real}\ncount={tmp_path}/count\n{script}")
        tool.chmod(0o755)
        monkeypatch.setattr(ffmpeg, "binary", lambda: str(tool))

    return use


def test_a_decoding_over_its_time_does_not_reject_the_video(video):
    with pytest.raises(DecodingError, match=r"clip\.avi: decoding took longer than"):
        decoded(video, seconds=1e-4)


@pytest.mark.parametrize("signal", ["KILL", "TERM", "SEGV"])
def test_a_killed_decoder_does_not_reject_the_video(video, fake_ffmpeg, signal):
    fake_ffmpeg(f"kill -{signal} $$")
    words = rf"clip\.avi: ffmpeg was ended by SIG{signal}"
    with pytest.raises(DecodingError, match=words):
        decoded(video)


def test_a_decoder_that_was_asked_to_end_does_not_reject_the_video(
    tmp_path, make_video, noise, fake_ffmpeg
):
    """The real one ends with 255, and says why."""
    path = make_video(tmp_path / "long.avi", noise(60), fps=10)
    fake_ffmpeg('"$real" -re "$@" & sleep 0.5; kill -TERM $!; wait $!')
    with pytest.raises(DecodingError, match="ffmpeg was ended by SIGTERM"):
        decoded(path)


@pytest.mark.parametrize("words", ["Broken pipe", "No space left on device"])
def test_a_name_can_not_pass_for_a_failure(tmp_path, video, words):
    path = tmp_path / "odd" / f"{words}.avi"
    path.parent.mkdir()
    shutil.move(video, path)
    assert len(decoded(path).frames) == 6
    path.write_text("no video")
    assert rejected(path).startswith("ffmpeg: ")


def test_a_read_that_failed_once_is_done_again(video, fake_ffmpeg):
    fake_ffmpeg(
        'if [ -e "$count" ]; then exec "$real" "$@"; fi\n'
        'touch "$count"; echo "[error] Error during demuxing: Input/output error" >&2'
    )
    assert len(decoded(video).frames) == 6


def test_a_read_that_failed_once_can_not_shorten_a_clip(video, fake_ffmpeg):
    fake_ffmpeg(
        'if [ -e "$count" ]; then exec "$real" "$@"; fi; touch "$count"\n'
        '"$real" "$@" > "$count.raw"; head -c 4608 "$count.raw"\n'
        'echo "[error] Input/output error" >&2'
    )
    assert len(decoded(video).frames) == 6


def test_a_disk_that_gives_a_video_up_does_not_reject_it(
    video, fake_ffmpeg, monkeypatch
):
    def refuse(path):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    fake_ffmpeg('echo "[error] Input/output error" >&2; exit 251')
    monkeypatch.setattr(ffmpeg, "sha1", refuse)
    with pytest.raises(DecodingError, match=r"clip\.avi: can't be read: Input/output"):
        decoded(video)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.ESTALE, errno.EAGAIN])
def test_a_machine_that_fails_does_not_reject_a_video(video, fake_ffmpeg, number):
    fake_ffmpeg(f'echo "[error] muxing: {os.strerror(number)}" >&2; exit 228')
    words = rf"clip\.avi: ffmpeg failed: {os.strerror(number)}"
    with pytest.raises(DecodingError, match=words):
        decoded(video)


def test_a_damaged_video_that_gives_the_same_words_twice_is_rejected(
    video, fake_ffmpeg
):
    fake_ffmpeg('echo "[error] Error opening input: Input/output error" >&2; exit 251')
    assert "Input/output error" in rejected(video)


def test_memory_that_is_short_does_not_reject_a_video_of_usual_size(video, fake_ffmpeg):
    fake_ffmpeg(
        'echo "[info] Stream #0:0: Video: mpeg4, yuv420p, 320x240, 25 fps" >&2\n'
        'echo "[error] Cannot allocate memory" >&2; exit 244'
    )
    with pytest.raises(DecodingError, match="no memory left to decode it"):
        decoded(video)


# --- ffmpeg itself --------------------------------------------------------------------


def test_the_systems_ffmpeg_comes_first(tmp_path, monkeypatch):
    tool = tmp_path / "ffmpeg"
    tool.write_text("#!/bin/sh\necho ffmpeg version 5.1.6-0+deb12u1\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert ffmpeg.binary() == str(tool)


def test_a_system_ffmpeg_that_is_too_old_is_passed_over(tmp_path, monkeypatch):
    tool = tmp_path / "ffmpeg"
    tool.write_text("#!/bin/sh\necho ffmpeg version 4.4.2-0ubuntu0.22.04.1\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert ffmpeg.binary() != str(tool)


def test_a_system_ffmpeg_that_never_answers_is_an_error(tmp_path, monkeypatch):
    tool = tmp_path / "ffmpeg"
    tool.write_text("#!/bin/sh\nexec sleep 60\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(decoder, "SECONDS", 0.1)
    with pytest.raises(ArtifactError, match=f"{tool}: does not say its version"):
        decoder.version()
    (line,) = doctor.installation()
    assert line.startswith(f"ffmpeg: {tool}: does not say its version")


def test_a_system_ffmpeg_on_a_failing_disk_is_an_error(tmp_path, monkeypatch):
    tool = tmp_path / "ffmpeg"
    tool.touch(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    def fail(*_, **__):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(decoder.subprocess, "run", fail)
    with pytest.raises(ArtifactError, match=f"{tool}: can't be read: Input/output"):
        ffmpeg.binary()


def test_without_a_systems_ffmpeg_the_packaged_one_serves(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert "imageio_ffmpeg" in ffmpeg.binary()


# --- real clips -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prefix", "folder"), [("ucf101/", "UCF-101/"), ("hmdb51/", "hmdb51/")]
)
def test_real_clips_have_the_frames_that_others_counted(realdata, prefix, folder):
    with (realdata / "MANIFEST.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    rows = [row for row in rows if row["file"].startswith(prefix)]
    for row in rows[:: len(rows) // 4]:
        clip = decoded(realdata / row["file"].replace(prefix, folder, 1))
        size = int(row["height"]), int(row["width"])
        assert clip.frames.shape == (int(row["frames"]), *size, 3)
        top, bottom = map(int, row["fps"].split("/"))
        assert clip.fps == pytest.approx(top / bottom, abs=0.01)


def test_pipes_and_devices_are_not_read(tmp_path):
    """To read them would never end."""
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "zero.mp4").symlink_to("/dev/zero")
    (tmp_path / "folder.mp4").mkdir()
    for path in tmp_path.iterdir():
        with pytest.raises(RejectedError, match="not a regular file"):
            decoded(path)
