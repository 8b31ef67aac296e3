"""The command line: every stage by its name, as `twinlens` and as `python -m`.

Stages are imported only when called, so that `--help` is quick and `doctor` needs
nothing installed.
"""

import importlib
import inspect
import json
import os
import signal
import sys
import threading
import time
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, get_args, get_type_hints


class Stage(NamedTuple):
    """A command."""

    home: str
    """Module and function below `twinlens`."""
    about: str
    """What it does, in one line."""

    @property
    def room(self) -> str:
        """The package whose `python -m` runs it; "" for none."""
        package, _, rest = self.home.partition(":")[0].partition(".")
        return package if rest else ""


STAGES = {
    "init": Stage("template:init", "write a config for a folder of your videos"),
    "generate": Stage("media.generate:generate", "generate a playground data set"),
    "frames": Stage("media.frames:frames", "decode the frames that are read"),
    "classes": Stage("media.classes:classes", "list a data set's classes"),
    "manifest": Stage("media.manifest:manifest", "join reports, check rejects"),
    "degrade": Stage("degrade.stage:degrade", "shrink frames to low resolution (x4)"),
    "sr": Stage("sr.stage:super_resolve", "super-resolve a shard by one method"),
    "upscale": Stage("sr.upscale:upscale", "super-resolve any video file"),
    "export": Stage("sr.export:export", "write a network as .safetensors or .onnx"),
    "flow": Stage("flow.stage:flow", "compute the flow of a shard"),
    "motion": Stage("flow.motion:motion", "estimate motion of originals, in pixels"),
    "flow-error": Stage("flow.error:flow_error", "end-point errors of flow estimators"),
    "patches": Stage("patches.stage:patches", "cut a corpus into patches"),
    "counts": Stage("patches.counts:count_patches", "count a set's patches"),
    "train-sr": Stage(
        "training.train:train_network", "train a super-resolution network"
    ),
    "train-flow": Stage("flow.flownet2.train:train_flownet2", "train FlowNet2"),
    "train-vgg": Stage("perceptual.train:train_perceptual", "train a narrow VGG"),
    "import-network": Stage(
        "networks.importer:import_network", "import published weights"
    ),
    "train": Stage("recognition.stage:train", "train a network of a recogniser"),
    "score": Stage("recognition.stage:score", "score a shard's clips"),
    "quality": Stage("quality.stage:measure", "PSNR, SSIM, warping error"),
    "table": Stage("tables.write:write_table", "write a table"),
    "figure": Stage("figures.draw:draw_figure", "draw a figure"),
    "rule-graph": Stage("rule_graph:draw_rules", "draw the rules of a world"),
    "explorer-media": Stage(
        "explorer.media:write_media", "write pictures of clips for the explorer"
    ),
    "explorer": Stage("explorer.page:write_explorer", "write the explorer's page"),
    "audit": Stage("audit.write:audit", "check the paper's printed numbers"),
    "fetch": Stage("assets.fetch:main", "download published files of a config"),
    "inspect": Stage("inspect.report:inspect", "look inside an artifact, draw a sheet"),
    "explain": Stage("explain:main", "from a table's cell to the raw files"),
    "why": Stage("why:main", "what made a file stale"),
    "status": Stage("status:main", "what of a world is done, begun, missing"),
    "forecast": Stage("forecast.report:main", "what a world will cost, by stage"),
    "verify": Stage("verify:main", "check a world's artifacts and their inputs"),
    "doctor": Stage("doctor:main", "list all that is missing, and how to fix it"),
}

POSITIONAL = {"export", "init", "inspect", "upscale"}
"""Stages that people type; those of the workflow name every argument."""
OWN_OPTIONS = {"doctor", "explain", "fetch", "forecast", "status", "verify", "why"}
"""Those that read their words themselves and return an exit status."""
USER_ERRORS = (
    "ArtifactError ConfigError DataError DecodingError PlanError RejectedError"
).split()
"""Errors whose text is for the user: they are shown without a traceback."""


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
    """Run `python -m twinlens.<package> ...`; a single stage needs no name."""
    stages = [stage for stage, about in STAGES.items() if about.room == name]
    words = sys.argv[1:]
    if len(stages) == 1:
        _run(stages[0], words, stages)
    elif words and words[0] not in {"-h", "--help"}:
        _run(words[0], words[1:], stages)
    else:
        print(_usage(stages))


def _usage(stages: Sequence[str] = tuple(STAGES)) -> str:
    lines = [f"  {stage:<14} {STAGES[stage].about}" for stage in stages]
    return "\n".join(
        ["usage: twinlens STAGE [--help] [--plain] [options]", "", "stages:", *lines]
    )


