"""The literal profile on a real Slurm: equal tables, and each fault once.

A fault hits a training that is stopped (SIGSTOP) as soon as it runs, so that it is at
work for as long as the fault takes. After each one the network is the same to the byte.
"""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from tests.slurm import cluster as slurm
from tests.workflow import trainings
from tests.workflow.checkout import command, copy, environment
from tests.workflow.store import FEW, assert_same_scores, through

TABLE = "results/table3.csv"
NETWORK = "results/tiny/networks/sr/trained/sosr.h5"
CONFIG = "config/tiny.yaml"
PROFILE = ("--profile", "slurm", "--slurm-partition-config", "slurm/partitions.yaml")

REQUIRED = "TWINLENS_SLURM" in os.environ
"""Whether these tests are asked for, and must not be skipped."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.slurm,
    pytest.mark.skipif(
        bool(slurm.missing()) and not REQUIRED,
        reason=f"Slurm needs {', '.join(slurm.missing())}",
    ),
]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    try:
        with slurm.running(tmp_path_factory.mktemp("slurm") / "root") as found:
            yield found
    except slurm.NotStartedError as error:
        if REQUIRED:
            raise
        pytest.skip(f"Slurm's own daemons don't start on this machine: {error}")


@pytest.fixture(scope="module")
def expected(done):
    return (done / NETWORK).read_bytes()


class Run:
    """A run of the workflow on the cluster."""

    def __init__(self, cluster, folder, *words, configs=(CONFIG,)):
        self.cluster, self.folder = cluster, folder
        self.log = folder / "run.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                command(*words, *PROFILE, "--configfile", *configs),
                cwd=folder,
                env={**environment(folder), **cluster.client},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def said(self):
        return self.log.read_text()

    def end(self, seconds=3600):
        """Wait for its end, which must be a good one."""
        code = self.process.wait(seconds)
        assert code == 0, self.said[-6000:]
        return self.said

    def training(self):
        """The process of its training, once it is there, stopped."""
        found = self.wait_for_training()
        found.suspend()
        return found

    def wait_for_training(self):
        """The process of its training, once it is there."""
        self.cluster.wait(lambda: self._running() or trainings.running(self.folder))
        self._running()
        return trainings.running(self.folder)[0]

    def _running(self):
        assert self.process.poll() is None, self.said[-6000:]


@pytest.fixture(scope="module")
def finished(cluster, done, tmp_path_factory):
    """The tiny world, made by the cluster from the start, with both recognisers."""
    folder = copy(tmp_path_factory.mktemp("world") / "checkout")
    run = Run(cluster, folder, TABLE, "results/table4.csv")
    run.end()
    return folder


def test_tables_are_equal_to_those_of_this_machine(finished, done):
    for name in ("table3", "table4"):
        for ending in (".csv", "_long.csv", ".md", ".tex"):
            path = f"results/{name}{ending}"
            assert (finished / path).read_bytes() == (done / path).read_bytes(), path


def test_the_first_words_are_of_the_work(finished):
    """Nothing of accounts that were guessed, nothing that looks like an error."""
    first, *others = (finished / "run.log").read_text().splitlines()
    assert first.startswith("Using profiles slurm and workflow specific profile")
    assert not [line for line in others if "account" in line.lower()]
    assert any(re.match(r"submitted .* as Slurm job \d+$", line) for line in others)


def test_jobs_ask_for_what_they_use(finished, cluster):
    lines = cluster(
        "sacct", "-X", "-P", "-n", "-o", "Comment,Partition,ReqTRES,NNodes"
    ).splitlines()
    asked = {line.split("|")[0].split("_wildcards")[0]: line for line in lines}
    assert "|cpu|" in asked["rule_frames"]
    assert "mem=16" in asked["rule_frames"]
    assert {line.rsplit("|", 1)[1] for line in lines} == {"1"}
    assert not {"rule_classes", "rule_manifest", "rule_table"} & asked.keys()


def test_nodes_that_share_no_artifact_make_the_same_table(cluster, done, tmp_path):
    """They take them from a store to a disk of their own, and bring theirs there."""
    if not shutil.which("rsync"):
        pytest.skip("the store needs rsync")
    if not cluster.has_scratch:
        pytest.skip("mounts are not allowed here, so that nodes share all disks")
    folder, store = copy(tmp_path / "checkout"), tmp_path / "store"
    (folder / "few.yaml").write_text(FEW)
    # A job removes its copies at its end; others on its node may still read theirs.
    disk = ["--remote-job-local-storage-prefix", f"{cluster.scratch}/$SLURM_JOB_ID"]
    words = [*through(store), *disk]
    said = Run(cluster, folder, TABLE, *words, configs=(CONFIG, "few.yaml")).end()
    assert "AGAIN" not in said
    assert_same_scores(store, done)
    disks = cluster.root.glob("spool/*/scratch")
    assert len([disk for disk in disks if any(disk.iterdir())]) > 1
    assert not any(cluster.scratch.iterdir())


@pytest.fixture(scope="module")
def world(done, tmp_path_factory):
    """The tiny world, made by this machine, in a folder of its own."""
    folder = tmp_path_factory.mktemp("faults") / "checkout"
    return Path(shutil.copytree(done, folder, symlinks=True))


@pytest.fixture
def folder(world):
    """That world without one network, which the next run trains again."""
    for path in (world / NETWORK).parent.glob("*sosr.*"):
        path.unlink()
    return world


@pytest.fixture
def start(cluster, folder):
    """Start a run that trains the network; what is left of it ends with the test."""
    runs = []

    def begin(*words, **options):
        runs.append(Run(cluster, folder, NETWORK, *words, **options))
        return runs[-1]

    yield begin
    for run in runs:
        if run.process.poll() is None:
            os.killpg(run.process.pid, signal.SIGKILL)
    cluster("scancel", "--user=root")
    cluster.wait(lambda: not cluster.jobs("R", "CG", "PD"))
    end_left_over(folder)
    for node in cluster("sinfo", "-h", "-N", "-t", "down", "-o", "%N").split():
        cluster("scontrol", "update", f"node={node}", "state=resume")


def end_left_over(folder):
    """End what a node left running that is down to Slurm alone."""
    for process in psutil.process_iter(["cmdline"]):
        if str(folder) in " ".join(process.info["cmdline"] or []):
            with contextlib.suppress(psutil.Error):
                process.kill()


def requeued(cluster):
    """Wait until the job is in the queue again, and let it start in half a minute.

    Slurm gives its processes two minutes to end; if some live on, it holds the job.
    """
    cluster.wait(lambda: cluster.jobs("PD"))
    (job,) = cluster.jobs("PD")
    cluster("scontrol", "update", f"job={job}", "starttime=now+30")


def steps_cancelled(cluster):
    """How often nodes logged SIGTERM to a job's step, warnings included."""
    logs = [path.read_text() for path in cluster.log.glob("slurmd-*.log")]
    return len(re.findall(r"STEP \S+ ON \S+ CANCELLED", "".join(logs)))


