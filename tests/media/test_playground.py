"""The generated data sets keep their promises."""

from itertools import combinations

import cv2
import numpy as np
import pytest

from twinlens.artifacts import reader
from twinlens.errors import DataError
from twinlens.media.playground import _tiles as tiles
from twinlens.media.playground import generate, groups, members, render, sets
from twinlens.media.playground.clips import CORPUS_STUFF
from twinlens.media.settings import Generated

TINY = Generated(classes=("SpinSpokes", "RollBars"), train=3, test=2, frames=(32, 33))
CORPUS = Generated(kind="corpus", clips=1, frames=(32, 33))


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    out = tmp_path_factory.mktemp("playground") / "tiny"
    generate(out, "tiny", TINY, 1)
    return out


def files(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def decode(path):
    video = cv2.VideoCapture(str(path))
    frames = []
    while (read := video.read())[0]:
        frames.append(read[1][..., ::-1])
    return np.stack(frames), video.get(cv2.CAP_PROP_FPS)


def test_same_seed_gives_same_bytes(generated, tmp_path):
    generate(tmp_path, "tiny", TINY, 1)
    assert files(tmp_path) == files(generated)


def test_another_seed_gives_another_clip():
    first, second = (
        render("tiny", TINY, seed, members(TINY)[0], with_flow=False).frames
        for seed in (1, 2)
    )
    assert first.shape != second.shape or (first != second).mean() > 0.5


def test_interrupted_run_is_completed_alike(generated, tmp_path):
    generate(tmp_path, "tiny", TINY, 1)
    lost = sorted(tmp_path.rglob("*.avi"))[1]
    lost.unlink()
    generate(tmp_path, "tiny", TINY, 1)
    assert files(tmp_path) == files(generated)


def test_other_settings_leave_nothing_old(tmp_path):
    generate(tmp_path, "tiny", TINY, 1)
    few = Generated(classes=("SpinSpokes",), train=1, test=1, frames=(32, 33))
    generate(tmp_path, "tiny", few, 1)
    assert len(list(tmp_path.rglob("*.avi"))) == 2


def test_foreign_videos_are_not_touched(tmp_path):
    foreign = tmp_path / "videos/mine.avi"
    foreign.parent.mkdir()
    foreign.write_text("mine")
    with pytest.raises(FileExistsError, match="unknown origin"):
        generate(tmp_path, "tiny", TINY, 1)
    assert foreign.exists()


def test_video_decodes_to_what_was_rendered(generated):
    member = members(TINY)[0]
    frames, fps = decode(generated / "videos" / member.path)
    true = render("tiny", TINY, 1, member, with_flow=False).frames
    assert fps == 25
    assert frames.shape == true.shape
    # Luminance: colour is stored at half the size.
    weights = np.array([0.299, 0.587, 0.114])
    assert np.abs((frames - true.astype(float)) @ weights).mean() < 3


def test_splits_list_every_clip_once(generated):
    there = {
        p.relative_to(generated / "videos").as_posix() for p in generated.rglob("*.avi")
    }
    numbers = dict(
        line.split()[::-1]
        for line in (generated / "splits/classInd.txt").read_text().splitlines()
    )
    assert numbers == {"RollBars": "1", "SpinSpokes": "2"}
    for split in "123":
        test = (generated / f"splits/testlist0{split}.txt").read_text().split()
        train = (generated / f"splits/trainlist0{split}.txt").read_text().splitlines()
        paths, labels = zip(*(line.split() for line in train), strict=True)
        assert sorted([*test, *paths]) == sorted(there)
        assert all(
            numbers[p.split("/")[0]] == n for p, n in zip(paths, labels, strict=True)
        )


def test_first_split_has_the_sizes_asked_for():
    held = groups.test_groups(Generated(), 1)
    test = [member for member in members(Generated()) if member.group in held]
    assert len(test) == 8 * 25
    assert len(members(Generated())) == 8 * (40 + 25)


@pytest.mark.parametrize("family", sets.ACTIONS)
def test_no_two_groups_share_a_pixel_of_background(family):
    settings = Generated(set=family, train=40, test=34)
    owned = tiles("any", settings, 1)
    assert len(owned) == len(groups.sizes(settings))
    for one, two in combinations(owned, 2):
        assert one.photo != two.photo or apart(one.box, two.box)


def apart(one, two):
    return any(
        a.stop <= b.start or b.stop <= a.start for a, b in zip(one, two, strict=True)
    )


def test_no_photo_serves_two_sets():
    used = [photo for photos in sets.PHOTOS.values() for photo in photos]
    assert len(used) == len(set(used))


def test_corpus_shows_no_pattern_of_an_action():
    shown = {a.pattern for family in sets.ACTIONS.values() for a in family.values()}
    assert not shown & set(CORPUS_STUFF)


def test_every_class_has_its_own_pattern_and_motion():
    for family in sets.ACTIONS.values():
        assert len(set(family.values())) == len(family)


@pytest.mark.parametrize("settings", [TINY, CORPUS], ids=["action", "corpus"])
def test_true_flow_finds_each_pixel_again(settings):
    clip = render("tiny", settings, 1, members(settings)[-1])
    assert clip.flow.dtype == np.float16
    assert clip.flow.shape == (len(clip.frames) - 1, 2, 96, 128)
    y, x = np.mgrid[:96, :128].astype(np.float32)
    found, still = [], []
    for this, after, flow in zip(clip.frames, clip.frames[1:], clip.flow, strict=False):
        right, down = flow.astype(np.float32)
        back = cv2.remap(after, x + right, y + down, cv2.INTER_CUBIC)
        found.append(np.abs(back[8:-8, 8:-8] - this[8:-8, 8:-8].astype(float)))
        still.append(np.abs(after[8:-8, 8:-8] - this[8:-8, 8:-8].astype(float)))
    # Noise and what comes into view have no counterpart; all else must.
    assert np.median(found) < 3
    assert np.mean(np.array(found) > 15) < 0.35 * np.mean(np.array(still) > 15)


def test_corpus_comes_with_its_flow(tmp_path):
    generate(tmp_path, "corpus", CORPUS, 1)
    (video,) = (tmp_path / "videos").iterdir()
    frames, _ = decode(video)
    with reader.open(tmp_path / "flow.h5", "truth/1") as file:
        flow = file.clip(video.stem)["flow"]
        assert flow.shape == (len(frames) - 1, 2, 96, 128)
        assert flow.dtype == np.float16


def test_width_need_not_be_a_multiple_of_four():
    odd = Generated(set="six", width=118, height=90, frames=(32, 32))
    clip = render("six", odd, 1, members(odd)[0], with_flow=False)
    assert clip.frames.shape == (32, 90, 118, 3)


def test_unknown_class_is_named():
    with pytest.raises(DataError, match="Yodel"):
        members(Generated(classes=("Yodel",)))


@pytest.mark.parametrize("side", ["width", "height"])
def test_an_odd_side_is_refused(side):
    with pytest.raises(ValueError, match=f"{side}\n.*multiple of 2"):
        Generated(**{side: 97})
