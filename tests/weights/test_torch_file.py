import os
import pickle
import sys
import tarfile
import types
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from twinlens import weights
from twinlens.weights import inert, torch_file

pytestmark = [
    pytest.mark.filterwarnings("ignore:Detected pickle protocol"),
    pytest.mark.filterwarnings("ignore:Couldn't retrieve source code"),
]

both_containers = pytest.mark.parametrize("zipped", [True, False])


def save(content: object, file: Path, zipped: bool = True) -> Path:
    torch.save(content, file, _use_new_zipfile_serialization=zipped)
    return file


@pytest.fixture
def foreign_network(monkeypatch):
    """A network whose class can be imported while it is saved, and not afterwards."""
    module = types.ModuleType("foreign_code")

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU())
            self.half = nn.Linear(4, 2, bias=False, dtype=torch.bfloat16)

    Net.__module__, Net.__qualname__, module.Net = "foreign_code", "Net", Net
    monkeypatch.setitem(sys.modules, "foreign_code", module)
    yield Net()
    assert "foreign_code" not in sys.modules


class Evil:
    """Writes a file when something that unpickles it runs what it asks for."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return os.system, (f"touch {self.mark}",)


def assert_same(read: dict, state: dict) -> None:
    """Half precision, of either kind, is read as single."""
    assert list(read) == list(state)
    for name, tensor in state.items():
        half = tensor.dtype in (torch.float16, torch.bfloat16)
        expected = tensor.float() if half else tensor
        torch.testing.assert_close(read[name], expected, rtol=0, atol=0)


@both_containers
def test_a_state_dict_comes_back(tmp_path, zipped):
    state = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)).state_dict()
    assert_same(torch_file.read(save(state, tmp_path / "a.pth", zipped)), state)


@pytest.mark.parametrize("wrapper", torch_file.WRAPPERS)
def test_a_checkpoint_is_unwrapped(tmp_path, wrapper):
    state = {"module.a.weight": torch.ones(2)}
    checkpoint = {"epoch": 3, "best": torch.tensor(0.5), wrapper: state}
    assert_same(weights.read(save(checkpoint, tmp_path / "a.pth.tar")), state)


@both_containers
def test_a_whole_network_is_read_without_its_class(tmp_path, foreign_network, zipped):
    state = foreign_network.state_dict()
    file = save({"epoch": 1, "model": foreign_network}, tmp_path / "a.pth", zipped)
    del sys.modules["foreign_code"]
    assert_same(torch_file.read(file), state)


@both_containers
def test_views_of_one_storage_are_rebuilt_as_they_were(
    tmp_path, foreign_network, zipped
):
    table = torch.arange(12.0).reshape(3, 4)
    foreign_network.half = None
    foreign_network.body = None
    foreign_network.register_buffer("turned", table.T)
    foreign_network.register_buffer("part", table[1:, 2:])
    file = save(foreign_network, tmp_path / "a.pth", zipped)
    del sys.modules["foreign_code"]
    assert_same(torch_file.read(file), {"turned": table.T, "part": table[1:, 2:]})


@both_containers
def test_a_file_that_asks_for_a_command_is_refused_and_nothing_runs(tmp_path, zipped):
    mark = tmp_path / "ran"
    content = {"w": torch.ones(2), "trap": Evil(mark)}
    file = save(content, tmp_path / "a.pth", zipped)
    with pytest.raises(ValueError, match=r"a\.pth.*asks to call .*\.system"):
        torch_file.read(file)
    assert not mark.exists()


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_bare_pickle_that_asks_for_a_command_is_refused(tmp_path, protocol):
    mark, file = tmp_path / "ran", tmp_path / "a.pth"
    file.write_bytes(pickle.dumps(Evil(mark), protocol))
    with pytest.raises(ValueError, match=r"asks to call .*\.system"):
        torch_file.read(file)
    assert not mark.exists()


def test_an_unknown_way_of_rebuilding_tensors_is_refused(tmp_path):
    class Odd:
        def __reduce__(self):
            return torch._utils._rebuild_qtensor, (1,)

    file = save({"w": torch.ones(2), "odd": Odd()}, tmp_path / "a.pth")
    with pytest.raises(ValueError, match="_rebuild_qtensor"):
        torch_file.read(file)


def test_a_pickle_cannot_change_the_reader_itself(tmp_path):
    # It asks for a known function and then, instead of a call, for new attributes.
    raw = b"\x80\x02ctorch._utils\n_rebuild_tensor\n}U\x08__code__K\x01sb."
    (tmp_path / "a.pth").write_bytes(raw)
    with pytest.raises(ValueError, match="not readable"):
        torch_file.read(tmp_path / "a.pth")
    assert not vars(inert._tensor)


def test_a_tensor_may_not_reach_beyond_its_storage():
    with pytest.raises(RuntimeError, match="out of bounds"):
        inert._tensor(torch.zeros(4)._typed_storage(), 2, (3,), (1,))


@both_containers
def test_a_file_cut_short_is_refused(tmp_path, zipped):
    file = save({"w": torch.ones(1000)}, tmp_path / "a.pth", zipped)
    file.write_bytes(file.read_bytes()[:-500])
    with pytest.raises(ValueError, match=r"a\.pth: not readable"):
        torch_file.read(file)


def test_a_file_of_a_big_endian_machine_is_read(tmp_path, foreign_network):
    foreign_network.body = None
    little = save(foreign_network, tmp_path / "little.pth")
    del sys.modules["foreign_code"]
    records = records_of(little)
    (name,) = (each for each in records if "/data/" in each)
    records[name] = bytes(swapped(records[name], 2))
    records[next(each for each in records if each.endswith("byteorder"))] = b"big"
    write_records(tmp_path / "big.pth", records)
    assert_same(torch_file.read(tmp_path / "big.pth"), foreign_network.state_dict())


def records_of(file: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write_records(file: Path, records: dict[str, bytes]) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        for name, raw in records.items():
            archive.writestr(name, raw)


def swapped(raw: bytes, width: int) -> bytes:
    return np.frombuffer(raw, f"u{width}").byteswap().tobytes()


def test_a_torchscript_program_is_refused_and_not_run(tmp_path, monkeypatch):
    def run(*_, **__):
        pytest.fail("it was given to TorchScript's loader")

    monkeypatch.setattr(torch.jit, "load", run)
    records = records_of(save({"w": torch.ones(2)}, tmp_path / "a.pth"))
    folder = next(iter(records)).split("/")[0]
    write_records(
        tmp_path / "a.pt", {**records, f"{folder}/constants.pkl": b"\x80\x02)."}
    )
    with pytest.raises(ValueError, match=r"a\.pt: .* TorchScript program"):
        torch_file.read(tmp_path / "a.pt")


def test_a_tar_file_is_refused_and_not_unpacked(tmp_path, monkeypatch):
    (tmp_path / "storages").write_bytes(pickle.dumps(0))
    with tarfile.open(tmp_path / "a.pth", "w") as archive:
        archive.add(tmp_path / "storages", "storages")
    monkeypatch.setattr(tarfile.TarFile, "extract", lambda *_: pytest.fail("unpacked"))
    with pytest.raises(ValueError, match=r"a\.pth: not readable"):
        torch_file.read(tmp_path / "a.pth")


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04 no archive"])
def test_something_else_is_refused(tmp_path, content):
    (tmp_path / "a.pth").write_bytes(content)
    with pytest.raises(ValueError, match=r"a\.pth: not readable"):
        torch_file.read(tmp_path / "a.pth")


def test_an_object_that_contains_itself_is_refused(tmp_path):
    endless: dict[str, object] = {}
    endless["again"] = endless
    with pytest.raises(ValueError, match="contains itself"):
        torch_file.read(save(endless, tmp_path / "a.pth"))


def test_a_missing_file_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError):
        torch_file.read(tmp_path / "a.pth")


def test_a_file_without_tensors_is_refused(tmp_path):
    with pytest.raises(ValueError, match="holds no tensors"):
        torch_file.read(save(OrderedDict(epoch=3), tmp_path / "a.pth"))


def test_the_kind_is_reported_by_the_first_bytes_when_the_name_says_nothing(tmp_path):
    state = {"w": torch.ones(2)}
    assert_same(weights.read(save(state, tmp_path / "new")), state)
    assert_same(weights.read(save(state, tmp_path / "old", zipped=False)), state)


def test_the_published_vdsr_network_is_read_without_its_code(realdata):
    file = realdata / "weights/vdsr/pytorch-vdsr_model_epoch_50.pth"
    read = weights.read(file)
    blocks = [f"residual_layer.{i}.conv.weight" for i in range(18)]
    assert sorted(read) == sorted(["input.weight", *blocks, "output.weight"])
    assert sum(tensor.numel() for tensor in read.values()) == 664_704
    assert read["input.weight"].shape == (64, 1, 3, 3)
    assert "vdsr" not in sys.modules
