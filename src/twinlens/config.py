"""Check a config before anything runs: all that is wrong with it, in words."""

import copy
import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import jsonschema

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
                entry[key] = str(root / Path(entry[key]).expanduser())

    for entry in made["datasets"].values():
        place(entry, ("videos", "splits", "split_file"))
    place(made["recogniser"], ("init",))
    for streams in made["recogniser"].get("weights", {}).values():
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
        yield from _method(name, method, list(config["methods"]))
    yield from _recogniser(config)


def _method(
    name: str, method: Mapping[str, Any], known: Sequence[str]
) -> Iterator[str]:
    paired = {"spatial", "temporal"} & set(method)
    if paired and ("model" in method or len(paired) < 2):
        yield f"methods.{name}: a pair names spatial and temporal, and no model"
    if not paired and "model" not in method and name != "hr":
        yield f"methods.{name}: names no model"
    for stream in sorted(paired):
        if method[stream] not in known:
            near = _nearest(method[stream], known)
            yield f"methods.{name}.{stream}: {method[stream]!r} is not defined{near}"


def _recogniser(config: Mapping[str, Any]) -> Iterator[str]:
    views = config["recogniser"]["views"]
    if views.get("size") and min(views["size"]) < views["crop"]:
        yield "recogniser.views: crop is larger than size"
    for name in config["recogniser"].get("weights", {}):
        if name not in config["datasets"]:
            near = _nearest(name, list(config["datasets"]))
            yield f"recogniser.weights: {name!r} is no data set{near}"
