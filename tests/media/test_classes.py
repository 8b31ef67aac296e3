"""The list of a data set's classes."""

from twinlens.artifacts.table import read_csv
from twinlens.media.classes import classes
from twinlens.media.settings import Listing, Source


def test_classes_have_their_labels_and_keep_their_names(tmp_path):
    for name in ("007", "run"):
        folder = tmp_path / "own" / name
        folder.mkdir(parents=True)
        for clip in ("a.mp4", "b.mp4"):
            (folder / clip).touch()
    source = Source(kind="folder", videos=str(tmp_path / "own"))
    classes(Listing(dataset="own", source=source), tmp_path / "classes.csv")
    rows = read_csv(tmp_path / "classes.csv", "classes/1")
    assert dict(zip(rows["label"], rows["class"], strict=True)) == {0: "007", 1: "run"}
