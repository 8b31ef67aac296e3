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
    out = {name: tmp_path / f"{name}.csv" for name in ("out", "missing", "rejected")}
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


def test_clips_whose_container_differs_are_counted(tmp_path, own, capsys):
    join(tmp_path, own, **{"007/3": {"note": "its container states 40 frames"}})
    assert "1 with a note (another number of frames" in capsys.readouterr().err


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
            *(tmp_path / f"{name}.csv" for name in ("o", "m", "r")),
        )


def test_a_set_without_test_clips_stops_the_run(tmp_path, own):
    bad = {name: BAD for name in own[1] if name.startswith("007")}
    with pytest.raises(ArtifactError, match="no test clip is left"):
        join(tmp_path, own, max_rejected=1.0, **bad)


def test_a_class_that_is_tested_and_never_trained_is_reported(tmp_path, own, capsys):
    join(tmp_path, own)
    assert "WARNING own: no training clips of 007" in capsys.readouterr().err
