"""Write the config's JSON schema and its reference page from the typed world.

    python -m twinlens.plan.reference

run in a checkout, writes `workflow/schemas/config.schema.yaml` (for editors that
complete YAML) and `docs/config.md`.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml
from pydantic import TypeAdapter

from twinlens.plan.check import PLUGINS
from twinlens.plan.world import describe_inherited, json_schema

SCHEMA = Path("workflow/schemas/config.schema.yaml")
PAGE = Path("docs/config.md")
NOTE = "Written by `python -m twinlens.plan.reference` from `twinlens.plan.world`."
HEAD = f"""# Every key of the config

{NOTE}

Overlays (`--configfile`) merge into `config.yaml`: mappings key by key, lists as a
whole. Unknown keys are errors. Relative paths start from `data`.
"""


def schema() -> dict[str, Any]:
    """The JSON schema of a world, plug-ins included."""
    found = json_schema()
    for section, package in PLUGINS.items():
        options = []
        for kind in package.names():
            own = _named_apart(package.module(kind), kind)
            found["$defs"] |= own.pop("$defs", {})
            found["$defs"][f"{section}__{kind}"] = own
            options.append({"$ref": f"#/$defs/{section}__{kind}"})
        entries = {"additionalProperties": {"anyOf": options}, "type": "object"}
        about = found["properties"][section].get("description", "")
        found["properties"][section] = entries | {"description": about}
    return found


def _named_apart(module: ModuleType, kind: str) -> dict[str, Any]:
    """The schema of a plug-in, whose definitions begin with its name."""
    given = TypeAdapter(module.Settings).json_schema()
    classes = [each for each in vars(module).values() if isinstance(each, type)]
    describe_inherited(given.get("$defs", {}), classes)
    text = json.dumps(given)
    own: dict[str, Any] = json.loads(text.replace('"#/$defs/', f'"#/$defs/{kind}__'))
    own["$defs"] = {
        f"{kind}__{name}": node for name, node in own.pop("$defs", {}).items()
    }
    return own


def page() -> str:
    """The reference page: a table for each section and for each kind of entry."""
    whole = schema()
    lines = [HEAD, *_table("The world", whole, whole)]
    for name, node in sorted(whole["$defs"].items()):
        if "properties" in node:
            lines += _table(name.replace("__", ": "), node, whole)
    return "\n".join(lines)


def _table(
    title: str, node: Mapping[str, Any], whole: Mapping[str, Any]
) -> Iterator[str]:
    """A heading, what it is, and a row for each key."""
    yield f"## {title}\n"
    if about := node.get("description"):
        yield f"{_line(about)}\n"
    yield "| Key | Type | Default | Meaning |\n| --- | --- | --- | --- |"
    required = node.get("required", [])
    for key, entry in node["properties"].items():
        default = "required" if key in required else _default(entry)
        about = _line(entry.get("description", ""))
        yield f"| `{key}` | {_kind(entry)} | {default} | {about} |"
    yield ""


def _line(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _default(entry: Mapping[str, Any]) -> str:
    if "default" not in entry:
        return "`{}`" if entry.get("type") == "object" else ""
    return f"`{json.dumps(entry['default'], ensure_ascii=False)}`"


def _kind(entry: Mapping[str, Any]) -> str:
    """A schema's type in words."""
    if "$ref" in entry:
        name = entry["$ref"].rpartition("/")[2].replace("__", ": ")
        return f"[{name}](#{name.lower().replace(': ', '-')})"
    if "anyOf" in entry:
        return " or ".join(_kind(each) for each in entry["anyOf"])
    if "enum" in entry or "const" in entry:
        return ", ".join(
            f"`{each}`" for each in entry.get("enum", [entry.get("const")])
        )
    if entry.get("type") == "array":
        inner = entry.get("prefixItems") or [entry.get("items", {})]
        return f"list of {', '.join(dict.fromkeys(_kind(each) for each in inner))}"
    if entry.get("type") == "object":
        others = [*entry.get("patternProperties", {}).values()]
        others += [entry.get("additionalProperties")]
        inner = next((each for each in others if isinstance(each, dict)), None)
        return f"mapping to {_bracketed(_kind(inner))}" if inner else "mapping"
    return _range(entry)


def _bracketed(kind: str) -> str:
    return f"({kind})" if " or " in kind else kind


def _range(entry: Mapping[str, Any]) -> str:
    signs = {
        "minimum": "≥ ",
        "exclusiveMinimum": "> ",
        "maximum": "≤ ",
        "exclusiveMaximum": "< ",
        "multipleOf": "multiple of ",
    }
    limits = [f"{sign}{entry[key]:g}" for key, sign in signs.items() if key in entry]
    kind = {"string": "text", "boolean": "true, false"}.get(
        entry.get("type", "any"), entry.get("type", "any")
    )
    return ", ".join([kind, *limits])


def write() -> None:
    """Write both files."""
    text = yaml.safe_dump(schema(), sort_keys=False, allow_unicode=True)
    SCHEMA.write_text(f"# {NOTE}\n{text}", encoding="utf-8")
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    write()
