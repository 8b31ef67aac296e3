import csv
import errno
import importlib
import os
from collections import Counter
from pathlib import Path
from unicodedata import normalize

import pytest

from twinlens.artifacts import contents
from twinlens.artifacts.contents import Contents
from twinlens.errors import DataError
from twinlens.media import scan, sets
from twinlens.media.settings import Source

REAL_UCF = "Archery BasketballDunk HorseRace PlayingPiano PlayingViolin Surfing YoYo"


def touch(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def listing(kind, settings):
    return sets.listing(Source(kind=kind, **settings))


def parts(found):
    return {each.clip: each.part for each in found.clips}


def test_kinds_are_found_by_their_files():
    assert sets.names() == ["corpus", "folder", "hmdb51", "playground", "ucf101"]


def test_an_unknown_kind_lists_those_there_are():
    with pytest.raises(DataError, match="no kind of data set 'ucf'; there are"):
        listing("ucf", {})


@pytest.mark.parametrize("kind", ["corpus", "folder", "hmdb51", "playground", "ucf101"])
def test_a_missing_folder_is_reported_with_what_to_do(kind, tmp_path):
    settings = {"videos": str(tmp_path / "gone"), "splits": str(tmp_path)}
    with pytest.raises(DataError, match="gone: no such folder; put the data set's vid"):
        listing(kind, settings)


@pytest.mark.parametrize("kind", ["corpus", "folder", "hmdb51", "playground", "ucf101"])
def test_a_lacking_key_is_reported(kind):
    with pytest.raises(DataError, match="lacks 'videos'"):
        listing(kind, {})


# --- UCF101 ---------------------------------------------------------------------------

UCF_CLIPS = [
    f"{name}/v_{name.replace('Pushups', 'PushUps').replace('stand', 'Stand')}_g0{g}_c01"
    for name in ("Hammering", "HammerThrow", "HandstandPushups")
    for g in (1, 2, 3)
]
ORDER = ["Hammering", "HammerThrow", "HandstandPushups"]


@pytest.fixture
def ucf(tmp_path):
    """Three classes; in split n the clips of group n are tested. Lines end in CRLF."""
    videos, splits = tmp_path / "UCF-101", tmp_path / "ucfTrainTestlist"
    touch(videos, *(f"{clip}.avi" for clip in UCF_CLIPS))
    splits.mkdir()
    lines = [f"{place} {name}" for place, name in enumerate(ORDER, 1)]
    write(splits / "classInd.txt", [*lines, ""])
    for split in (1, 2, 3):
        test = [clip for clip in UCF_CLIPS if f"_g0{split}" in clip]
        train = [
            f"{clip}.avi {ORDER.index(clip.split('/')[0]) + 1}"
            for clip in UCF_CLIPS
            if clip not in test
        ]
        write(splits / f"testlist0{split}.txt", [f"{clip}.avi" for clip in test])
        write(splits / f"trainlist0{split}.txt", train)
    return {"videos": str(videos), "splits": str(splits)}


def write(path, lines):
    path.write_bytes("".join(f"{line}\r\n" for line in lines).encode())


def test_ucf_classes_keep_the_official_order(ucf):
    """It is not Python's: Hammering stands before HammerThrow."""
    assert listing("ucf101", ucf).classes == ORDER


def test_ucf_labels_count_from_nought(ucf):
    labels = {
        each.clip.split("/")[0]: each.label for each in listing("ucf101", ucf).clips
    }
    assert labels == {name: place for place, name in enumerate(ORDER)}


def test_ucf_class_order_is_by_number_and_not_by_line(ucf):
    path = Path(ucf["splits"]) / "classInd.txt"
    write(path, ["10 Hammering", "9 HammerThrow", "11 HandstandPushups"])
    found = listing("ucf101", ucf)
    assert found.classes == ["HammerThrow", "Hammering", "HandstandPushups"]


def test_ucf_class_is_the_folder_and_not_the_file_name(ucf):
    found = listing("ucf101", ucf)
    (clip,) = [each for each in found.clips if "HandStandPushUps_g01" in each.clip]
    assert clip.clip == "HandstandPushups/v_HandStandPushUps_g01_c01"
    assert clip.label == 2


@pytest.mark.parametrize("split", [1, 2, 3])
def test_ucf_splits_are_the_lists(ucf, split):
    found = listing("ucf101", {**ucf, "split": split})
    expected = {
        clip: "test" if f"_g0{split}" in clip else "train" for clip in UCF_CLIPS
    }
    assert parts(found) == expected


def test_ucf_uses_the_first_split_if_none_is_named(ucf):
    assert listing("ucf101", ucf) == listing("ucf101", {**ucf, "split": 1})


def test_ucf_can_be_restricted_to_classes(ucf):
    chosen = {**ucf, "classes": ["HandstandPushups", "Hammering"]}
    found = listing("ucf101", chosen)
    assert found.classes == ["Hammering", "HandstandPushups"]
    assert {each.label for each in found.clips} == {0, 1}
    assert len(found.clips) == 6


def test_ucf_refuses_an_unknown_class(ucf):
    with pytest.raises(DataError, match=r"unknown classes \['HandStandPushups'\]"):
        listing("ucf101", {**ucf, "classes": ["HandStandPushups"]})


def test_ucf_lists_what_is_not_there(ucf):
    gone = Path(ucf["videos"]) / f"{UCF_CLIPS[0]}.avi"
    gone.unlink()
    found = listing("ucf101", ucf)
    assert found.missing == [f"{UCF_CLIPS[0]}.avi"]
    assert len(found.clips) == len(UCF_CLIPS) - 1


def test_ucf_says_which_split_file_is_missing(ucf):
    (Path(ucf["splits"]) / "trainlist01.txt").unlink()
    with pytest.raises(DataError, match="trainlist01.txt: no such file"):
        listing("ucf101", ucf)


def test_ucf_refuses_a_class_list_without_numbers(ucf):
    write(Path(ucf["splits"]) / "classInd.txt", ORDER)
    with pytest.raises(DataError, match="lines must read '<number> <class>'"):
        listing("ucf101", ucf)


def test_ucf_refuses_a_listed_clip_of_no_class(ucf):
    """Else a class spelt in two ways would be left out silently."""
    write(Path(ucf["splits"]) / "testlist01.txt", ["HandStandPushups/v_x.avi"])
    with pytest.raises(DataError, match="its class is not in classInd.txt"):
        listing("ucf101", ucf)


def test_ucf_refuses_a_clip_in_both_parts(ucf):
    write(Path(ucf["splits"]) / "testlist01.txt", [f"{UCF_CLIPS[-1]}.avi"])
    with pytest.raises(DataError, match="listed twice"):
        listing("ucf101", ucf)


def test_a_folder_without_any_listed_clip_is_an_error(ucf, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(
        DataError, match="no clip of any class found in .*; 9 files are"
    ):
        listing("ucf101", {**ucf, "videos": str(tmp_path / "empty")})


def test_the_playground_is_laid_out_as_ucf(ucf):
    assert listing("playground", ucf) == listing("ucf101", ucf)


def test_ucf_has_the_real_counts(realdata):
    settings = {
        "videos": str(realdata / "UCF-101"),
        "splits": str(realdata / "ucfTrainTestlist"),
    }
    chosen = {**settings, "classes": REAL_UCF.split()}
    found = listing("ucf101", chosen)
    assert Counter(parts(found).values()) == {"train": 126, "test": 49}
    whole = listing("ucf101", settings)
    assert len(whole.classes) == 101
    assert parts(whole) == parts(found)
    assert len(whole.clips) + len(whole.missing) == 13320


def test_ucf_parts_are_those_of_others(realdata):
    settings = {
        "videos": str(realdata / "UCF-101"),
        "splits": str(realdata / "ucfTrainTestlist"),
    }
    assert parts(listing("ucf101", settings)) == manifest(realdata, "ucf101/")


def manifest(realdata, prefix):
    with (realdata / "MANIFEST.tsv").open() as file:
        return {
            row["file"].removeprefix(prefix).removesuffix(".avi"): row["split1"]
            for row in csv.DictReader(file, delimiter="\t")
            if row["file"].startswith(prefix)
        }


# --- HMDB51 ---------------------------------------------------------------------------

KICKS = {
    "kick/Hands_Up__Clap_Hands_And_Wave!_kick_1.avi": 1,
    "kick/two words (best)_#1 & more; 'so'_kick_2.avi": 2,
    "kick/unused_kick_3.avi": 0,
    "kick_ball/a_kick_ball_1.avi": 2,
    "kick_ball/b 2_kick_ball_1.avi": 1,
}


@pytest.fixture
def hmdb(tmp_path):
    """Two classes; the other lists are empty. Lines end in a blank."""
    videos, splits = tmp_path / "hmdb51", tmp_path / "testTrainMulti_7030_splits"
    touch(videos, *KICKS)
    splits.mkdir()
    for name in importlib.import_module("twinlens.media.sets.hmdb51").CLASSES:
        for split in (1, 2, 3):
            lines = [
                f"{clip.split('/')[1]} {mark if split == 1 else 1} \n"
                for clip, mark in KICKS.items()
                if clip.split("/")[0] == name
            ]
            (splits / f"{name}_test_split{split}.txt").write_text("".join(lines))
    return {"videos": str(videos), "splits": str(splits)}


def test_hmdb_marks_are_train_test_and_unused(hmdb):
    expected = {
        name.removesuffix(".avi"): {1: "train", 2: "test"}[mark]
        for name, mark in KICKS.items()
        if mark
    }
    assert parts(listing("hmdb51", hmdb)) == expected


def test_hmdb_splits_are_distinguished(hmdb):
    found = listing("hmdb51", {**hmdb, "split": 2})
    assert set(parts(found).values()) == {"train"}


def test_hmdb_classes_are_in_the_order_of_the_published_networks(hmdb):
    classes = listing("hmdb51", hmdb).classes
    assert len(classes) == len(set(classes)) == 51
    assert classes[19:23] == ["jump", "kick_ball", "kick", "kiss"]
    assert classes[43:46] == ["swing_baseball", "sword_exercise", "sword"]
    swapped = [
        place for place, name in enumerate(sorted(classes)) if name != classes[place]
    ]
    assert swapped == [20, 21, 44, 45]


def test_hmdb_classes_that_start_alike_are_not_mixed(hmdb):
    chosen = {**hmdb, "classes": ["kick", "kick_ball"]}
    found = listing("hmdb51", chosen)
    assert found.classes == ["kick_ball", "kick"]
    for each in found.clips:
        assert found.classes[each.label] == each.path.parent.name


def test_hmdb_lists_what_is_not_there(hmdb):
    (Path(hmdb["videos"]) / "kick_ball/b 2_kick_ball_1.avi").unlink()
    found = listing("hmdb51", hmdb)
    assert found.missing == ["kick_ball/b 2_kick_ball_1.avi"]


def test_hmdb_refuses_lists_of_another_form(hmdb):
    path = Path(hmdb["splits"]) / "wave_test_split1.txt"
    path.write_text("a.avi train\n")
    with pytest.raises(DataError, match="wave_test_split1.txt: lines must read"):
        listing("hmdb51", hmdb)


def test_hmdb_refuses_an_unknown_class(hmdb):
    with pytest.raises(DataError, match="unknown classes"):
        listing("hmdb51", {**hmdb, "classes": ["kicks"]})


def test_hmdb_has_the_real_counts(realdata):
    settings = {
        "videos": str(realdata / "hmdb51"),
        "splits": str(realdata / "testTrainMulti_7030_splits"),
    }
    found = listing("hmdb51", settings)
    assert Counter(parts(found).values()) == {"train": 210, "test": 103}
    assert len({each.label for each in found.clips}) == 21
    assert len(found.clips) + len(found.missing) == 5100
    assert parts(found) == manifest(realdata, "hmdb51/")


# --- a folder of one's own ------------------------------------------------------------


@pytest.fixture
def own(tmp_path):
    """Two classes of ten clips, two takes of each of five scenes."""
    root = tmp_path / "own"
    touch(
        root,
        *(
            f"{name}/scene{scene}_take{take}.mp4"
            for name in ("jump", "run fast")
            for scene in range(5)
            for take in range(2)
        ),
    )
    return {"videos": str(root), "seed": 7}


def scenes(found, part):
    return {each.clip[:-6] for each in found.clips if each.part == part}


def test_a_drawn_split_is_the_same_every_time(own):
    assert parts(listing("folder", own)) == parts(listing("folder", own))


def test_a_drawn_split_depends_on_the_seed(own):
    drawn = {
        tuple(parts(listing("folder", {**own, "seed": seed})).items())
        for seed in range(5)
    }
    assert len(drawn) > 1


def test_a_drawn_split_stays_where_the_folder_lies(own, tmp_path):
    before = parts(listing("folder", own))
    Path(own["videos"]).rename(tmp_path / "moved")
    after = listing("folder", {**own, "videos": str(tmp_path / "moved")})
    assert parts(after) == before


def test_a_drawn_split_of_a_class_does_not_depend_on_others(own):
    whole = parts(listing("folder", own))
    alone = parts(listing("folder", {**own, "classes": ["jump"]}))
    assert alone == {clip: whole[clip] for clip in alone}


def test_a_drawn_split_tests_the_asked_part_of_each_class(own):
    found = listing("folder", {**own, "test_fraction": 0.2})
    tested = Counter(each.label for each in found.clips if each.part == "test")
    assert tested == {0: 2, 1: 2}


@pytest.mark.parametrize("group", [r"scene\d", r"(scene\d)_", r"^(.+?)_take"])
def test_takes_of_a_scene_stay_on_one_side(own, group):
    for seed in range(5):
        found = listing("folder", {**own, "group": group, "seed": seed})
        assert not scenes(found, "train") & scenes(found, "test")
        assert found.warnings == []


@pytest.fixture
def spanning(tmp_path):
    """UCF101's way: groups g01 to g25 in every class, of other people in each."""
    names = [
        f"{name}/v_{name}_g{group:02d}_c{take:02d}.avi"
        for name in ("jump", "run", "wave")
        for group in range({"jump": 2, "run": 12, "wave": 4}[name])
        for take in range(3)
    ]
    touch(tmp_path / "own", *names)
    return {"videos": str(tmp_path / "own"), "seed": 3, "group": r"_g(\d+)_"}


def test_scenes_that_span_classes_miss_the_fraction_and_that_is_said(spanning):
    (line,) = listing("folder", spanning).warnings
    assert line.startswith("test_fraction asks for 0.3, and whole scenes are tested: ")
    assert "jump 3 of 6" in line
    assert line.endswith("`group_within_class: true` keeps scenes of classes apart")


def test_scenes_within_classes_are_drawn_class_by_class(spanning):
    found = listing("folder", {**spanning, "group_within_class": True})
    tested = Counter(
        each.clip.split("/")[0] for each in found.clips if each.part == "test"
    )
    assert tested["run"] == 12
    for name in ("jump", "run", "wave"):
        own = [each for each in found.clips if each.clip.startswith(f"{name}/")]
        assert not scenes_of(own, "train") & scenes_of(own, "test")


def scenes_of(clips, part):
    return {each.clip.split("_g")[1][:2] for each in clips if each.part == part}


def test_without_a_group_the_user_is_warned(own):
    (warning,) = listing("folder", own).warnings
    assert "no `group` pattern" in warning
    assert scenes(listing("folder", own), "train") & scenes(
        listing("folder", own), "test"
    )


def test_a_group_that_does_not_fit_a_name_is_reported(own):
    with pytest.raises(DataError, match="`group` pattern 'shot' does not match"):
        listing("folder", {**own, "group": "shot"})


def test_a_group_that_never_ends_is_reported(own):
    """Python's own matching would go on for centuries."""
    name = "a" * 60 + "_take"
    touch(Path(own["videos"]), f"jump/{name}.mp4")
    with pytest.raises(DataError, match=r"`group` pattern .* takes more than 1 s"):
        listing("folder", {**own, "group": r"^(a|a)+$"})


def test_a_group_that_is_no_pattern_is_reported(own):
    with pytest.raises(DataError, match=r"`group` pattern '\(': missing \)"):
        listing("folder", {**own, "group": "("})


def test_a_single_scene_leaves_nothing_to_test_and_that_is_reported(tmp_path):
    touch(tmp_path / "own", "jump/a.avi")
    with pytest.raises(DataError, match="a class needs two scenes"):
        listing("folder", {"videos": str(tmp_path / "own")})


def test_a_class_of_a_single_scene_is_reported(tmp_path):
    touch(tmp_path / "own", "jump/a.avi", "run/a.avi", "run/b.avi")
    found = listing("folder", {"videos": str(tmp_path / "own")})
    assert "too few scenes to test jump" in found.warnings


def test_two_clips_of_one_stem_are_refused(own):
    touch(Path(own["videos"]), "jump/scene0_take0.avi")
    with pytest.raises(DataError, match="two clips of one name; rename one"):
        listing("folder", own)


def test_files_that_are_no_videos_are_left_out(own):
    touch(Path(own["videos"]), "jump/notes.txt", "jump/.DS_Store", "README.md")
    assert len(listing("folder", own).clips) == 20


def test_what_is_left_out_is_counted_and_named(own):
    odd = ["jump/notes.txt", "jump/.DS_Store", "__MACOSX/a/b.mp4", ".hid/x.mp4"]
    touch(Path(own["videos"]), *odd)
    lines = listing("folder", own).warnings
    root = own["videos"]
    assert f"2 left out of {root}, hidden: .hid, jump/.DS_Store" in lines
    assert f"1 left out of {root}, kept by the system: __MACOSX" in lines
    assert f"1 left out of {root}, of no known kind of video: jump/notes.txt" in lines
    assert listing("folder", own).classes == ["jump", "run fast"]


def test_videos_that_all_lie_deeper_are_named(tmp_path):
    touch(tmp_path / "own", "set/jump/a.mp4", "set/run/b.mp4")
    with pytest.raises(DataError, match="2 left out of .*class's name: set/jump/a"):
        listing("folder", {"videos": str(tmp_path / "own")})


def test_hidden_folders_of_a_corpus_are_left_out(tmp_path):
    touch(tmp_path, "a.mp4", ".ipynb_checkpoints/a-checkpoint.mp4", "b/c.MTS")
    found = listing("corpus", {"videos": str(tmp_path)})
    assert [each.clip for each in found.clips] == ["a", "b/c"]
    assert found.warnings == [f"1 left out of {tmp_path}, hidden: .ipynb_checkpoints"]


def test_links_that_loop_come_to_an_end(tmp_path):
    touch(tmp_path, "jump/a.mp4", "run/b.mp4")
    (tmp_path / "jump/run").symlink_to(tmp_path / "run")
    (tmp_path / "run/jump").symlink_to(tmp_path / "jump")
    (tmp_path / "run/all").symlink_to(tmp_path)
    clips = [each.clip for each in listing("corpus", {"videos": str(tmp_path)}).clips]
    assert clips == ["jump/a", "jump/run/b", "run/b", "run/jump/a"]


def test_a_folder_that_can_not_be_read_is_named(tmp_path, monkeypatch):
    touch(tmp_path, "jump/a.mp4")

    def refuse(_):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(DataError, match="can't be read: Permission denied"):
        listing("corpus", {"videos": str(tmp_path)})


@pytest.mark.parametrize("letter", "\r\n\t\x07")
def test_names_with_control_characters_are_refused(tmp_path, letter):
    touch(tmp_path, f"jump{letter}/a.mp4", f"jump{letter}/b.mp4")
    with pytest.raises(DataError, match="has a control character; rename it"):
        listing("folder", {"videos": str(tmp_path)})


# --- lists as people's programs write them --------------------------------------------

CODINGS = ["utf-8", "utf-8-sig", "utf-16"]


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_given_split_may_be_coded_in_any_of_these(own, tmp_path, coding, separator):
    touch(Path(own["videos"]), "jump/über.mp4")
    path = tmp_path / "split.csv"
    rows = [("clip", "part"), ("jump/über", "test"), ("jump/scene0_take0", "train")]
    text = "\r\n".join(separator.join(row) for row in rows)
    path.write_bytes(text.encode(coding))
    found = listing("folder", {**own, "split_file": str(path)})
    assert parts(found) == {"jump/über": "test", "jump/scene0_take0": "train"}


@pytest.mark.parametrize("coding", ["latin-1", "utf-16-le", "utf-16-be"])
def test_a_split_coded_otherwise_is_named_with_its_line(own, tmp_path, coding):
    path = tmp_path / "split.csv"
    path.write_bytes("clip,part\njump/über,test\n".encode(coding))
    with pytest.raises(DataError, match=r"split\.csv, line [12]: is not UTF-8; save"):
        listing("folder", {**own, "split_file": str(path)})


@pytest.mark.parametrize("coding", CODINGS)
def test_official_lists_may_be_coded_in_any_of_these(ucf, coding):
    before = listing("ucf101", ucf)
    for path in Path(ucf["splits"]).iterdir():
        path.write_bytes(path.read_text().encode(coding))
    assert listing("ucf101", ucf) == before


def test_official_lists_may_have_blanks_in_names(ucf):
    videos, splits = Path(ucf["videos"]), Path(ucf["splits"])
    touch(videos, "Pull Ups/v 1.avi", "Pull Ups/v 2.avi")
    with (splits / "classInd.txt").open("a") as file:
        file.write("4 Pull Ups\n")
    with (splits / "trainlist01.txt").open("a") as file:
        file.write("Pull Ups/v 1.avi 4\n")
    with (splits / "testlist01.txt").open("a") as file:
        file.write("Pull Ups/v 2.avi\n")
    found = parts(listing("ucf101", ucf))
    assert (found["Pull Ups/v 1"], found["Pull Ups/v 2"]) == ("train", "test")


def test_official_lists_may_have_tabs_before_labels(ucf):
    before = listing("ucf101", ucf)
    path = Path(ucf["splits"]) / "trainlist01.txt"
    path.write_text(path.read_text().replace(" ", "\t"))
    assert listing("ucf101", ucf) == before


def test_a_folder_and_its_files_may_be_in_different_forms(tmp_path, ucf):
    root = tmp_path / normalize("NFC", "Vidéos")
    Path(ucf["videos"]).rename(root)
    name = normalize("NFD", "v_Café_g01_c01.avi")
    touch(root, f"Hammering/{name}")
    with (Path(ucf["splits"]) / "testlist01.txt").open("a", encoding="utf-8") as file:
        file.write(normalize("NFC", f"Hammering/{name}\n"))
    found = parts(listing("ucf101", {**ucf, "videos": str(root)}))
    assert found["Hammering/v_Café_g01_c01"] == "test"


def test_two_folders_of_one_composed_name_are_refused(own, tmp_path):
    touch(Path(own["videos"]), *(f"{normalize(f, 'é')}/x.mp4" for f in ("NFC", "NFD")))
    text = "clip,part\né/x,test\n"
    with pytest.raises(DataError, match="two clips of one name; rename one"):
        given(own, tmp_path, text)


def test_a_listed_name_with_a_second_ending_is_found(own, tmp_path):
    touch(Path(own["videos"]), "jump/walk.divx.avi")
    found = given(own, tmp_path, "clip,part\njump/walk.divx,test\n")
    assert parts(found) == {"jump/walk.divx": "test"}
    found = given(own, tmp_path, "clip,part\njump/walk.divx.avi,test\n")
    assert parts(found) == {"jump/walk.divx": "test"}


def test_empty_rows_of_a_spreadsheet_are_left_out(own, tmp_path):
    found = given(own, tmp_path, "clip,part\njump/scene0_take0,test\n,,\n,\n\n")
    assert parts(found) == {"jump/scene0_take0": "test"}


def test_an_open_quote_is_named_with_its_line(own, tmp_path):
    text = 'clip,part\n"jump/scene0_take0,test\n' + "x" * 200_000
    with pytest.raises(DataError, match=r"split\.csv, line \d+: .*quote left open"):
        given(own, tmp_path, text)


def test_links_without_end_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("twinlens.media.search.MOST", 500)
    for number in range(12):
        (tmp_path / f"{number}").mkdir()
    for number in range(11):
        for link in "ab":
            (tmp_path / f"{number}/{link}").symlink_to(tmp_path / f"{number + 1}")
    with pytest.raises(DataError, match="more than 500 files and folders"):
        listing("corpus", {"videos": str(tmp_path)})


def test_classes_of_an_empty_folder_say_what_is_there(tmp_path):
    touch(tmp_path / "own", "set/jump/a.mp4")
    settings = {"videos": str(tmp_path / "own"), "classes": ["jump"]}
    with pytest.raises(DataError, match="not in a folder of the class's name"):
        listing("folder", settings)


def test_large_scenes_of_one_class_are_not_blamed_on_others(tmp_path):
    takes = [(1, 1), *((2, take) for take in range(9))]
    touch(
        tmp_path / "own", *(f"{c}/{c}scene{n}_{t}.mp4" for c in "ab" for n, t in takes)
    )
    said = []
    for seed in range(5):  # either scene may be drawn
        own = {"videos": str(tmp_path / "own"), "group": r"(.scene\d)", "seed": seed}
        said += [line for line in listing("folder", own).warnings if "asks for" in line]
    assert said
    assert all(line.endswith("a split_file, divides them better") for line in said)


@pytest.mark.parametrize("on_disk", ["NFC", "NFD"])
@pytest.mark.parametrize("in_list", ["NFC", "NFD"])
def test_names_of_a_mac_are_those_of_other_systems(own, tmp_path, on_disk, in_list):
    folder, stem = (normalize(on_disk, each) for each in ("Größe", "Café"))
    touch(Path(own["videos"]), f"{folder}/{stem}.mp4", f"{folder}/b.mp4")
    listed = normalize(in_list, "Größe/Café")
    path = tmp_path / "split.csv"
    path.write_text(f"clip,part\n{listed},test\n", encoding="utf-8")
    wanted = [normalize(in_list, "Größe")]
    found = listing("folder", {**own, "split_file": str(path), "classes": wanted})
    assert parts(found) == {"Größe/Café": "test"}
    assert found.clips[0].path.is_file()


@pytest.mark.parametrize("on_disk", ["NFC", "NFD"])
@pytest.mark.parametrize("in_list", ["NFC", "NFD"])
def test_official_lists_name_files_in_either_form(ucf, on_disk, in_list):
    name = "Hammering/v_Café_g01_c01"
    touch(Path(ucf["videos"]), normalize(on_disk, f"{name}.avi"))
    with (Path(ucf["splits"]) / "testlist01.txt").open("a", encoding="utf-8") as file:
        file.write(normalize(in_list, f"{name}.avi\n"))
    assert parts(listing("ucf101", ucf))[name] == "test"


def test_kinds_can_be_listed_one_after_another(ucf, own):
    assert listing("folder", own).clips
    assert listing("ucf101", ucf).clips


def test_suffixes_count_in_any_case(own):
    touch(Path(own["videos"]), "jump/loud.AVI")
    assert "jump/loud" in parts(listing("folder", own))


def given(own, tmp_path, text, **more):
    path = tmp_path / "split.csv"
    path.write_text(text)
    return listing("folder", {**own, "split_file": str(path), **more})


def test_a_given_split_is_followed(own, tmp_path):
    text = (
        "clip,part\njump/scene0_take0,test\nrun fast/scene1_take1.mp4,train\n"
        '"jump/gone, lost.wmv",train\n'
    )
    found = given(own, tmp_path, text)
    assert parts(found) == {
        "jump/scene0_take0": "test",
        "run fast/scene1_take1": "train",
    }
    assert found.missing == ["jump/gone, lost"]


def test_a_given_split_may_come_from_a_spreadsheet(own, tmp_path):
    text = "\ufeffpart,clip,remark\r\ntest,jump/scene0_take0,good\r\n"
    assert parts(given(own, tmp_path, text)) == {"jump/scene0_take0": "test"}


def test_a_given_split_may_be_restricted_to_classes(own, tmp_path):
    text = "clip,part\njump/scene0_take0,test\nrun fast/scene1_take1,train\n"
    found = given(own, tmp_path, text, classes=["jump"])
    assert parts(found) == {"jump/scene0_take0": "test"}
    assert found.missing == []


@pytest.mark.parametrize(
    "row",
    ["jump/scene0_take0,Test", "jump/scene0_take0,", "scene0_take0,test", ",test"],
)
def test_a_given_split_of_another_form_is_reported(own, tmp_path, row):
    with pytest.raises(DataError, match="needs columns clip"):
        given(own, tmp_path, f"clip,part\n{row}\n")


def test_a_clip_given_to_both_parts_is_refused(own, tmp_path):
    text = "clip,part\njump/scene0_take0,test\njump/scene0_take0,train\n"
    with pytest.raises(DataError, match="jump/scene0_take0: listed twice"):
        given(own, tmp_path, text)


def test_a_missing_split_file_is_reported(own):
    with pytest.raises(DataError, match=r"gone.csv: no such file; .* split_file"):
        listing("folder", {**own, "split_file": "/gone.csv"})


def test_a_name_that_is_not_utf8_is_reported(own):
    touch(Path(own["videos"]), "jump/caf\udce9.avi")
    with pytest.raises(DataError, match="its name is not UTF-8; rename it"):
        listing("folder", own)


# --- a corpus -------------------------------------------------------------------------


def test_a_corpus_is_every_video_below_its_folder(tmp_path):
    touch(tmp_path, "b.mp4", "deep/er/a c.MOV", "notes.txt")
    found = listing("corpus", {"videos": str(tmp_path)})
    assert parts(found) == {"b": "corpus", "deep/er/a c": "corpus"}
    assert {each.label for each in found.clips} == {-1}
    assert found.classes == []


def test_two_corpus_videos_of_one_stem_are_refused(tmp_path):
    touch(tmp_path, "a.mp4", "a.avi")
    with pytest.raises(DataError, match="two videos of one name"):
        listing("corpus", {"videos": str(tmp_path)})


def test_a_corpus_folder_with_a_videos_name_is_refused(tmp_path):
    touch(tmp_path, "a.mp4", "a/b.mp4")
    with pytest.raises(DataError, match="its folder has a video's name"):
        listing("corpus", {"videos": str(tmp_path)})


def test_an_empty_corpus_is_an_error(tmp_path):
    with pytest.raises(DataError, match="no clip of any class found"):
        listing("corpus", {"videos": str(tmp_path)})


# --- shards ---------------------------------------------------------------------------


def shards(source, part, count):
    return [scan.shard(source, part, number, count) for number in range(count)]


def test_shards_hold_every_clip_once(ucf):
    source = Source(kind="ucf101", **ucf)
    found = [
        clip
        for part in ("train", "test")
        for rows in shards(source, part, 4)
        for clip in rows["clip"]
    ]
    assert sorted(found) == sorted(UCF_CLIPS)


def test_a_new_clip_moves_no_other(own):
    source = Source(kind="folder", **own, test_fraction=0.001)
    before = [set(rows["clip"]) for rows in shards(source, "train", 3)]
    touch(Path(own["videos"]), "jump/zz.avi")
    after = [set(rows["clip"]) - {"jump/zz"} for rows in shards(source, "train", 3)]
    both = set().union(*before) & set().union(*after)
    assert [each & both for each in before] == [each & both for each in after]


def test_a_shard_without_clips_keeps_its_columns(ucf):
    rows = scan.shard(Source(kind="ucf101", **ucf), "corpus", 0, 1)
    assert list(rows) == ["clip", "class", "label", "part", "path"]
    assert rows.empty


def fingerprints(source, counts, tmp_path):
    contents = Contents(tmp_path / "store.json")
    clips = sets.listing(source).clips
    found = {}
    for part, count in counts.items():
        own = [each for each in clips if each.part == part]
        digests = scan.fingerprints(own, count, contents, "videos", 1 << 30)
        found |= {(part, number): each for number, each in enumerate(digests)}
    return found


def test_a_file_of_other_bytes_changes_its_own_shards_fingerprint(ucf, tmp_path):
    """Also where its size and time are kept."""
    source, counts = Source(kind="ucf101", **ucf), {"train": 2, "test": 2}
    (clip,) = [each for each in UCF_CLIPS if "Throw_g01" in each]
    video = Path(ucf["videos"]) / f"{clip}.avi"
    video.write_text("one")
    before, then = fingerprints(source, counts, tmp_path), video.stat()
    video.write_text("two")
    os.utime(video, ns=(then.st_atime_ns, then.st_mtime_ns))
    after = fingerprints(source, counts, tmp_path)
    changed = [key for key in before if before[key] != after[key]]
    assert changed == [("test", scan.shard_of(clip, 2))]


def test_a_dangling_link_has_a_fingerprint(own, tmp_path):
    (Path(own["videos"]) / "jump/annexed.avi").symlink_to("/nowhere/x.avi")
    source = Source(kind="folder", **own)
    assert fingerprints(source, {"train": 1, "test": 1}, tmp_path)


def test_a_video_that_can_not_be_read_is_named_by_the_plan(own, tmp_path, monkeypatch):
    def fail(path):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(contents, "sha1", fail)
    with pytest.raises(DataError, match=r"\.mp4: can't be read: Input/output error"):
        fingerprints(Source(kind="folder", **own), {"train": 1, "test": 1}, tmp_path)


def test_a_scene_of_two_classes_stays_on_one_side(tmp_path):
    for name in ("jump", "run"):
        for scene in range(6):
            path = tmp_path / "own" / name / f"scene{scene}_take0.mp4"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    settings = {"videos": str(tmp_path / "own"), "seed": 1, "group": r"scene(\d)"}
    found = parts(listing("folder", settings))
    for scene in range(6):
        sides = {found[f"{name}/scene{scene}_take0"] for name in ("jump", "run")}
        assert len(sides) == 1


def test_videos_outside_class_folders_are_reported(tmp_path):
    for name in ("jump/a.mp4", "jump/b.mp4", "loose.mp4", "jump/deep/c.mp4"):
        path = tmp_path / "own" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    found = listing("folder", {"videos": str(tmp_path / "own")})
    (line,) = (line for line in found.warnings if "left out" in line)
    assert line.startswith("2 left out of ")
    assert line.endswith(
        "not in a folder of the class's name: jump/deep/c.mp4, loose.mp4"
    )


def test_links_to_a_folder_around_them_are_not_followed_for_ever(own):
    before = parts(listing("folder", own))
    root = Path(own["videos"])
    (root / "jump/again").symlink_to(root)
    (root / "jump/here").symlink_to(".")
    (root / "self").symlink_to(root)
    assert parts(listing("folder", own)) == before


def test_a_class_may_be_a_link_to_a_folder_elsewhere(own, tmp_path):
    touch(tmp_path, "elsewhere/scene0_take0.avi", "elsewhere/scene1_take0.avi")
    (Path(own["videos"]) / "walk").symlink_to(tmp_path / "elsewhere")
    clips = parts(listing("folder", own))
    assert {"walk/scene0_take0", "walk/scene1_take0"} <= set(clips)
