from dataclasses import replace

import pandas as pd
import pytest

from twinlens.artifacts.table import read_csv, write_csv
from twinlens.errors import ArtifactError
from twinlens.media.frames import REPORT
from twinlens.media.manifest import manifest
from twinlens.media.settings import Listing, Source


@pytest.fixture
def own(tmp_path):
    """Ten clips that are there and one that is not, of classes 007 and run."""
    videos, names = tmp_path / "videos", [f"007/{n}" for n in range(9)] + ["run/x"]
    for name in names:
        path = videos / f"{name}.avi"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    split = tmp_path / "split.csv"
    parts = [f"{name},{'train' if name == 'run/x' else 'test'}\n" for name in names]
    split.write_text("clip,part\n" + "".join(parts) + "run/gone,test\n")
    source = Source(kind="folder", videos=str(videos), split_file=str(split))
    return source, names


def row(name, **more):
    return {
        "clip": name,
        "class": name.split("/")[0],
        "label": int(name.startswith("run")),
        "part": "train" if name == "run/x" else "test",
        "status": "ok",
        "note": "",
        "frames": 36,
        "content": f"{len(name):04d}{name.encode().hex()}",
        "look": "",
        "detail": "",
        "path": f"/v/{name}.avi",
        **more,
    }


def join(tmp_path, own, max_rejected=0.02, **changes):
    """Join two shards' reports, some rows of which are changed."""
    source, names = own
    rows = [row(name, **changes.get(name, {})) for name in names]
    reports = [tmp_path / "test-00.csv", tmp_path / "test-01.csv"]
    for path, some in zip(reports, (rows[:6], rows[6:]), strict=True):
        write_csv(path, "report/1", pd.DataFrame(some, columns=REPORT))
    names = ("out", "missing", "rejected", "cautions")
    out = {name: tmp_path / f"{name}.csv" for name in names}
    job = Listing(dataset="own", source=source, max_rejected=max_rejected)
    manifest(reports, job, **out)


def table(tmp_path, name, kind=None):
    return read_csv(tmp_path / f"{name}.csv", kind or f"{name}/1")


BAD = {"status": "rejected", "note": "the file is empty"}


def test_every_clip_is_in_the_manifest_with_its_shard(tmp_path, own):
    join(tmp_path, own)
    rows = table(tmp_path, "out", "manifest/1")
    assert list(rows["clip"]) == own[1]
    assert list(rows["shard"]) == [0] * 6 + [1] * 4


def test_listed_files_that_are_not_there_are_counted(tmp_path, own, capsys):
    join(tmp_path, own)
    assert list(table(tmp_path, "missing")["file"]) == ["run/gone"]
    said = capsys.readouterr().err
    assert "own: 9 test, 1 train clips; 0 rejected, 1 listed but not there" in said


def test_a_class_without_test_clips_is_reported(tmp_path, own, capsys):
    join(tmp_path, own)
    said = capsys.readouterr().err
    assert "accuracy is over the 1 classes with test clips; none for: run" in said


def test_clips_with_a_note_are_counted(tmp_path, own, capsys):
    join(tmp_path, own, **{"007/3": {"note": "ffmpeg concealed errors: some"}})
    assert "1 with a note (errors that ffmpeg concealed" in capsys.readouterr().err


def test_clips_that_may_be_cut_are_counted(tmp_path, own, capsys):
    join(tmp_path, own, **{"007/3": {"end": "unknown"}})
    words = "1 whose format does not say whether they are whole"
    assert words in capsys.readouterr().err
    join(tmp_path, own)
    assert "whole" not in capsys.readouterr().err


def test_rejected_clips_are_listed_with_the_reason(tmp_path, own):
    join(tmp_path, own, max_rejected=0.5, **{"007/3": BAD})
    (found,) = table(tmp_path, "rejected").to_dict("records")
    assert found["clip"] == "007/3"
    assert found["note"] == "the file is empty"


def test_rejected_clips_stay_in_the_manifest(tmp_path, own):
    join(tmp_path, own, max_rejected=0.5, **{"007/3": BAD})
    assert len(table(tmp_path, "out", "manifest/1")) == 10


def test_too_many_rejected_clips_stop_the_run_with_every_reason(tmp_path, own, capsys):
    bad = {name: {**BAD, "note": f"reason {name}"} for name in own[1][:3]}
    with pytest.raises(ArtifactError) as error:
        join(tmp_path, own, max_rejected=0.2, **bad)
    said = str(error.value)
    assert said.startswith("own: 3 of 10 clips can't be used")
    listed = capsys.readouterr().err
    for name in own[1][:3]:
        assert f"  /v/{name}.avi: reason {name}\n" in listed
    assert "raise datasets.own.max_rejected in the config" in said
    assert not (tmp_path / "out.csv").exists()


def test_what_was_rejected_is_written_also_when_the_run_stops(tmp_path, own):
    with pytest.raises(ArtifactError):
        join(tmp_path, own, **{"run/x": BAD})
    assert list(table(tmp_path, "rejected")["clip"]) == ["run/x"]


