"""A plan for commands outside the workflow: configs merged as Snakemake merges them."""

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from twinlens import provenance
from twinlens.errors import ConfigError
from twinlens.plan import Plan

OWN = Path("config.yaml")


def plan(overlays: Sequence[Path], data: str | None = None) -> Plan:
    """Plan the world that the workflow would make in this folder.

    Args:
        overlays: config files, each over the ones before and over `bases`.
        data: folder of the data; None for the config's.

    Raises:
        ConfigError: a file can't be read, or the config can't be used.
    """
    config = merged([*bases(), *overlays])
    return Plan.of({**config, "data": data or config.get("data", "data")})


def bases() -> list[Path]:
    """List the default config, and over it that of this folder if it is another."""
    default = provenance.SOURCE.parent / "config.yaml"
    if not default.is_file():  # installed without the workflow
        return [OWN]
    here = OWN.is_file() and not OWN.samefile(default)
    return [default, OWN] if here else [default]


def merged(paths: Sequence[Path]) -> dict[str, Any]:
    """Merge configs one over the other.

    Raises:
        ConfigError: a file can't be read, or is no YAML mapping.
    """
    found: dict[str, Any] = {}
    for path in paths:
        _merge(found, _loaded(path))
    return found


def _loaded(path: Path) -> dict[str, Any]:
    try:
        loaded = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        lost = isinstance(error, FileNotFoundError) and path == OWN
        hint = ": run it in the folder of config.yaml" if lost else ""
        raise ConfigError([f"{path}: {error}{hint}"]) from error
    if not isinstance(loaded, dict):
        raise ConfigError([f"{path}: no mapping of keys to values"])
    return loaded


def _merge(into: dict[str, Any], over: Mapping[str, Any]) -> None:
    for key, value in over.items():
        if isinstance(value, Mapping) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = copy.deepcopy(value)  # aliases are copies there
