import numpy as np
import pytest
import scipy.io

from twinlens import weights
from twinlens.errors import ArtifactError


def _read(path, **variables):
    scipy.io.savemat(path, variables)
    return weights.read(path)


def test_numbers_keep_their_axes(tmp_path):
    made = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    found = _read(tmp_path / "x.mat", numbers=made)
    np.testing.assert_array_equal(found["numbers"], made)
    assert found["numbers"].dtype == np.float32


def test_structs_are_dicts_and_cells_lists(tmp_path):
    cells = np.empty((1, 2), object)
    cells[0, 0], cells[0, 1] = np.ones((2, 2)), np.zeros((3, 1))
    found = _read(tmp_path / "x.mat", model={"weight": cells, "depth": 2.0})
    assert list(found["model"]) == ["weight", "depth"]
    assert [each.shape for each in found["model"]["weight"]] == [(2, 2), (3, 1)]


def test_a_cut_file_is_refused(tmp_path):
    scipy.io.savemat(tmp_path / "x.mat", {"a": np.random.rand(50, 50)})
    raw = (tmp_path / "x.mat").read_bytes()
    (tmp_path / "cut.mat").write_bytes(raw[: len(raw) // 2])
    why = r"cut\.mat: not a \.mat file, or cut short"
    with pytest.raises(ArtifactError, match=why):
        weights.read(tmp_path / "cut.mat")


def test_an_empty_file_is_refused(tmp_path):
    with pytest.raises(ArtifactError, match=r"x\.mat: holds no variables"):
        _read(tmp_path / "x.mat")


def test_version_7_3_says_what_to_do(tmp_path):
    head = b"MATLAB 7.3 MAT-file".ljust(124, b" ") + b"\x00\x02IM"
    (tmp_path / "new.mat").write_bytes(head + bytes(512))
    why = r"new\.mat: a MATLAB file of version 7\.3; save it with -v7"
    with pytest.raises(ArtifactError, match=why):
        weights.read(tmp_path / "new.mat")
