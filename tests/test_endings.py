"""What happens after a run of the workflow."""

from types import SimpleNamespace

from tests.training import runs
from twinlens import endings
from twinlens.artifacts import reader


def test_checkpoints_of_recorded_networks_go_and_others_stay(tmp_path):
    folder = tmp_path / "networks/sr/trained"
    runs.train(folder, name="sosr")
    identity = reader.file_id(folder / "sosr.h5")[:12]
    recorded = folder / f".sosr.h5.{identity}.checkpoint"
    other_settings = folder / ".sosr.h5.0123456789ab.checkpoint"
    unfinished = folder / ".vdsr.h5.0123456789ab.checkpoint"
    damaged = folder / ".rrn.h5.0123456789ab.checkpoint"
    (folder / "rrn.h5").write_bytes(b"cut")
    for path in (recorded, other_settings, unfinished, damaged):
        path.touch()
    endings.remove_checkpoints(SimpleNamespace(root=str(tmp_path)))
    assert not recorded.exists()
    assert other_settings.exists()
    assert unfinished.exists()
    assert damaged.exists()
    assert (folder / "sosr.h5").exists()
