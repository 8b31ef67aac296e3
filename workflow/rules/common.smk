# What the rules share: the checked config, paths, look-ups. No rules here.

import functools
import json
import re
import shlex
import sys
import time

import yaml
from snakemake.exceptions import WorkflowError
from snakemake.settings.types import DeploymentMethod

SRC = Path(workflow.basedir) / "src"
sys.path.insert(0, str(SRC))

from twinlens import config as checks
from twinlens import doctor, errors, models, provenance, weights
from twinlens.media import scan, sets

with open(Path(workflow.basedir) / "workflow/schemas/config.schema.yaml") as file:
    SCHEMA = yaml.safe_load(file)
if found := checks.problems(config, SCHEMA):
    raise WorkflowError("the config can't be used:\n  " + "\n  ".join(found))
config.update(checks.located(config))
if found := doctor.assets(config):
    raise WorkflowError("missing, all at once:\n  " + "\n  ".join(found))

STARTED = time.time()
W = f"results/{config['world']}"
DATASETS = config["select"]["datasets"]
METHODS = config["select"]["methods"]
STREAMS = checks.STREAMS
RECOGNISER = config["recogniser"]
# Of each method that a table shows, the streams that are scored.
READ = checks.streams_read(config)


# Of glibc: freed memory is kept for the next tensors. By default each large one is asked
# of the system anew, which cost up to a quarter of a network's time on a processor.
MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": 32 << 20,
    "MALLOC_TRIM_THRESHOLD_": 512 << 20,
    "MALLOC_TOP_PAD_": 64 << 20,
}


def prefix():
    """Jobs import this source with this Python, and end when the workflow ends."""
    # A prefix of one's own replaces Snakemake's strict mode, and `| tee` needs that.
    words = ["set -euo pipefail"]
    words.append(f"export PYTHONPATH={shlex.quote(str(SRC))} TWINLENS_MASTER=$PPID")
    words.append("export " + " ".join(f"{key}={each}" for key, each in MEMORY.items()))
    if DeploymentMethod.CONDA not in workflow.deployment_settings.deployment_method:
        tools = shlex.quote(str(Path(sys.executable).parent))
        words.append(f"export PATH={tools}:$PATH")
    return "; ".join(words) + "; "


shell.prefix(prefix())


wildcard_constraints:
    dataset="|".join(config["datasets"]),
    method="|".join(config["methods"]),
    part="train|test|corpus",
    shard=r"\d\d",
    around=r"(-near\d+|-whole)?",
    motion=r"\w+-\d+",
    patches="|".join(config["patches"]),
    network=r"(starts/)?[a-z][a-z0-9_]*",
    stream="|".join(STREAMS),


def passing(path):
    """A path that goes after its last use, unless the world keeps everything."""
    return path if config["keep"] else temp(path)


def settings(dataset):
    """A data set's entry, with the folders of a generated one."""
    entry = {"seed": config["seed"], **config["datasets"][dataset]}
    if "generated" in entry:
        folder = f"{W}/data/{dataset}"
        entry = {"videos": f"{folder}/videos", "splits": f"{folder}/splits"} | entry
    return entry


# Keys of a data set that decide nothing about its clips: changing them reruns nothing.
ASIDE = {"label", "max_rejected", "shards", "low", "generated", "frames", "pairs"}


def settings_json(wildcards):
    """What of a data set's entry decides its clips, for the command line."""
    entry = settings(wildcards.dataset).items()
    kept = {key: value for key, value in entry if key not in ASIDE}
    if "limits" in kept:
        limits = kept["limits"].items()
        kept["limits"] = {key: each for key, each in limits if key != "seconds"}
    return json.dumps(kept, sort_keys=True)


def decoding_seconds(wildcards):
    """What the decoding of one file may take: it decides nothing about a clip."""
    return settings(wildcards.dataset).get("limits", {}).get("seconds", 300)


def generated_json(wildcards):
    """What to generate, for the command line."""
    return json.dumps(
        config["datasets"][wildcards.dataset]["generated"], sort_keys=True
    )


def shard_count(dataset, part):
    """How many shards a part of a data set is cut into."""
    return config["datasets"][dataset].get("shards", {}).get(part, 1)


def shard_numbers(dataset, part):
    """The names of a part's shards."""
    return [f"{number:02d}" for number in range(shard_count(dataset, part))]


def parts(dataset):
    """The parts of a data set that this world reads."""
    if config["datasets"][dataset]["kind"] == "corpus":
        return ["corpus"]
    return ["test"] if has_weights(dataset) else ["train", "test"]


# Sampling of test and training clips are apart: a change of one redoes none of the other.
SAMPLING = {
    "test": ("snippets", "stack"),
    "train": ("segments", "positions", "stack"),
    "corpus": (),
}


def sampling(part):
    """How clips of a part are sampled, for the command line."""
    return json.dumps({key: RECOGNISER["sampling"][key] for key in SAMPLING[part]})


def protocol(wildcards):
    """The sampling of the job's part."""
    return sampling(wildcards.part)


def views(*aside):
    """How frames become network inputs, less what the job does not use."""
    kept = {
        key: value for key, value in RECOGNISER["views"].items() if key not in aside
    }
    return json.dumps(kept, sort_keys=True)


def has_weights(dataset):
    """Whether the config gives the recogniser's weights."""
    return dataset in RECOGNISER.get("weights", {})


def generated_files(wildcards):
    """The list of a generated data set's files; nothing for one that is there."""
    if "generated" in config["datasets"][wildcards.dataset]:
        return f"{W}/data/{wildcards.dataset}/generated.csv"
    return []


FINGERPRINTS = {}


def fingerprint(wildcards):
    """Digest of the shard's video files, so that a swapped file is noticed."""
    dataset = wildcards.dataset
    if "generated" in config["datasets"][dataset]:
        return "generated"
    return listed(dataset)[wildcards.part, int(wildcards.shard)]


def given_file(path):
    """Size, time and ends of a published file, so that a swapped one is noticed."""
    return scan.file_fingerprint(Path(path)) if path else ""


def class_names(wildcards):
    """The data set's classes where they are known before it runs."""
    if "generated" in config["datasets"][wildcards.dataset]:
        return "generated"
    return listed(wildcards.dataset)["classes"]


def listed(dataset):
    """Digests of a data set's shards and its classes, listed once."""
    if dataset not in FINGERPRINTS:
        counts = {
            part: shard_count(dataset, part) for part in ("train", "test", "corpus")
        }
        try:
            FINGERPRINTS[dataset] = scan.fingerprints(settings(dataset), counts)
            kind = settings(dataset)["kind"]
            names = sets.listing(kind, settings(dataset)).classes
            FINGERPRINTS[dataset]["classes"] = names
        except errors.DataError as error:
            raise WorkflowError(f"datasets.{dataset}: {error}")
    return FINGERPRINTS[dataset]


def code(*modules):
    """Digest of the code that a job imports, for its params."""
    return provenance.code_digest(*(f"twinlens.{module}" for module in modules))


def seed(*names):
    """A stage's seed."""
    return provenance.seed(config["seed"], *names)
