import struct

import numpy as np
import pytest
import scipy.io

from twinlens import weights
from twinlens.errors import ArtifactError
from twinlens.weights import caffe


@pytest.fixture
def vdsr(realdata):
    """The published VDSR network as Caffe stores it."""
    return realdata / "weights/vdsr/VDSR_Adam.caffemodel"


# A writer of the wire format, so that the reader meets bytes that it did not make.
def varint(number: int) -> bytes:
    low, rest = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + varint(rest) if rest else bytes([low])


def field(number: int, content: bytes | int) -> bytes:
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    return varint(number << 3 | 2) + varint(len(content)) + content


def blob(values: np.ndarray) -> bytes:
    shape = field(7, field(1, b"".join(varint(side) for side in values.shape)))
    return shape + field(5, values.astype("<f4").tobytes())


def layer(name: str, *blobs: bytes) -> bytes:
    parts = field(1, name.encode()) + b"".join(field(7, b) for b in blobs)
    return field(100, parts)


def old_layer(name: str, *blobs: bytes) -> bytes:
    parts = field(4, name.encode()) + b"".join(field(6, b) for b in blobs)
    return field(2, parts)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "net.caffemodel"


def test_a_layer_comes_back_with_its_shapes_and_numbers(file):
    kernel, bias = np.arange(12.0).reshape(2, 3, 1, 2), np.array([5.0, -1.5])
    file.write_bytes(
        field(1, b"net") + layer("conv1/7x7", blob(kernel), blob(bias)) + layer("relu")
    )
    read = caffe.read(file)
    assert list(read) == ["conv1/7x7"]
    np.testing.assert_array_equal(read["conv1/7x7"][0], kernel)
    np.testing.assert_array_equal(read["conv1/7x7"][1], bias)


def test_an_old_layer_has_four_named_axes(file):
    sides = b"".join(field(i, side) for i, side in ((1, 1), (2, 1), (3, 2), (4, 3)))
    file.write_bytes(
        old_layer("ip", sides + field(5, np.arange(6, dtype="<f4").tobytes()))
    )
    np.testing.assert_array_equal(
        caffe.read(file)["ip"][0], np.arange(6.0).reshape(1, 1, 2, 3)
    )


def test_numbers_that_are_not_packed_are_read_too(file):
    loose = b"".join(b"\x2d" + struct.pack("<f", value) for value in (1.0, 2.5))
    file.write_bytes(layer("a", field(7, field(1, varint(2))) + loose))
    np.testing.assert_array_equal(caffe.read(file)["a"][0], [1.0, 2.5])


def test_doubles_stay_doubles(file):
    numbers = field(8, np.array([1 / 3]).tobytes())
    file.write_bytes(layer("a", field(7, field(1, varint(1))) + numbers))
    assert caffe.read(file)["a"][0] == np.float64(1 / 3)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"<html>not found</html>", "not a .caffemodel"),
        (field(1, b"net"), "no layers"),
        (layer("relu"), "no layer holds weights"),
        (layer("a", blob(np.ones(3)))[:-2], "cut short"),
        (layer("a", blob(np.ones(3))) * 2, "two layers"),
        (layer("a", field(7, field(1, varint(4)))), r"shape \(4,\) but 0 numbers"),
    ],
)
def test_a_bad_file_is_refused_by_name(file, content, words):
    file.write_bytes(content)
    with pytest.raises(ValueError, match=f"net.caffemodel.*{words}"):
        caffe.read(file)


def test_a_version_may_follow_the_ending(tmp_path):
    file = tmp_path / "tsn.caffemodel.v5"
    file.write_bytes(layer("a", blob(np.ones(3))))
    assert list(weights.read(file)) == ["a"]


def test_an_unknown_kind_is_refused_with_those_known(tmp_path):
    file = tmp_path / "notes.txt"
    file.write_text("hello")
    with pytest.raises(ArtifactError, match=r"notes.txt.*\.caffemodel.*\.pth"):
        weights.read(file)


def test_the_published_vdsr_has_twenty_layers_and_665921_parameters(vdsr):
    read = caffe.read(vdsr)
    assert list(read) == [f"conv{i}" for i in range(1, 21)]
    assert sum(b.size for blobs in read.values() for b in blobs) == 665_921
    assert [b.shape for b in read["conv20"]] == [(1, 64, 3, 3), (1,)]


def test_the_published_vdsr_equals_its_matlab_twin(vdsr):
    model = scipy.io.loadmat(vdsr.with_suffix(".mat"))["model"]
    twin = model["weight"][0, 0][0, 4]  # row, column, in, out
    (kernel, _) = caffe.read(vdsr)["conv5"]  # out, in, column, row
    np.testing.assert_array_equal(kernel.transpose(3, 2, 1, 0), twin)
