# What the rules share: the plan of the world, the environment of jobs. No rules here.

import functools
import os
import shlex
import sys
import time

from snakemake.exceptions import WorkflowError
from snakemake.settings.types import DeploymentMethod

SRC = Path(workflow.basedir) / "src"
sys.path.insert(0, str(SRC))
if not workflow.is_main_process:
    # Without their descriptions, settings are imported in a third of the time.
    os.environ.setdefault("TWINLENS_MASTER", "0")

from twinlens import decoder, doctor, dry_run, endings, errors, runs, slurm
from twinlens.assets import needs
from twinlens.plan import Plan, builds, code
from twinlens.settings import as_json

try:
    looks = workflow.output_settings.dryrun or not runs.with_jobs(sys.argv)
    if workflow.is_main_process and runs.begin(looks=looks) and not looks:
        slurm.wait_for_jobs(Path.cwd())
    plan = Plan.of(config)
    if workflow.is_main_process:
        decoder.version()  # else its error comes with the traceback of a rule
except errors.ArtifactError as error:
    raise WorkflowError(str(error))
except errors.ConfigError as error:
    given = workflow.overwrite_configfiles  # they come last, and stand first here
    files = [*workflow.configfiles[len(given) :], *given]
    raise WorkflowError(f"{error}\n  (config: {', then '.join(map(str, files))})")
if missing := workflow.is_main_process and needs.missing(plan):
    hint = "what is published comes by twinlens fetch, --config as --configfile here"
    raise WorkflowError("\n  ".join(["missing, all at once:", *missing, hint]))

STARTED = time.time()
WORLD = plan.root
if plan.gpus and workflow.local_exec and "gpu" not in workflow.global_resources:
    # Else Snakemake takes any number for there, and all jobs would share the first.
    workflow.register_resource("gpu", plan.gpus)
ENV = str(Path(workflow.basedir) / "envs/twinlens.yaml")
DEPLOYED = {DeploymentMethod.CONDA, DeploymentMethod.APPTAINER} & set(
    workflow.deployment_settings.deployment_method
)
IMAGE = str(Path(workflow.basedir) / "containers/twinlens.sif")

# Jobs import this source with this Python, and end when the workflow ends. A prefix of
# one's own replaces Snakemake's strict mode, and `| tee` needs that. A cluster sends
# SIGTERM to all processes of a job: shell and `tee` wait for the one that saves its
# state, which would be killed when they are gone. The variables are glibc's: freed
# memory is kept for the next tensors. By default each large one is asked of the system
# anew, which cost up to a quarter of a network's time on a processor.
MEMORY = "MALLOC_MMAP_THRESHOLD_=33554432 MALLOC_TRIM_THRESHOLD_=536870912"
MEMORY += " MALLOC_TOP_PAD_=67108864"
PREFIX = (
    "set -euo pipefail; trap : TERM; tee() {{ trap '' TERM; exec tee \"$@\"; }}; "
    f"export PYTHONPATH={shlex.quote(str(SRC))}"
    f" TWINLENS_MASTER=$PPID PYDANTIC_DISABLE_PLUGINS=__all__ {MEMORY}; "
)
if not plan.gpus:  # a job that asked for none sees none
    PREFIX += "export CUDA_VISIBLE_DEVICES=; "
if not DEPLOYED:
    PREFIX += f"export PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH; "
shell.prefix(PREFIX)


wildcard_constraints:
    dataset="|".join(plan.world.datasets),
    method="|".join(plan.world.methods),
    reader="|".join(["all", *plan.world.select.recognisers]),
    recogniser="|".join(plan.world.select.recognisers),
    flow="|".join(plan.world.flows),
    table="|".join(plan.tables.names),
    figure="|".join(plan.tables.figures),
    family="sr|recogniser|flow|perceptual",
    gap=r"\d+",
    part="train|test|corpus",
    shard=r"\d\d",
    around=r"(-near\d+)?",
    patches="|".join(plan.world.patches),
    row=r"[a-z][a-z0-9_]*(\+[a-z][a-z0-9_]*)?",
    key="[a-z][a-z0-9_]*",
    network=r"(starts/)?[a-z][a-z0-9_-]*",


def temp_unless_kept(path):
    """A path that goes after its last use, unless the world keeps everything."""
    return path if plan.world.keep else temp(path)


onstart:
    # With a limit of jobs a second, Snakemake 9 starts another timer at each look at the
    # ready jobs, and all go on while some are ready: after 170 jobs the looks, each at
    # every input file, took a quarter of a core. A limit that a user gave stays.
    limit = workflow.scheduling_settings.max_jobs_per_timespan
    if limit and (limit.max_jobs, limit.timespan) == (100, 1):
        workflow.scheduler.job_rate_limiter = None
    if executor := sys.modules.get("snakemake_executor_plugin_slurm"):
        slurm.follow(executor)
    from twinlens.networks import live  # with numpy, for which no job need wait

    # On a cluster the jobs' machines are others than this one.
    here = doctor.machine(plan) if workflow.local_exec else []
    if found := [*doctor.installation(), *live.faults(), *here]:
        raise WorkflowError("missing, all at once:\n  " + "\n  ".join(found))
    if faults := builds.faults(plan):
        raise WorkflowError("the config can't be used:\n  " + "\n  ".join(faults))


onsuccess:
    endings.print_tables(plan, STARTED)
    endings.remove_checkpoints(plan)


onerror:
    endings.report_failures(log)
