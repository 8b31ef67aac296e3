"""All files below a folder are listed, or none."""

import errno
import os

import pytest

from twinlens import folders
from twinlens.errors import ArtifactError


@pytest.fixture
def tree(tmp_path):
    """A file, one in a folder, one in a linked folder that links back."""
    root, other = tmp_path / "root", tmp_path / "other"
    for path in (root / "a", root / "below/b", other / "c"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (root / "link").symlink_to(other)
    (other / "back").symlink_to(root)
    return root


def names(root):
    return sorted(str(path.relative_to(root)) for path in folders.files(root))


def test_linked_folders_are_entered_once(tree):
    assert names(tree) == ["a", "below/b", "link/c"]


def test_a_missing_folder_has_no_files(tmp_path):
    assert names(tmp_path / "missing") == []


def test_a_folder_that_can_not_be_listed_is_an_error(tree, monkeypatch):
    scan = os.scandir

    def refuse(path):
        if str(path).endswith("below"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(ArtifactError, match=f"{tree}/below: can't be read: Permission"):
        names(tree)