def _run(stage: str, words: list[str], stages: Sequence[str]) -> None:
    if stage not in stages:
        sys.exit(f"no stage {stage!r}; there are: {', '.join(stages)}")
    if "--plain" in words:
        words.remove("--plain")
        os.environ["TWINLENS_PLAIN"] = "1"
    os.environ["MPLBACKEND"] = "agg"  # a notebook's own draws in no other process
    try:
        _run_stage(stage, words)
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)


def _run_stage(stage: str, words: list[str]) -> None:
    home, _, name = STAGES[stage].home.partition(":")
    function = getattr(importlib.import_module(f"twinlens.{home}"), name)
    errors = importlib.import_module("twinlens.errors")
    try:
        if stage in OWN_OPTIONS:
            sys.exit(function(words))
        _end_with_master()
        call(function, words, stage)
    except tuple(getattr(errors, each) for each in USER_ERRORS) as error:
        sys.exit(f"twinlens {stage}: {error}")
    except OSError as error:
        if error.errno not in errors.REMEDIES:
            raise
        path = error.filename2 or error.filename or "a file"
        what = errors.refused(path, error, "read or written")
        sys.exit(f"twinlens {stage}: {what}")


def config_options(stage: str, about: str | None) -> ArgumentParser:
    """The options of a command that looks at a whole world."""
    parser = ArgumentParser(prog=f"twinlens {stage}", description=about)
    parser.add_argument(
        "--config", type=Path, nargs="*", default=[], help="overlays of config.yaml"
    )
    parser.add_argument("--data", help="folder of the data, as the config's `data`")
    return parser


def call(function: Callable[..., Any], words: Sequence[str], stage: str) -> None:
    """Call a stage's function with the command line's arguments.

    A parameter whose type is a settings class is one line of JSON.
    """
    from jsonargparse import ArgumentParser as Parser
    from jsonargparse import DefaultHelpFormatter

    class Help(DefaultHelpFormatter):
        def _expand_help(self, action: Any) -> str:
            said: str = super()._expand_help(action)
            return said.replace("<class 'Path'>", "path")

    settings = _settings(function)
    parser = Parser(
        prog=f"twinlens {stage}", description=_about(function), formatter_class=Help
    )
    parser.add_function_arguments(
        function,
        as_group=False,
        as_positional=stage in POSITIONAL,
        skip=set(settings),
    )
    for name, kind in settings.items():
        text = f"JSON of {kind.__module__}.{kind.__name__}"
        parser.add_argument(f"--{name}", type=str, required=True, help=text)
    found = parser.instantiate(parser.parse_args(joined(words, function)))
    values = {
        name: getattr(found, name) for name in inspect.signature(function).parameters
    }
    for name, kind in settings.items():
        values[name] = _validated(kind, values[name], parser.prog)
    function(**values)


def _validated(kind: type, text: str, prog: str) -> Any:
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(kind).validate_json(text)
    except ValidationError as error:
        sys.exit(f"{prog}: {error}")


def _settings(function: Callable[..., Any]) -> dict[str, type]:
    """Find the parameters of a function that are settings classes, with their types."""
    hints = get_type_hints(function)
    named = inspect.signature(function).parameters
    return {name: hints[name] for name in named if _is_settings(hints[name])}


def _is_settings(kind: Any) -> bool:
    return hasattr(kind, "__pydantic_fields__")


def _about(function: Callable[..., Any]) -> str:
    return (inspect.getdoc(function) or "").partition("\n")[0]


def joined(words: Sequence[str], function: Callable[..., Any]) -> list[str]:
    """Join words as the parser takes them: files of a list, no empty options.

    `--frames a b` of a parameter that is a list of files becomes `--frames ["a","b"]`;
    `--weights=` and `--frames=` of nothing are left out, or an empty list. `--json`
    alone, of a parameter that is true or false, is true.
    """
    hints = get_type_hints(function)
    flags = {f"--{name}" for name, hint in hints.items() if hint is bool}
    lists = {f"--{name}" for name in _lists_of_files(function)}
    found: list[str] = []
    waiting = list(words)
    while waiting:
        option, equals, value = waiting.pop(0).partition("=")
        if option in flags and not equals and waiting[:1] not in (["true"], ["false"]):
            found.append(f"{option}=true")
            continue
        if option not in lists:
            if value or not equals or not option.startswith("--"):
                found.append(f"{option}{equals}{value}")
            continue
        files = [value] if value else []
        while waiting and not waiting[0].startswith("--"):
            files.append(waiting.pop(0))
        found += [option, json.dumps(files)]
    return found


def _lists_of_files(function: Callable[..., Any]) -> list[str]:
    """Find the parameters of a function that are lists of files."""
    hints = get_type_hints(function)
    return [
        name
        for name in inspect.signature(function).parameters
        if hints[name] == list[Path] or list[Path] in get_args(hints[name])
    ]


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
