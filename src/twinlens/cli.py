"""The command line: every stage by its name, as `twinlens` and as `python -m`.

Stages are imported only when called, so that `--help` is quick and `doctor` needs
nothing installed.
"""

import importlib
import os
import sys
import threading
import time
from collections.abc import Sequence

# Command: (module, function, room, one line). A room's `python -m` runs its commands.
STAGES = {
    "generate": ("media.generate", "generate", "media", "make a playground data set"),
    "frames": ("media.frames", "frames", "media", "decode the frames that are read"),
    "classes": ("media.classes", "classes", "media", "list a data set's classes"),
    "manifest": ("media.manifest", "manifest", "media", "join reports, check rejects"),
    "degrade": ("degrade.stage", "degrade", "degrade", "make low resolution (x4)"),
    "sr": ("sr.stage", "enlarge", "sr", "super-resolve a shard by one method"),
    "flow": ("flow.stage", "flow", "flow", "compute TV-L1 flow of a shard"),
    "train": ("recognition.train", "train", "recognition", "train a stream of TSN"),
    "import": (
        "recognition.given",
        "import_weights",
        "recognition",
        "take published weights",
    ),
    "score": ("recognition.score", "score", "recognition", "score a shard's clips"),
    "table3": ("tables.table3", "table3", "tables", "write Table 3"),
    "inspect": ("inspect", "inspect", "", "look inside an artifact, draw a sheet"),
    "doctor": ("doctor", "main", "", "list all that is missing, with the mend"),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run `twinlens <stage> --option value ...`."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or words[0] in {"-h", "--help"}:
        print(_usage())
        return
    if words[0] == "--version":
        print(importlib.import_module("twinlens").__version__)
        return
    _run(words[0], words[1:], list(STAGES))


def room(name: str) -> None:
    """Run `python -m twinlens.<room> ...`; one of a single stage needs no name."""
    stages = [stage for stage, about in STAGES.items() if about[2] == name]
    words = sys.argv[1:]
    if len(stages) == 1:
        _run(stages[0], words, stages)
    elif words and words[0] not in {"-h", "--help"}:
        _run(words[0], words[1:], stages)
    else:
        print(_usage(stages))


def _usage(stages: Sequence[str] = tuple(STAGES)) -> str:
    lines = [f"  {stage:<9} {STAGES[stage][3]}" for stage in stages]
    return "\n".join(
        ["usage: twinlens STAGE [--help] [--plain] [options]", "", "stages:", *lines]
    )


def _run(stage: str, words: list[str], stages: Sequence[str]) -> None:
    if stage not in stages:
        sys.exit(f"no stage {stage!r}; there are: {', '.join(stages)}")
    if "--plain" in words:
        words.remove("--plain")
        os.environ["TWINLENS_PLAIN"] = "1"
    module, function, _, _ = STAGES[stage]
    made = importlib.import_module(f"twinlens.{module}")
    if stage == "doctor":
        sys.exit(made.main(words))
    _end_with_master()
    from jsonargparse import auto_cli

    try:
        auto_cli(
            getattr(made, function),
            args=words,
            as_positional=stage == "inspect",
            prog=f"twinlens {stage}",
        )
    except _told() as error:
        sys.exit(f"twinlens {stage}: {error}")


def _end_with_master() -> None:
    """End when the workflow that started this job is gone: orphans would write on."""
    master = int(os.environ.get("TWINLENS_MASTER", "0"))

    def watch() -> None:
        while True:
            time.sleep(2)
            try:
                os.kill(master, 0)
            except OSError:
                os._exit(1)

    if master:
        threading.Thread(target=watch, daemon=True).start()


def _told() -> tuple[type[Exception], ...]:
    """Errors whose text is for the user: no stack trace helps there."""
    from twinlens.formats import ArtifactError
    from twinlens.media.sets import DataError

    return ArtifactError, DataError
