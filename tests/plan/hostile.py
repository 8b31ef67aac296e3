"""Configs with hostile values in any place, by hand or from a test.

    python -m tests.plan.hostile [--trials 2000] [--seed 0]

Each trial puts one to three values into the default or the tiny config and plans the
world as the Snakefile does: the config is refused in words, or every target of `all` is
planned. Printed are the trials that raised anything else, took longer than the limit,
or were refused in more than `MOST_LETTERS`: there must be none.
"""

import argparse
import copy
import random
import signal
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.plan.worlds import DEFAULT, merged
from twinlens.assets import needs
from twinlens.errors import ConfigError
from twinlens.plan import Plan

FACTORS = (0, 0.01, 0.5, 2, 3, 10, 1000, 10**6, -1)
"""Of numbers, which are often accepted then."""
SECONDS = 20
MOST_LETTERS = 20_000
HOSTILE: list[Any] = [
    *(0, -1, 1, 2, 3, 10**6, 10**12, 2**63, -(2**70), 10**400),
    *(1e-9, -0.5, 0.5, 1.0, 1e300, float("inf"), float("-inf"), float("nan")),
    *(True, False, None, [], {}, [None], [[]], {"": ""}, {1: 2}, [0, 0], [-1, 1]),
    *("", " ", "x", "hr", "a/b", "../..", "~nobody", "~", "/dev/zero", "no\nline"),
    *("a|b", "nul\0", "é", "é", "x" * 10_000, "(a+)+$", "[", "%", "{x}", "${HOME}"),
    *("1e5", "1_000", "nan", "NaN", "true", "null", "2019-01-01", "$(id)", "'; ls"),
    [list(range(1000))],
    {"kind": "x"},
    {"a": {"b": {"c": {"d": [1, 2, {"e": None}]}}}},
    ["bicubic", "bicubic"],
    ["hr"],
    [1.0, float("nan")],
]


def places(entry: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths to all entries of a config, inner ones and leaves."""
    if path:
        yield path
    if isinstance(entry, dict):
        for key, value in entry.items():
            yield from places(value, (*path, key))
    elif isinstance(entry, list):
        for number, value in enumerate(entry):
            yield from places(value, (*path, number))


def at(config: Any, path: tuple[Any, ...]) -> Any:
    """Look an entry up."""
    for key in path:
        config = config[key]
    return config


def put(config: Any, path: tuple[Any, ...], value: Any) -> None:
    """Replace an entry, or add it."""
    *parents, last = path
    at(config, tuple(parents))[last] = copy.deepcopy(value)


def drawn(seed: int) -> tuple[Any, list[str]]:
    """A config, and what was put where."""
    rng = random.Random(seed)
    config = copy.deepcopy(rng.choice([DEFAULT, merged("tiny.yaml")]))
    said: list[str] = []
    for _ in range(rng.choice([1, 1, 2, 3])):
        path, value = rng.choice(list(places(config))), rng.choice(HOSTILE)
        match rng.randrange(10):
            case 0 if isinstance(path[-1], str):  # a key of another name
                put(config, (*path[:-1], f"{path[-1]}{str(value)[:50]}"), value)
            case 1 | 2 | 3 | 4 if type(found := at(config, path)) in (int, float):
                value = type(found)(found * rng.choice(FACTORS))
                put(config, path, value)
            case _:
                put(config, path, value)
        said.append(f"{'.'.join(map(str, path))} = {str(value)[:60]!r}")
    return config, said


def plan_all(config: Any) -> str:
    """Plan a world; what it was refused with, "" if it was not."""
    try:
        plan = Plan.of(config)
        needs.missing(plan)
        plan.networks.builds()
        plan.explorer.inputs()
        list(plan.tables.left_out())
        for target in plan.tables.targets():
            path = Path(target)
            if path.parts[0] == "results" and path.stem in plan.tables.names:
                plan.tables.table_inputs(path.stem)
                plan.tables.table_job(path.stem)
            elif "figures" in path.parts:
                plan.tables.figure_inputs(path.parts[-2], path.stem)
                plan.tables.figure_job(path.parts[-2], path.stem)
    except ConfigError as error:
        return str(error)
    return ""


class TooSlowError(BaseException):
    """No `Exception`: nobody on the way takes it for a fault of a file."""


def _too_slow(*_: object) -> None:
    raise TooSlowError(f"more than {SECONDS} s")


def trial(seed: int) -> str:
    """What went wrong with a config; "" if nothing did."""
    config, said = drawn(seed)
    signal.signal(signal.SIGALRM, _too_slow)
    signal.alarm(SECONDS)
    try:
        words = plan_all(config)
    except (Exception, TooSlowError) as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        text = f"{type(error).__name__}: {str(error)[:200]}"
        return f"{said}: {text} ({Path(where.filename).name}:{where.lineno})"
    finally:
        signal.alarm(0)
    if len(words) > MOST_LETTERS:
        return f"{said}: {len(words)} letters of words"
    return ""


def main() -> None:
    """Run the trials and print what went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    wrong = 0
    for seed in range(given.seed, given.seed + given.trials):
        if found := trial(seed):
            wrong += 1
            print(seed, found, flush=True)
    print(f"{given.trials} configs, {wrong} went wrong")


if __name__ == "__main__":
    main()
