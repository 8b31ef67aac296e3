import h5py
import numpy as np
import pytest

from twinlens import weights


def test_data_sets_are_named_by_their_path(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["params/one"] = np.arange(3.0)
        file["two"] = np.ones((2, 2))
    found = weights.read(tmp_path / "x.h5")
    assert sorted(found) == ["params/one", "two"]
    np.testing.assert_array_equal(found["params/one"], [0, 1, 2])


def test_a_file_of_another_kind_is_refused(tmp_path):
    (tmp_path / "x.h5").write_bytes(b"no HDF5" * 100)
    with pytest.raises(ValueError, match=r"x\.h5: not HDF5, or cut short"):
        weights.read(tmp_path / "x.h5")


def test_a_file_without_arrays_is_refused(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_group("params")
    with pytest.raises(ValueError, match=r"x\.h5: holds no data sets"):
        weights.read(tmp_path / "x.h5")
