"""Damaged weight files are refused in words, or read."""

import pytest

from tests.weights import damaged
from twinlens import weights
from twinlens.errors import ArtifactError
from twinlens.weights import torch_file


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return damaged.write_all(tmp_path_factory.mktemp("whole"))


@pytest.mark.parametrize("seed", range(15))
def test_a_damaged_file_is_refused_in_words_or_read(tmp_path, whole, seed):
    wrong = [damaged.trial(file, tmp_path, seed) for file in whole]
    assert wrong == [""] * 8


def test_a_library_s_lines_become_one(tmp_path, monkeypatch):
    def refuse(path):
        raise ValueError(f"{path}: two\nlines")

    monkeypatch.setattr(torch_file, "read", refuse)
    path = tmp_path / "x.pth"
    path.touch()
    with pytest.raises(ArtifactError, match=r"x\.pth: two lines$"):
        weights.read(path)