def test_as_many_as_allowed_may_be_rejected(tmp_path, own):
    join(tmp_path, own, max_rejected=0.1, **{"007/3": BAD})
    assert (tmp_path / "out.csv").exists()


def test_the_warnings_of_a_listing_are_reported(tmp_path, own, capsys):
    join(tmp_path, (replace(own[0], split_file=None), own[1]))
    assert "WARNING own: no `group` pattern" in capsys.readouterr().err


def test_a_spoilt_report_is_named(tmp_path, own):
    join(tmp_path, own)
    path = tmp_path / "test-01.csv"
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(
        ArtifactError, match=r"test-01.csv: was cut off or edited; .*--force"
    ):
        manifest(
            [path],
            Listing(dataset="own", source=own[0]),
            *(tmp_path / f"{name}.csv" for name in ("o", "m", "r", "c")),
        )


def test_a_set_without_test_clips_stops_the_run(tmp_path, own):
    bad = {name: BAD for name in own[1] if name.startswith("007")}
    with pytest.raises(ArtifactError, match="no test clip is left"):
        join(tmp_path, own, max_rejected=1.0, **bad)


def test_a_class_that_is_tested_and_never_trained_is_reported(tmp_path, own, capsys):
    join(tmp_path, own)
    assert "WARNING own: no training clips of 007" in capsys.readouterr().err


def test_a_class_whose_training_clips_were_rejected_is_reported(tmp_path, own, capsys):
    changes = {
        "run/x": BAD,
        "007/0": {"part": "train"},
        "007/8": {"class": "run", "label": 1},
    }
    join(tmp_path, own, max_rejected=1.0, **changes)
    assert "WARNING own: no training clips of run, which" in capsys.readouterr().err


def cautions(tmp_path):
    return list(table(tmp_path, "cautions")["caution"])


def test_a_sound_set_has_no_cautions(tmp_path, own, capsys):
    join(tmp_path, own)
    assert cautions(tmp_path) == []
    assert list(table(tmp_path, "out", "manifest/1")["content"])[0].startswith("0005")


def test_a_test_clip_that_was_learnt_is_cautioned_of(tmp_path, own, capsys):
    same = {"content": "1200000000000000"}
    join(tmp_path, own, **{"007/3": same, "run/x": same})
    found = cautions(tmp_path)
    assert found[0].startswith("1 test clips have the very frames of a training clip")
    assert found[0].endswith("007/3 = run/x")
    assert found[1].startswith("2 clips have the same frames under two classes")
    assert len(found) == 2
    assert f"WARNING own: {found[0]}" in capsys.readouterr().err


def test_a_clip_that_counts_twice_is_cautioned_of(tmp_path, own):
    same = {name: {"content": "12e4567890123456"} for name in own[1][:3]}
    join(tmp_path, own, **same)
    (line,) = cautions(tmp_path)
    assert line.startswith("3 clips have the same frames as another of their class")
    assert line.endswith("007/0 = 007/1")


@pytest.mark.parametrize(
    ("look", "what"),
    [("one colour", "show one colour only"), ("still", "show nothing that moves")],
)
def test_clips_that_show_nothing_are_cautioned_of(tmp_path, own, look, what):
    join(tmp_path, own, **{name: {"look": look} for name in own[1][2:5]})
    assert cautions(tmp_path) == [f"3 clips {what}: 007/2, 007/3, ..."]


def test_classes_of_one_test_clip_are_cautioned_of(tmp_path, own):
    join(tmp_path, own, **{"007/0": {"class": "golf"}})
    (line,) = cautions(tmp_path)
    assert line.startswith("1 classes are tested by one clip each")
    assert line.endswith(": golf")


def detailed(names, train, test):
    """Clips in turn of both parts, with their fine detail."""
    return {
        name: {
            "part": "test" if number % 2 else "train",
            "detail": (test if number % 2 else train) + 0.1 * (number // 2 % 2),
        }
        for number, name in enumerate(names)
    }


@pytest.mark.parametrize(("test", "times"), [(-3.0, "2.00"), (-5.0, "0.50")])
def test_low_clips_of_another_kernel_are_cautioned_of(tmp_path, own, test, times):
    join(tmp_path, own, **detailed(own[1], -4.0, test))
    (line,) = (line for line in cautions(tmp_path) if "fine frequencies" in line)
    assert line.startswith(f"low-resolution test clips have {times}")


@pytest.mark.parametrize("test", [-4.0, -3.85, -4.15])
def test_low_clips_of_bicubic_are_not(tmp_path, own, test):
    join(tmp_path, own, **detailed(own[1], -4.0, test))
    assert not any("fine frequencies" in line for line in cautions(tmp_path))


def test_rejected_clips_are_no_twins(tmp_path, own):
    bad = {name: {**BAD, "content": ""} for name in own[1][:2]}
    join(tmp_path, own, max_rejected=1.0, **bad)
    assert cautions(tmp_path) == []


def test_a_single_class_stops_the_run(tmp_path, own):
    source = replace(own[0], classes=("007",))
    with pytest.raises(ArtifactError, match="007 is its one class, and every clip"):
        join(tmp_path, (source, own[1]))
