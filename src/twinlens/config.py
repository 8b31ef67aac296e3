"""Check a config before anything runs: all that is wrong with it, in words."""

import copy
import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import jsonschema

from twinlens import models
from twinlens.media import sets

STREAMS = ("spatial", "temporal")


def located(config: dict[str, Any]) -> dict[str, Any]:
    """The config with its relative data paths put below the folder `data`.

    Folders and files of data sets, weights, the image network; `~` is understood.
    """
    made = copy.deepcopy(config)
    root = Path(made["data"]).expanduser()

    def place(entry: dict[str, Any], keys: Iterable[str]) -> None:
        for key in keys:
            if entry.get(key):
                entry[key] = str((root / Path(entry[key]).expanduser()).resolve())

    given = made["recogniser"].get("weights") or {}
    made["recogniser"]["weights"] = {name: each for name, each in given.items() if each}
    for entry in made["datasets"].values():
        place(entry, ("videos", "splits", "split_file"))
    place(made["recogniser"], ("init",))
    for streams in made["recogniser"]["weights"].values():
        place(streams, STREAMS)
    return made


def problems(config: Mapping[str, Any], schema: Mapping[str, Any]) -> list[str]:
    """Everything that is wrong with a config.

    Args:
        config: the merged config.
        schema: a JSON schema (draft 2020-12).

    Returns:
        A line for each problem: where it is, what it is, the nearest known key.
    """
    validator = jsonschema.Draft202012Validator(schema)
    errors = sorted(validator.iter_errors(config), key=lambda error: list(error.path))
    found = [line for error in errors for line in _lines(error)]
    return found or list(_across(config))


def _lines(error: jsonschema.ValidationError) -> Iterator[str]:
    where = ".".join(map(str, error.absolute_path)) or "the config"
    if error.validator == "additionalProperties" and "properties" in error.schema:
        known = list(error.schema["properties"])
        for key in error.instance:
            if key not in known:
                yield f"{where}: unknown key {key!r}{_nearest(key, known)}"
        return
    about = (
        error.schema.get("description", "") if isinstance(error.schema, dict) else ""
    )
    yield f"{where}: {error.message}" + (f" ({about})" if about else "")


def _nearest(word: object, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(str(word), known, n=1, cutoff=0.5)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; there are: {', '.join(sorted(known))}"


def _across(config: Mapping[str, Any]) -> Iterator[str]:
    """What no single key shows: names that lead nowhere."""
    for what in ("datasets", "methods"):
        known = list(config[what])
        for name in config["select"][what]:
            if name not in known:
                yield f"select.{what}: {name!r} is not defined{_nearest(name, known)}"
    for name, method in config["methods"].items():
        yield from _method(name, method, config["methods"])
    for name, entry in config["datasets"].items():
        yield from _dataset(name, entry, config)
    yield from _recogniser(config)


def _dataset(
    name: str, entry: Mapping[str, Any], config: Mapping[str, Any]
) -> Iterator[str]:
    where, kind = f"datasets.{name}", entry["kind"]
    if kind not in sets.names():
        yield f"{where}.kind: no kind {kind!r}{_nearest(kind, sets.names())}"
    if name not in config["select"]["datasets"]:
        return
    if kind == "corpus":
        yield f"select.datasets: {name!r} is a corpus: it has no classes to recognise"
    weights = (config["recogniser"].get("weights") or {}).get(name)
    if entry.get("low") == "given" and not weights and "split_file" not in entry:
        yield (
            f"{where}: `low: given` needs split_file (training clips of full"
            " resolution, test clips of low) or recogniser.weights"
        )
    if "generated" not in entry and not config["recogniser"]["views"].get("size"):
        yield (
            "recogniser.views.size: real videos of any size need one to be brought to,"
            " such as [256, 192] with crop 160"
        )
    for stream, file in (weights or {}).items():
        split = re.search(r"split_?(\d)", Path(file).name)
        if split and int(split.group(1)) != entry.get("split", 1):
            yield (
                f"recogniser.weights.{name}.{stream}: {Path(file).name} was trained on"
                f" clips that split {entry.get('split', 1)} tests"
            )


def _method(
    name: str, method: Mapping[str, Any], methods: Mapping[str, Mapping[str, Any]]
) -> Iterator[str]:
    paired = {"spatial", "temporal"} & set(method)
    if paired and ("model" in method or len(paired) < 2):
        yield f"methods.{name}: a pair names spatial and temporal, and no model"
    if not paired and "model" not in method and name != "hr":
        yield f"methods.{name}: names no model"
    if "model" in method and method["model"] not in models.names():
        near = _nearest(method["model"], models.names())
        yield f"methods.{name}.model: no model {method['model']!r}{near}"
    for stream in sorted(paired):
        chosen = method[stream]
        if chosen not in methods:
            near = _nearest(chosen, list(methods))
            yield f"methods.{name}.{stream}: {chosen!r} is not defined{near}"
        elif {"spatial", "temporal"} & set(methods[chosen]):
            yield f"methods.{name}.{stream}: {chosen!r} is a pair itself"


def _recogniser(config: Mapping[str, Any]) -> Iterator[str]:
    recogniser = config["recogniser"]
    folder = Path(__file__).parent / "recognition" / "backbones"
    known = sorted(path.stem for path in folder.glob("[a-z]*.py"))
    if recogniser["backbone"] not in known:
        near = _nearest(recogniser["backbone"], known)
        yield f"recogniser.backbone: no {recogniser['backbone']!r}{near}"
    views = recogniser["views"]
    if views.get("size") and min(views["size"]) < views["crop"]:
        yield "recogniser.views: crop is larger than size"
    known = list(config["datasets"])
    for name in recogniser.get("weights") or {}:
        if name not in known:
            yield f"recogniser.weights: unknown key {name!r}{_nearest(name, known)}"
    known = [*STREAMS, *known]
    for name in recogniser["training"]:
        if name not in known:
            yield f"recogniser.training: unknown key {name!r}{_nearest(name, known)}"
