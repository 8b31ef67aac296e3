"""Cut files are known by what their containers say, whatever they enclose."""

import os
import random
import subprocess
from collections import Counter

import pytest

from tests.videos import decoded
from twinlens.errors import RejectedError
from twinlens.media import ends
from twinlens.media.ends import UNKNOWN, WHOLE, end, stated_frames
from twinlens.media.ffmpeg import binary

PICTURE = "-f lavfi -i testsrc2=s=160x120:r=25:d=2"
SOUND = "-f lavfi -i sine=d=3"
FORMS = {  # how it is encoded, what is said of it whole, and the share of cuts known
    "a.mp4": ("-c:v libx264", WHOLE, 1),
    "start.mp4": ("-c:v libx264 -movflags faststart", WHOLE, 1),
    "fragments.mp4": ("-c:v libx264 -g 9 -movflags frag_keyframe+empty_moov", WHOLE, 1),
    "no-index.mp4": (
        "-c:v libx264 -g 9 -movflags frag_keyframe+empty_moov+skip_trailer",
        UNKNOWN,
        0.95,
    ),
    "a.mov": ("-c:v mjpeg", WHOLE, 1),
    "a.3gp": ("-c:v mpeg4 -an", WHOLE, 1),
    "a.avi": ("-c:v mpeg4", WHOLE, 1),
    "raw.avi": ("-c:v rawvideo -pix_fmt bgr24", WHOLE, 1),
    "a.mkv": ("-c:v libx264", WHOLE, 1),
    "live.mkv": ("-c:v libx264 -live 1", UNKNOWN, 0.95),
    "a.webm": ("-c:v libvpx", WHOLE, 1),
    "a.ts": ("-c:v libx264", UNKNOWN, 0.95),
    "a.m2ts": ("-c:v libx264 -mpegts_m2ts_mode 1", UNKNOWN, 0.95),
    "a.mpg": ("-c:v mpeg2video", UNKNOWN, 0.95),
    "one.mpg": ("-c:v mpeg1video", UNKNOWN, 0.95),
    "a.vob": ("-c:v mpeg2video", UNKNOWN, 0.95),
    "a.wmv": ("-c:v wmv2", WHOLE, 1),
    "a.ogv": ("-c:v libtheora", WHOLE, 0.95),
    "a.flv": ("-c:v libx264", WHOLE, 0.95),
    "old.flv": ("-c:v flv -an", UNKNOWN, 0.95),
    "a.gif": ("-an", WHOLE, 1),
    "a.y4m": ("-an", UNKNOWN, 0.99),
    "deep.y4m": ("-an -pix_fmt yuv422p10le -strict -1", UNKNOWN, 0.99),
    "grey.y4m": ("-an -pix_fmt gray", UNKNOWN, 0.99),
    "a.m2v": ("-c:v mpeg2video -an", UNKNOWN, 0),
    "a.m4v": ("-c:v mpeg4 -f m4v -an", UNKNOWN, 0),
}


def encode(path, encoding, *, sound):
    parts = f"-v error {PICTURE} {SOUND if sound else ''} {encoding}"
    subprocess.run([binary(), *parts.split(), path], check=True)
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A video in each form: 50 frames in 2 s, most of them beside 3 s of sound."""
    folder = tmp_path_factory.mktemp("forms")
    return {
        name: encode(folder / name, encoding, sound="-an" not in encoding)
        for name, (encoding, *_) in FORMS.items()
    }


@pytest.mark.parametrize("name", FORMS)
def test_a_whole_file_is_not_taken_for_cut(files, name):
    """Though its sound is longer than its picture."""
    clip = decoded(files[name])
    assert len(clip.frames) == 50
    assert clip.end == FORMS[name][1]
    assert clip.notes == ()


def end_or_cut(path):
    """What is said of a file's end, "cut" where it is rejected as truncated."""
    try:
        return end(path)
    except RejectedError as error:
        return "cut" if str(error).startswith("truncated: the file ") else str(error)


