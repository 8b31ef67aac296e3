"""What is seen of a training while it runs."""

import errno
import struct

import numpy as np
import pandas as pd
import pytest

from tests.networks.test_trainer import STEPS, Line, train
from twinlens.artifacts import figure
from twinlens.errors import ConfigError
from twinlens.networks import live


def test_the_picture_is_there_while_it_trains_and_gone_after(tmp_path, monkeypatch):
    monkeypatch.setattr(live, "SECONDS_BETWEEN", -1.0)
    seen = []

    class Watched(Line):
        def batches(self, first):
            for batch in super().batches(first):
                seen.append((tmp_path / "line-live.png").exists())
                yield batch

    train(tmp_path, Watched)
    assert seen == [False] + [True] * (STEPS - 1)
    assert not (tmp_path / "line-live.png").exists()


def test_a_training_that_failed_leaves_its_picture(tmp_path, monkeypatch):
    monkeypatch.setattr(live, "SECONDS_BETWEEN", -1.0)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, type("Killed", (Line,), {"stop": 2}))
    assert (tmp_path / "line-live.png").read_bytes()[:4] == b"\x89PNG"


def test_pictures_change_no_number(tmp_path, monkeypatch):
    plain = train(tmp_path, name="plain")
    monkeypatch.setattr(live, "SECONDS_BETWEEN", -1.0)
    assert train(tmp_path, name="drawn").log.equals(plain.log)


def test_a_training_goes_on_where_its_picture_can_t_be_written(
    tmp_path, monkeypatch, capsys
):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    plain = train(tmp_path, name="plain")
    monkeypatch.setattr(live, "SECONDS_BETWEEN", -1.0)
    monkeypatch.setattr(figure, "write_png", full)
    monkeypatch.setattr(live, "log_rows", full)
    assert train(tmp_path, name="full").log.equals(plain.log)
    assert "nothing is shown of this training for now" in capsys.readouterr().err


def test_the_library_logs_each_row_to_csv(tmp_path, monkeypatch):
    monkeypatch.setenv("TWINLENS_LOGGER", "csv")
    log = train(tmp_path).log
    rows = pd.read_csv(tmp_path / "line-log/version_0/metrics.csv")
    assert rows["step"].tolist() == log["step"].tolist()
    for name in ("lr", "seen", "loss", "error"):
        assert np.allclose(rows[name], log[name], equal_nan=True, rtol=1e-6)


def test_the_library_logs_each_row_to_tensorboard_and_resumes(tmp_path, monkeypatch):
    monkeypatch.setenv("TWINLENS_LOGGER", "tensorboard")
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, type("Killed", (Line,), {"stop": 3}))
    log = train(tmp_path).log
    found = dict(_scalars(tmp_path / "line-log", "loss"))
    assert list(found) == list(range(STEPS))
    assert np.allclose(list(found.values()), log["loss"])
    assert [step for step, _ in _scalars(tmp_path / "line-log", "seen")] == [0, 2, 4]


def _scalars(folder, tag):
    """Step and value of each event of a tag."""
    from tensorboardX.proto.event_pb2 import Event

    (job,) = folder.iterdir()
    for path in sorted(job.glob("events.*")):
        rest = path.read_bytes()
        while rest:
            (length,) = struct.unpack("<Q", rest[:8])
            event = Event.FromString(rest[12 : 12 + length])
            rest = rest[16 + length :]
            for each in event.summary.value:
                if each.tag == tag:
                    yield event.step, each.simple_value


def test_another_logger_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("TWINLENS_LOGGER", "wandb")
    assert live.faults() == ["TWINLENS_LOGGER=wandb: use csv or tensorboard"]
    with pytest.raises(ConfigError, match="TWINLENS_LOGGER=wandb"):
        live.loggers(tmp_path / "x.h5", "id")


def test_a_logger_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setenv("TWINLENS_LOGGER", "tensorboard")
    assert live.faults() == []
    monkeypatch.setattr(live, "TENSORBOARDS", ("gone", "absent"))
    assert "pip install tensorboardX, or use csv" in live.faults()[0]
