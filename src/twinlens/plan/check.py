"""Check a config before anything runs: all its faults at once, in words."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from twinlens import recognisers
from twinlens.errors import ConfigError
from twinlens.flow import estimators
from twinlens.named import nearest
from twinlens.plan.crosscheck import crosscheck
from twinlens.plan.world import World, json_schema

PLUGINS: dict[str, Any] = {"flows": estimators, "recognisers": recognisers}
"""Sections of the config whose entries are typed by the file that they name."""
UNKNOWN = {"extra_forbidden", "unexpected_keyword_argument"}
MOST_VALUES = 200_000
"""Of a config; ours have some hundred."""
LONGEST = 100
"""Characters of a wrong value that are shown."""
PLAIN = re.compile(r"-?\d+(\.\d*)?|true|false|null", re.IGNORECASE)
"""What YAML takes for a number or a truth value, and Snakemake's --config may not."""
MISSING = {"missing", "missing_argument", "missing_keyword_only_argument"}


def load(config: Mapping[str, Any]) -> World:
    """Type a config, or raise everything that is wrong with it.

    Args:
        config: the merged config, as YAML gives it.

    Raises:
        ConfigError: a line for each fault: where it is, what it is, the nearest key.
    """
    _refuse_vast(config)
    context = {"data": config.get("data", ".")}
    try:
        text = json.dumps(config, default=str)
    except TypeError as error:
        raise ConfigError([f"a key is no text: {error}; put it in quotes"]) from error
    try:
        world = World.model_validate_json(text, strict=True, context=context)
    except ValidationError as error:
        raise ConfigError(list(_lines(error, json_schema()))) from error
    world = world.model_copy(update=_plugins(world, context))
    if lines := list(crosscheck(world)):
        raise ConfigError(lines)
    return world


def _refuse_vast(config: Mapping[str, Any]) -> None:
    """Refuse a config whose anchors repeat one another without end, or nearly.

    Raises:
        ConfigError: it has more values than any config needs.
    """
    waiting: list[Any] = [config]
    for _ in range(MOST_VALUES):
        if not waiting:
            return
        value = waiting.pop()
        if isinstance(value, Mapping):
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
    raise ConfigError(
        [f"the config: more than {MOST_VALUES:,} values: anchors (&, *) repeat others"]
    )


def _plugins(world: World, context: Mapping[str, Any]) -> dict[str, Any]:
    """The sections of plug-ins, each entry typed by its own file."""
    lines: list[str] = []
    found: dict[str, dict[str, Any]] = {section: {} for section in PLUGINS}
    for section in PLUGINS:
        for name, entry in getattr(world, section).items():
            where = f"{section}.{name}"
            try:
                found[section][name] = _plugin(section, where, entry, context)
            except ConfigError as error:
                lines += error.lines
    if lines:
        raise ConfigError(lines)
    return found


def _plugin(section: str, where: str, entry: Any, context: Mapping[str, Any]) -> Any:
    kind = entry.get("kind") if isinstance(entry, dict) else None
    known = PLUGINS[section].names()
    if kind not in known:
        raise ConfigError([f"{where}.kind: no kind {kind!r}{nearest(kind, known)}"])
    adapter = TypeAdapter(PLUGINS[section].module(kind).Settings)
    try:
        text = json.dumps(entry)
        return adapter.validate_json(text, strict=True, context=dict(context))
    except ValidationError as error:
        lines = list(_lines(error, adapter.json_schema(), where))
        raise ConfigError(lines) from error


def _lines(
    error: ValidationError, schema: Mapping[str, Any], prefix: str = ""
) -> Iterator[str]:
    """A line for each key or value that is wrong; those of a union's kinds in one."""
    found: dict[tuple[str, str], list[_Fault]] = {}
    for each in error.errors():
        loc = list(each["loc"])
        key = str(loc.pop()) if each["type"] in UNKNOWN | MISSING else ""
        steps, nodes = _walk(loc, schema)
        where = ".".join([*filter(None, [prefix]), *steps]) or "the config"
        found.setdefault((where, key), []).append(_Fault(each, nodes))
    for (where, key), faults in found.items():
        yield f"{where}: {_key_words(key, faults, schema) if key else _words(faults)}"


class _Fault(NamedTuple):
    error: ErrorDetails
    nodes: list[Any]
    """The schemas of its place."""


def _key_words(key: str, faults: list[_Fault], schema: Mapping[str, Any]) -> str:
    """Words for a key that is unknown or missing."""
    error, nodes = faults[0]
    if error["type"] in MISSING:
        return f"lacks {key!r}"
    known = {
        name
        for node in nodes
        for option in _options(node, schema)
        for name in option.get("properties", {})
    }
    return f"unknown key {key!r}{nearest(key, known)}"


def _words(faults: list[_Fault]) -> str:
    """Words for a wrong value: all that it may be, and what the key means."""
    error, nodes = faults[0]
    texts = [fault.error["msg"].removeprefix("Value error, ") for fault in faults]
    value = error["input"]
    about = " ".join(nodes[0].get("description", "").split()) if nodes else ""
    shown = f"{_short(value)}: " if isinstance(value, str | int | float | None) else ""
    hint = "; write it as 1.0e-3, with point and sign" * _is_number_in_text(value)
    if error["type"] == "string_type" and isinstance(value, int | float):
        hint = _quoted(value)
    elif not hint and PLAIN.fullmatch(str(value)) and isinstance(value, str):
        hint = "; in a mapping --config gives text only: write it to a --configfile"
    return shown + ", or: ".join(texts) + (f" ({about})" if about else "") + hint


def _quoted(value: float) -> str:
    """How to write a text that YAML takes for a number or a truth value."""
    if isinstance(value, bool):
        return "; YAML reads no, off, yes and on as truth values: put it in quotes"
    return "; put it in quotes, as it is written"


def _short(value: object) -> str:
    """A value as Python writes it, long ones cut off."""
    text = repr(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def _is_number_in_text(value: object) -> bool:
    """Whether it is a number such as 1e-3, which YAML takes for text."""
    if not isinstance(value, str):
        return False
    try:
        float(value)
    except ValueError:
        return False
    return "e" in value.lower()


def _walk(
    loc: Sequence[str | int], schema: Mapping[str, Any]
) -> tuple[list[str], list[Any]]:
    """Follow an error's place through a schema.

    Returns:
        The keys on the way, without pydantic's names of the kinds of a union; and the
        schemas that hold there.
    """
    steps: list[str] = []
    nodes: list[Any] = [schema]
    for key in loc:
        options = [each for node in nodes for each in _options(node, schema)]
        if inner := [found for each in options if (found := _inside(each, key))]:
            steps.append(str(key))
            nodes = inner
    return steps, nodes


def _options(node: Mapping[str, Any], schema: Mapping[str, Any]) -> list[Any]:
    """What a schema may stand for, references and unions resolved."""
    if "$ref" in node:
        name = node["$ref"].rpartition("/")[2]
        return _options(schema["$defs"][name], schema)
    if "anyOf" in node:
        return [found for each in node["anyOf"] for found in _options(each, schema)]
    return [node]


def _inside(node: Mapping[str, Any], key: str | int) -> Any:
    """The schema of a key or an index, None where there is none."""
    if isinstance(key, int):
        listed = node.get("prefixItems", [])
        return listed[key] if key < len(listed) else node.get("items")
    patterns = list(node.get("patternProperties", {}).values())
    others = [*patterns, node.get("additionalProperties")]
    found = (each for each in others if isinstance(each, dict))
    return node.get("properties", {}).get(key, next(found, None))