@pytest.mark.parametrize("name", FORMS)
def test_a_cut_file_is_rejected_where_its_format_tells(files, tmp_path, name):
    data = files[name].read_bytes()
    draw, said = random.Random(name), Counter()
    for _ in range(100):
        path = tmp_path / name
        path.write_bytes(data[: draw.randrange(len(data) // 3, len(data) - 9)])
        said[end_or_cut(path)] += 1
    assert set(said) <= {UNKNOWN, "cut"}
    assert said["cut"] >= 100 * FORMS[name][2]


def test_an_mpeg_stream_with_an_end_code_is_whole(files, tmp_path):
    for name, code in (("a.mpg", b"\0\0\1\xb9"), ("a.m2v", b"\0\0\1\xb7")):
        path = tmp_path / name
        path.write_bytes(files[name].read_bytes() + code)
        assert end(path) == WHOLE


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize(
    "more",
    [bytes(1000), b"TAG" + bytes(125), b"\r\n-----end of upload-----\r\n", b"\xff" * 7],
    ids=["zeros", "a tag", "text", "ones"],
)
def test_what_follows_the_end_does_not_cut_a_file(files, tmp_path, name, more):
    path = tmp_path / name
    path.write_bytes(files[name].read_bytes() + more)
    assert end(path) in {WHOLE, UNKNOWN}


def test_a_last_box_to_the_end_of_the_file_says_nothing(files, tmp_path):
    data = bytearray(files["start.mp4"].read_bytes())
    at = data.rindex(b"mdat") - 4
    data[at : at + 4] = bytes(4)
    path = tmp_path / "a.mp4"
    for count in (len(data), len(data) - 2000):
        path.write_bytes(data[:count])
        assert end(path) == UNKNOWN


def test_a_box_of_a_rare_kind_says_nothing(files, tmp_path):
    data = files["start.mp4"].read_bytes().replace(b"free", b"abcd")
    path = tmp_path / "a.mp4"
    path.write_bytes(data)
    assert end(path) == UNKNOWN
    path.write_bytes(data[: data.index(b"abcd") + 5000])
    assert end_or_cut(path) == "cut"  # by its index


def test_samples_that_an_index_lists_are_there(files, tmp_path):
    """Two boxes of data, the second of which is lost."""
    data = files["start.mp4"].read_bytes()
    at = data.rindex(b"mdat") - 4
    half = bytearray(data[: at + 4000])
    half[at : at + 4] = (4000).to_bytes(4)
    path = tmp_path / "a.mp4"
    path.write_bytes(half)
    assert end_or_cut(path) == "cut"


def test_fragments_that_are_all_lost_are_missed(tmp_path):
    words = "-c:v libx264 -g 9 -movflags frag_keyframe"
    whole = encode(tmp_path / "whole.mp4", words, sound=False)
    assert end(whole) == WHOLE
    data = whole.read_bytes()
    path = tmp_path / "a.mp4"
    path.write_bytes(data[: data.index(b"moof") - 4])
    assert end(path) == UNKNOWN


def test_a_large_avi_lists_its_indices(files, tmp_path):
    """Its list names what lies behind the first RIFF chunk."""
    data = bytearray(files["a.avi"].read_bytes())
    at = data.index(b"JUNK")
    entry = b"indx" + (24 + 16).to_bytes(4, "little") + b"\4\0\0\0\1\0\0\0"
    entry += bytes(16) + len(data).to_bytes(8, "little") + b"\x40\0\0\0" + bytes(4)
    data[at : at + len(entry)] = entry
    path = tmp_path / "a.avi"
    path.write_bytes(data)
    assert end_or_cut(path) == "cut"
    path.write_bytes(data + bytes(63) + b"x")
    assert end(path) == WHOLE


@pytest.mark.parametrize("name", ["a.avi", "a.wmv", "a.mkv", "start.mp4"])
def test_a_file_whose_end_is_all_zero_may_be_unfinished(files, tmp_path, name):
    data = files[name].read_bytes()
    path = tmp_path / name
    path.write_bytes(data[: len(data) // 2] + bytes(len(data) - len(data) // 2))
    assert end(path) == UNKNOWN


def test_damaged_blocks_of_a_gif_say_nothing(files, tmp_path):
    data = bytearray(files["a.gif"].read_bytes())
    middle = len(data) // 2
    data[middle : middle + 5000] = bytes(5000)
    path = tmp_path / "a.gif"
    path.write_bytes(data)
    assert end(path) == UNKNOWN


def test_only_an_avi_states_its_frames(files):
    assert stated_frames(files["a.avi"]) in {
        50,
        51,
    }  # an empty one for the sound's start
    assert stated_frames(files["a.mp4"]) == stated_frames(files["a.gif"]) == 0


def test_a_picture_on_the_cover_is_no_video(tmp_path, files):
    cover = tmp_path / "cover.jpg"
    words = "-v error -f lavfi -i testsrc2=s=40x40 -frames:v 1"
    subprocess.run([binary(), *words.split(), cover], check=True)
    path = tmp_path / "a.m4v"
    words = f"-v error {SOUND} -i {cover} -map 0 -map 1 -c:a aac -c:v copy"
    words += " -disposition:v:0 attached_pic -f mp4"
    subprocess.run([binary(), *words.split(), path], check=True)
    with pytest.raises(RejectedError, match="no video stream in it"):
        decoded(path)


def test_a_stream_that_lost_bytes_on_the_way_is_not_cut(files, tmp_path):
    data = files["a.ts"].read_bytes()
    path = tmp_path / "a.ts"
    path.write_bytes(data[:20_000] + data[20_100:])
    assert end(path) == UNKNOWN


def test_a_part_of_a_video_that_was_cut_out_without_encoding_is_whole(tmp_path):
    """Its list of edits hides frames that are there."""
    long = tmp_path / "long.mp4"
    source = "-f lavfi -i testsrc2=s=160x120:r=25:d=12 -c:v libx264 -g 125 -bf 0"
    subprocess.run([binary(), "-v", "error", *source.split(), long], check=True)
    part = tmp_path / "part.mp4"
    cut = [binary(), *f"-v error -ss 8 -i {long} -t 3 -c copy {part}".split()]
    subprocess.run(cut, check=True)
    clip = decoded(part)
    assert clip.end == WHOLE
    assert len(clip.frames) == 75
    assert clip.notes == ()


def test_frames_at_any_times_are_all_taken(tmp_path):
    """Of a rate that varies, and with times that jitter."""
    for times in ("N*N/2+N", "N*512+mod(N\\,3)*300"):
        path = tmp_path / "a.mkv"
        command = f"-v error -y {PICTURE} -frames:v 20 -fps_mode passthrough"
        subprocess.run(
            [binary(), *command.split(), "-vf", f"setpts={times}", path], check=True
        )
        clip = decoded(path)
        assert (len(clip.frames), clip.end, clip.notes) == (20, WHOLE, ())


def test_frames_that_change_size_are_noted(tmp_path):
    parts = []
    for size in ("160x120", "96x96"):
        part = tmp_path / f"{size}.ts"
        source = f"-v error -f lavfi -i testsrc2=s={size}:r=25:d=1 -c:v mpeg2video"
        subprocess.run([binary(), *source.split(), part], check=True)
        parts.append(part.read_bytes())
    path = tmp_path / "both.ts"
    path.write_bytes(b"".join(parts))
    clip = decoded(path)
    assert clip.frames.shape[1:] == (120, 160, 3)
    assert any("its frames change size" in note for note in clip.notes)


@pytest.mark.parametrize(
    "head",
    [
        b"RIFF",
        b"\x1a\x45\xdf\xa3",
        b"\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67\xff",
        b"GIF89a",
        b"YUV4MPEG2 W9 H9 Czebra\n",
        b"YUV4MPEG2 \n",
        bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c"),
        b"OggS",
        b"FLV",
        b"\0\0\1\xba",
        b"\0\0\1\xba\x44",
        b"\0\0\1",
        b"\0\0\0\x14ftyp",
        b"\0\0\0\x01mdat\x7f" + b"\xff" * 7,
        b"\0\0\0\x01mdat\x00\x00\x10" + b"\0" * 5,
        b"YUV4MPEG2 W-900 H9\nFRAME\n",
        b"YUV4MPEG2 W9x H9\nFRAME\n",
        b"YUV4MPEG2 W99999999999999999999 H9\nFRAME\n",
        b"YUV4MPEG2 W999999 H999999\nFRAME\n",
        b"G" * 3000,
        b"",
    ],
)
def test_odd_bytes_are_read_to_an_end(tmp_path, head):
    draw = random.Random(0)
    for size in (0, 1, 5, 30, 4000):
        path = tmp_path / "a"
        path.write_bytes(head + draw.randbytes(size))
        assert end_or_cut(path) in {WHOLE, UNKNOWN, "cut"}


def test_a_file_of_endless_small_parts_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(ends, "MOST_READS", 1000)
    path = tmp_path / "a.mkv"
    path.write_bytes(b"\x1a\x45\xdf\xa3\x80" + b"\xec\x80" * 2000)
    assert end(path) == UNKNOWN
    os.truncate(path, 501)
    assert end(path) == WHOLE


def test_real_clips_are_whole(realdata):
    paths = sorted(realdata.rglob("*.avi"))[::40]
    assert paths
    for path in paths:
        assert end(path) == WHOLE