def same(folder, expected):
    return (folder / NETWORK).read_bytes() == expected


def test_a_cancelled_job_is_submitted_again(cluster, folder, start, expected):
    run = start()
    run.training()
    cluster("scancel", *cluster.jobs("R"))
    said = run.end()
    assert "'CANCELLED'" in said
    assert "AGAIN train_sr sosr" in said
    assert same(folder, expected)


@contextlib.contextmanager
def partition(cluster, state):
    """The partition of CPUs in a state; afterwards it is up."""
    cluster("scontrol", "update", "partition=cpu", f"state={state}")
    try:
        yield
    finally:
        cluster("scontrol", "update", "partition=cpu", "state=up")


def test_a_partition_that_is_down_is_waited_for(cluster, folder, start, expected):
    with partition(cluster, "down"):
        run = start()
        cluster.wait(lambda: "does not start" in run.said)
        assert "Slurm's reason is PartitionDown" in run.said
        assert cluster.jobs("PD")
    run.end()
    assert same(folder, expected)


def test_a_drained_partition_refuses_and_the_same_command_goes_on(
    cluster, folder, start, expected
):
    with partition(cluster, "drain"):
        run = start()
        assert run.process.wait(3600) != 0
        assert "FAILED train_sr: SLURM sbatch failed." in run.said
        assert "Required partition not available" in run.said
    start().end()
    assert same(folder, expected)


def test_a_job_over_its_time_gets_more(cluster, folder, start, expected):
    more = "train_sr:runtime=1 * attempt * attempt"
    run = start("--set-resources", more, "train_sr:slurm_extra=''")
    run.training()
    said = run.end()
    assert "SLURM status is: 'TIMEOUT'" in said
    assert "DUE TO TIME LIMIT" in said
    assert "AGAIN train_sr sosr" in said
    assert same(folder, expected)


