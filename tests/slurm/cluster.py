"""A real Slurm on this machine: four emulated nodes, two partitions, accounting.

Each node has a scratch disk of its own, at the same path, where mounts are allowed.

Needs root and the packages that `install` installs. Everything listens on loopback and
lives in one folder; what was started is ended by its pid.
"""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

PROGRAMS = ("slurmctld", "slurmd", "sbatch", "slurmdbd", "munged", "mariadbd")
NODES = ("n1", "n2", "n3", "n4")
APART = ("unshare", "--mount", "sh", "-c")
"""Runs a command whose mounts no other process sees."""
PORT = 26817
"""slurmctld's; slurmdbd, the database and the nodes have the next ones."""
SECONDS_TO_START = 600
"""A limit for what hangs: it takes a few."""


def missing() -> list[str]:
    """Programs that are not installed, or what else is in the way."""
    path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    found = [name for name in PROGRAMS if not shutil.which(name, path=path)]
    return found if os.geteuid() == 0 else [*found, "root"]


class Cluster:
    """The cluster in a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.log = root / "log"
        self.scratch = root / "scratch"
        self.has_scratch = False
        self.environment = {
            **os.environ,
            "PATH": f"{root}/bin:{os.environ['PATH']}:/usr/sbin:/sbin",
            "SLURM_CONF": str(root / "slurm.conf"),
        }

    # --- starting

    def start(self) -> None:
        """Start all daemons, and wait until the nodes are idle."""
        for name in ("log", "state", "spool", "munge", "bin", "dev", "run"):
            (self.root / name).mkdir(parents=True)
        self.root.chmod(0o755)
        self._write_files()
        self._start_munge()
        self._start_accounting()
        self.start_controller()
        self.scratch.mkdir()
        mount = f"mount --bind {self.log} {self.scratch}"
        self.has_scratch = self._works(*APART, mount)
        for name in NODES:
            self._start_node(name)
        self.wait(lambda: self("sinfo", "-h", "-o", "%D %t") == "4 idle")

    def _write_files(self) -> None:
        self._write("slurm.conf", self._slurm_conf())
        devices = [self.root / f"dev/gpu{index}" for index in range(2)]
        for device in devices:
            device.touch()  # a GPU that is none
        self._write(
            "gres.conf", f"NodeName=n4 Name=gpu File={self.root}/dev/gpu[0-1]\n"
        )
        # The job's own srun is called without SLURM_CONF, see the executor's job step.
        srun = self.root / "bin/srun"
        conf = self.environment["SLURM_CONF"]
        srun.write_text(f'#!/bin/sh\nSLURM_CONF={conf} exec /usr/bin/srun "$@"\n')
        srun.chmod(0o755)
        self._write(
            "slurmdbd.conf",
            f"AuthType=auth/munge\nAuthInfo=socket={self.root}/munge/socket\n"
            f"DbdHost=localhost\nDbdAddr=127.0.0.1\nDbdPort={PORT + 1}\n"
            f"SlurmUser=root\nLogFile={self.log}/slurmdbd.log\nPidFile={self.root}/run/slurmdbd.pid\n"
            "StorageType=accounting_storage/mysql\nStorageHost=127.0.0.1\n"
            f"StoragePort={PORT + 2}\nStorageUser=slurm\nStoragePass=slurm\n",
        )
        (self.root / "slurmdbd.conf").chmod(0o600)

    def _write(self, name: str, text: str) -> None:
        (self.root / name).write_text(text)

    def _slurm_conf(self) -> str:
        host = socket.gethostname().partition(".")[0]
        lines = [
            "ClusterName=test",
            f"SlurmctldHost={host}(127.0.0.1)",
            f"SlurmctldPort={PORT}",
            "SlurmUser=root",
            "SlurmdUser=root",
            "AuthType=auth/munge",
            f"AuthInfo=socket={self.root}/munge/socket",
            "CommunicationParameters=NoInAddrAny,NoCtldInAddrAny",
            f"StateSaveLocation={self.root}/state",
            f"SlurmdSpoolDir={self.root}/spool/%n",
            f"SlurmctldPidFile={self.root}/run/slurmctld.pid",
            f"SlurmdPidFile={self.root}/run/slurmd-%n.pid",
            f"SlurmctldLogFile={self.log}/slurmctld.log",
            f"SlurmdLogFile={self.log}/slurmd-%n.log",
            "ProctrackType=proctrack/linuxproc",
            "TaskPlugin=task/none",
            "MpiDefault=none",
            "SlurmdParameters=config_overrides",  # nodes claim more than there is
            "ReturnToService=2",
            "SelectType=select/cons_tres",
            "SelectTypeParameters=CR_CPU_Memory",
            # Memory is enforced without cgroups: by looking, each second.
            "JobAcctGatherType=jobacct_gather/linux",
            "JobAcctGatherFrequency=task=1",
            "JobAcctGatherParams=OverMemoryKill",
            "SchedulerParameters=batch_sched_delay=0,bf_interval=1,sched_min_interval=0",
            "EnforcePartLimits=ALL",
            "KillWait=5",
            "MinJobAge=300",
            "AccountingStorageType=accounting_storage/slurmdbd",
            "AccountingStorageHost=127.0.0.1",
            f"AccountingStoragePort={PORT + 1}",
            f"AccountingStoragePass={self.root}/munge/socket",
            "AccountingStorageTRES=gres/gpu",
            "AccountingStoreFlags=job_comment",
            "GresTypes=gpu",
        ]
        for number, name in enumerate(NODES):
            lines.append(
                f"NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1"
                f" Port={PORT + 10 + number} CPUs=2 RealMemory=64000"
                + (" Gres=gpu:2" if name == NODES[-1] else "")
            )
        lines += [
            "PartitionName=cpu Nodes=n[1-3] Default=YES MaxTime=2-00 State=UP",
            "PartitionName=gpu Nodes=n4 MaxTime=2-00 State=UP",
        ]
        return "\n".join(lines) + "\n"

    def _start_munge(self) -> None:
        folder = self.root / "munge"
        (folder / "key").write_bytes(os.urandom(128))
        (folder / "key").chmod(0o600)
        folder.chmod(0o711)
        files = {"key-file": "munge/key", "socket": "munge/socket"}
        files |= {"pid-file": "run/munged.pid", "log-file": "log/munged.log"}
        files |= {"seed-file": "munge/seed"}
        options = [f"--{name}={self.root / path}" for name, path in files.items()]
        self._daemon("munged", *options, "--force")
        self.wait(lambda: self._works("munge", "-n", "-S", str(folder / "socket")))

    def _start_accounting(self) -> None:
        data, sock = self.root / "database", self.root / "run/mysql.sock"
        temporary = self.root / "temporary"
        temporary.mkdir()
        base = ["--no-defaults", "--user=root", f"--datadir={data}"]
        base.append(f"--tmpdir={temporary}")  # in /tmp, two servers' tables collide
        plain = ["--skip-test-db", "--auth-root-authentication-method=normal"]
        self._run(["mariadb-install-db", *base, *plain])
        server = ["mariadbd", *base, "--bind-address=127.0.0.1", f"--port={PORT + 2}"]
        server += [f"--socket={sock}", f"--pid-file={self.root}/run/mariadbd.pid"]
        with (self.log / "mariadbd.log").open("w") as log:
            subprocess.Popen(server, stdout=log, stderr=log, start_new_session=True)
        client = ["mariadb", "--no-defaults", "-S", str(sock), "-u", "root", "-e"]
        self.wait(lambda: self._works(*client, "select 1"))
        grant = "grant all on slurm_acct_db.* to 'slurm'@'{}' identified by 'slurm'"
        users = [grant.format(host) for host in ("localhost", "127.0.0.1")]
        self._run([*client, "; ".join(["create database slurm_acct_db", *users])])
        self._daemon("slurmdbd")
        self.wait(lambda: self._works("sacctmgr", "-n", "list", "cluster"))
        for words in ("cluster test", "account test", "user root account=test"):
            self._works("sacctmgr", "-i", "add", *words.split())

    def start_controller(self) -> None:
        """Start slurmctld, again if it was ended."""
        self._daemon("slurmctld")
        self.wait(lambda: self._works("scontrol", "ping"))

    def _start_node(self, name: str) -> None:
        """Start a node, with its own scratch disk if that can be had."""
        disk = self.root / "spool" / name / "scratch"
        disk.mkdir(parents=True)
        start = ["slurmd", "-N", name]
        if self.has_scratch:
            mount = f"mount --bind {disk} {self.scratch}"
            start = [*APART, f"{mount} && exec {' '.join(start)}"]
        self._daemon(*start)

    def _daemon(self, *words: str) -> None:
        self._run(list(words))

    def _run(self, words: list[str]) -> str:
        done = subprocess.run(
            words, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def _works(self, *words: str) -> bool:
        done = subprocess.run(
            words, env=self.environment, capture_output=True, check=False
        )
        return done.returncode == 0

    def wait(self, condition, seconds=SECONDS_TO_START) -> None:
        """Wait until a condition holds."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"Slurm did not get there: {self.log}"
            time.sleep(0.2)

    # --- using

    @property
    def client(self) -> dict[str, str]:
        """What a process needs in its environment to ask this cluster."""
        return {name: self.environment[name] for name in ("PATH", "SLURM_CONF")}

    def __call__(self, *words: str) -> str:
        """What a command of Slurm prints."""
        return self._run(list(words))

    def jobs(self, *states: str) -> list[str]:
        """Ids of jobs in the queue, in some states only."""
        chosen = ["-t", ",".join(states)] if states else []
        return self("squeue", "-h", "-o", "%A", *chosen).split()

    # --- ending

    def end(self, name: str) -> None:
        """End a daemon by its pid, if the pid is still that program's."""
        path = self.root / f"run/{name}.pid"
        program = name.partition("-")[0]
        try:
            process = psutil.Process(int(path.read_text()))
            if process.name().startswith(program[:15]):
                process.terminate()
                process.wait(60)
        except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
            return
        except psutil.TimeoutExpired:
            process.kill()
        finally:
            path.unlink(missing_ok=True)

    def stop(self) -> None:
        """End jobs and daemons."""
        if self._works("scontrol", "ping"):
            self("scancel", "--user=root")
            self.wait(lambda: not self.jobs("R", "CG", "PD"), 60)
        for name in NODES:
            self.end(f"slurmd-{name}")
        for name in ("slurmctld", "slurmdbd", "mariadbd", "munged"):
            self.end(name)


class NotStartedError(RuntimeError):
    """The machine does not let Slurm's daemons run, which is no fault of a workflow."""


@contextmanager
def running(root: Path) -> Iterator[Cluster]:
    """A cluster that runs for a block.

    Raises:
        NotStartedError: its daemons don't start.
    """
    cluster = Cluster(root)
    try:
        try:
            cluster.start()
        except (AssertionError, OSError) as error:
            raise NotStartedError(str(error)) from error
        yield cluster
    finally:
        cluster.stop()
