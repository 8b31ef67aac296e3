import h5py
import numpy as np
import pytest
import scipy.io

from tests.weights.mat import save_v5, save_v73, write_head
from twinlens import weights
from twinlens.errors import ArtifactError
from twinlens.weights import matconvnet


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


def test_a_damaged_file_of_version_7_3_is_refused(tmp_path):
    head = b"MATLAB 7.3 MAT-file".ljust(124, b" ") + b"\x00\x02IM"
    (tmp_path / "new.mat").write_bytes(head + bytes(512))
    why = r"new\.mat: not a \.mat file, or cut short"
    with pytest.raises(ArtifactError, match=why):
        weights.read(tmp_path / "new.mat")


def test_version_7_3_reads_as_version_5_does(tmp_path):
    kernel = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    entries = [
        {"name": "conv1_filter", "value": kernel},
        {"name": "conv1_bias", "value": np.ones((4, 1))},
    ]
    content = {"params": entries, "meta": {"mean": np.float64([[1, 2, 3]])}}
    save_v5(tmp_path / "old.mat", content)
    save_v73(tmp_path / "new.mat", content)
    old, new = weights.read(tmp_path / "old.mat"), weights.read(tmp_path / "new.mat")
    for found in (old["net"], new["net"]):
        assert [matconvnet.text(each["name"]) for each in found["params"]] == [
            "conv1_filter",
            "conv1_bias",
        ]
        np.testing.assert_array_equal(found["params"][0]["value"], kernel)
        np.testing.assert_array_equal(found["params"][1]["value"], np.ones((4, 1)))
        np.testing.assert_array_equal(found["meta"]["mean"], [[1, 2, 3]])


def test_references_in_a_circle_end(tmp_path):
    with h5py.File(tmp_path / "x.mat", "w", userblock_size=512) as file:
        cells = file.create_dataset("a", (1, 1), h5py.ref_dtype)
        cells[0, 0] = cells.ref
    write_head(tmp_path / "x.mat")
    with pytest.raises(ArtifactError, match="more than 16 deep"):
        weights.read(tmp_path / "x.mat")