def test_a_training_is_warned_before_its_time_is_over(cluster, folder, start, expected):
    # These words replace the profile's, which has the same signal.
    warned = "train_sr:slurm_extra='--signal=TERM@90'"
    before = steps_cancelled(cluster)
    run = start("--set-resources", "train_sr:runtime=3 * attempt", warned)
    training = run.wait_for_training()
    trainings.suspend_when_it_saves_at_sigterm(training)
    cluster.wait(lambda: steps_cancelled(cluster) > before)
    trainings.resume(training)
    said = run.end()
    assert "SIGTERM: saved at step" in said
    assert "AGAIN train_sr sosr" in said
    assert "'TIMEOUT'" not in said
    assert same(folder, expected)


def test_a_job_over_its_memory_gets_more(cluster, folder, start, expected):
    run = start("--set-resources", "train_sr:mem_mb=400 if attempt == 1 else 4000")
    said = run.end()
    assert "exceeded memory limit" in said
    assert "AGAIN train_sr sosr" in said
    assert same(folder, expected)


def test_a_node_that_goes_down_is_no_end(cluster, folder, start, expected):
    run = start()
    run.training()
    (node,) = cluster("squeue", "-h", "-t", "R", "-o", "%N").split()
    cluster("scontrol", "update", f"node={node}", "state=down", "reason=test")
    requeued(cluster)
    run.end()
    assert same(folder, expected)


def test_a_requeued_job_goes_on(cluster, folder, start, expected):
    run = start()
    run.training()
    cluster("scontrol", "requeue", *cluster.jobs("R"))
    requeued(cluster)
    run.end()
    assert same(folder, expected)


def test_a_held_job_is_named_and_released(cluster, folder, start, expected):
    with partition(cluster, "down"):
        run = start()
        cluster.wait(lambda: cluster.jobs("PD"))
        (job,) = cluster.jobs("PD")
        cluster("scontrol", "hold", job)
    cluster.wait(lambda: f"job {job} is held (JobHeld" in run.said, 600)
    cluster("scontrol", "release", job)
    run.end()
    assert same(folder, expected)


def test_slurm_s_own_controller_may_be_away(cluster, folder, start, expected):
    run = start()
    training = run.training()
    cluster.end("slurmctld")
    time.sleep(15)
    training.resume()
    cluster.start_controller()
    run.end()
    assert same(folder, expected)


def test_after_a_kill_the_same_command_waits_for_its_job(
    cluster, folder, start, expected
):
    """A terminal that is lost ends the run in the same way."""
    run = start()
    training = run.training()
    (job,) = cluster.jobs("R")
    run.process.send_signal(signal.SIGKILL)
    run.process.wait()
    again = start()
    cluster.wait(lambda: f"(`scancel {job}` ends them" in again.said)
    training.resume()
    said = again.end()
    assert f"earlier run here are still in Slurm's queue: {job};" in said
    assert "submitted" not in said  # its output was taken
    assert same(folder, expected)


def test_after_a_lost_allocation_the_same_command_goes_on(
    cluster, folder, start, expected
):
    run = start()
    run.training()
    run.process.send_signal(signal.SIGKILL)
    cluster("scancel", "--user=root")
    assert "submitted train_sr sosr" in start().end()
    assert same(folder, expected)


def test_what_sbatch_refuses_is_shown(folder, start):
    run = start("--set-resources", "train_sr:slurm_partition='none'", "--retries", "0")
    assert run.process.wait(3600) != 0
    assert "invalid partition specified: none" in run.said
    assert "sbatch call" not in run.said


def test_several_gpus_are_of_one_machine(cluster, folder, start):
    (folder / "gpus.yaml").write_text("resources: {gpus: 2, threads: 1}\n")
    run = start("--forcerun", "train_sr", configs=(CONFIG, "gpus.yaml"))
    cluster.wait(lambda: cluster.jobs("R", "PD", "CG") or run.process.poll())
    form = "Partition,NumNodes,NumCPUs,tres-per-job"
    asked = cluster("squeue", "-h", "-O", form).splitlines()
    assert asked[0].split() == ["gpu", "1", "2", "gres:gpu:2"], run.said
