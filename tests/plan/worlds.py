"""Worlds for tests: the default config with some values changed."""

import copy
from pathlib import Path

import yaml

import twinlens
from twinlens.errors import ConfigError
from twinlens.plan import Plan, overlays
from twinlens.plan.check import load

ROOT = Path(twinlens.__file__).resolve().parents[2]
DEFAULT = yaml.safe_load((ROOT / "config.yaml").read_text())
OVERLAYS = sorted((ROOT / "config").glob("*.yaml"))


def changed(**changes):
    """The default config with values at dotted paths, `__` for a dot."""
    config = copy.deepcopy(DEFAULT)
    for path, value in changes.items():
        *parents, last = path.split("__")
        entry = config
        for key in parents:
            entry = entry.setdefault(key, {})
        entry[last] = value
    return config


def problems_of(config):
    """The faults of a config, a line each."""
    try:
        load(config)
    except ConfigError as error:
        return error.lines
    return []


def problems(**changes):
    return problems_of(changed(**changes))


def plan(**changes):
    return Plan.of(changed(**changes))


def merged(*names):
    """The default config under overlays of the folder config."""
    return overlays.merged(
        [ROOT / "config.yaml", *(ROOT / f"config/{n}" for n in names)]
    )


def only(*methods):
    """Changes after which some rows are shown, and no ablation."""
    none = {f"select__{table}": None for table in ("table2", "table2_flow")}
    return {"select__methods": list(methods), **none}
