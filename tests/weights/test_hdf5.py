import errno
import os

import h5py
import numpy as np
import pytest

from twinlens import weights
from twinlens.weights import hdf5, matlab


@pytest.mark.parametrize("name", ["net.caffemodel.h5", "net.h5"])
def test_every_data_set_comes_back_by_its_way(tmp_path, name):
    kernel = np.arange(12.0, dtype=np.float32).reshape(2, 3, 1, 2)
    with h5py.File(tmp_path / name, "w") as file:
        file["data/conv1/0"] = kernel
        file["data/conv1/1"] = np.float64(3)
        file.create_group("data/relu")
    found = weights.read(tmp_path / name)
    assert sorted(found) == ["data/conv1/0", "data/conv1/1"]
    assert found["data/conv1/0"].dtype == np.float32
    np.testing.assert_array_equal(found["data/conv1/0"], kernel)
    assert found["data/conv1/1"].shape == ()


def test_a_bad_file_is_refused_by_name(tmp_path):
    (tmp_path / "net.h5").write_bytes(b"no HDF5")
    with pytest.raises(ValueError, match=r"net\.h5: not an HDF5 file"):
        hdf5.read(tmp_path / "net.h5")


def test_a_file_without_data_is_refused(tmp_path):
    h5py.File(tmp_path / "net.h5", "w").close()
    with pytest.raises(ValueError, match=r"net\.h5: holds no data sets"):
        hdf5.read(tmp_path / "net.h5")


@pytest.mark.parametrize("read", [hdf5.read, matlab.read])
def test_a_disk_that_refuses_is_no_damaged_file(tmp_path, monkeypatch, read):
    with h5py.File(tmp_path / "net.mat", "w") as file:
        file["layer"] = np.ones(3)

    def refuse(*_, **__):
        raise RuntimeError("Can't read (errno = 5, error message = 'I/O')")

    monkeypatch.setattr(h5py.File, "__init__", refuse)
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        read(tmp_path / "net.mat")
