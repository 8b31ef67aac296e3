"""SIGTERM to all processes of a job, as a cluster sends it before it kills them."""

import shutil
import signal
import subprocess
import time

import psutil
import pytest

from tests.workflow import trainings
from tests.workflow.checkout import TINY, command, environment, snakemake

NETWORK = "results/tiny/networks/sr/trained/sosr.h5"

pytestmark = pytest.mark.slow


def test_a_job_lasts_until_its_training_has_saved(done, tmp_path):
    folder = tmp_path / "checkout"
    shutil.copytree(done, folder, symlinks=True)
    expected = (folder / NETWORK).read_bytes()
    for path in (folder / NETWORK).parent.glob("*sosr.*"):
        path.unlink()
    with (folder / "run.log").open("w") as log:
        run = subprocess.Popen(
            command(NETWORK, *TINY),
            cwd=folder,
            env=environment(folder),
            stdout=log,
            stderr=log,
        )
    while not (found := trainings.running(folder)):
        assert run.poll() is None, (folder / "run.log").read_text()
        time.sleep(0.1)
    trainings.suspend_when_it_saves_at_sigterm(found[0])
    shell = found[0].parent()
    assert shell.name() == "bash"
    others = [each for each in shell.children() if each != found[0]]
    for process in (*others, shell, found[0]):
        process.send_signal(signal.SIGTERM)
    time.sleep(3)
    assert all(each.status() == psutil.STATUS_SLEEPING for each in (shell, *others))
    trainings.resume(found[0])
    assert run.wait(3600) != 0
    assert "FAILED train_sr: sosr: SIGTERM: saved" in (folder / "run.log").read_text()
    snakemake(folder, NETWORK, *TINY)
    assert (folder / NETWORK).read_bytes() == expected
