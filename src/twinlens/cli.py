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
    "sr": ("sr.stage", "super_resolve", "sr", "super-resolve a shard by one method"),
    "upscale": ("sr.upscale", "upscale", "sr", "super-resolve any video file"),
    "flow": ("flow.stage", "flow", "flow", "compute TV-L1 flow of a shard"),
    "motion": ("flow.motion", "motion", "flow", "flow of originals, in pixels"),
    "patches": ("patches.stage", "patches", "patches", "cut a corpus into patches"),
    "counts": ("patches.counts", "count_patches", "patches", "count a set's patches"),
    "train-sr": (
        "training.train",
        "train_network",
        "training",
        "train a super-resolution network",
    ),
    "import-sr": (
        "training.given",
        "import_network",
        "training",
        "take published super-resolution weights",
    ),
    "train-vgg": (
        "training.glyphs",
        "train_perceptual",
        "training",
        "train a narrow perceptual network",
    ),
    "import-vgg": (
        "training.given_vgg",
        "import_perceptual",
        "training",
        "take a published VGG-16",
    ),
    "train-flow": (
        "training.flow",
        "train_flownet2",
        "training",
        "train a narrow FlowNet2",
    ),
    "import-flow": (
        "training.given_flownet2",
        "import_flownet2",
        "training",
        "take a published FlowNet2",
    ),
    "flow-error": (
        "training.flow_error",
        "flow_error",
        "training",
        "end-point error of FlowNet2 and TV-L1",
    ),
    "train": ("recognition.train", "train", "recognition", "train a stream of TSN"),
    "import": (
        "recognition.given",
        "import_weights",
        "recognition",
        "take published weights",
    ),
    "score": ("recognition.score", "score", "recognition", "score a shard's clips"),
    "quality": ("quality.stage", "judge", "quality", "PSNR, SSIM, warping error"),
    "table1": ("tables.table1", "table1", "tables", "write Table 1"),
    "table2": ("tables.table2", "table2", "tables", "write Table 2"),
    "table3": ("tables.table3", "table3", "tables", "write Table 3"),
    "table5": ("tables.table5", "table5", "tables", "write Table 5"),
    "dispersion": (
        "tables.dispersion",
        "dispersion",
        "tables",
        "how far classes lie from Bicubic",
    ),
    "quality-table": (
        "tables.quality",
        "quality_table",
        "tables",
        "write the table of quality",
    ),
    "draw-clip": (
        "figures.clip",
        "draw_clip",
        "figures",
        "draw a clip by every method",
    ),
    "draw-scatter": (
        "figures.scatter",
        "draw_scatter",
        "figures",
        "draw every class's accuracy",
    ),
    "inspect": ("inspect", "inspect", "", "look inside an artifact, draw a sheet"),
    "doctor": ("doctor", "main", "", "list all that is missing, with the mend"),
}

POSITIONAL = {"inspect", "upscale"}
"""Stages that people type; those of the workflow name every argument."""


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
    lines = [f"  {stage:<10} {STAGES[stage][3]}" for stage in stages]
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
            as_positional=stage in POSITIONAL,
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
    from twinlens import errors

    return (
        errors.ArtifactError,
        errors.DataError,
        errors.DecodingError,
        errors.RejectedError,
    )
