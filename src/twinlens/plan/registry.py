"""The tables and figures that there are: an entry each, beside its file.

A table's file lies in `twinlens.tables` and has `table(inputs, job, files)`, a figure's
lies in `twinlens.figures` and has `figure(inputs, job, out)`; see
`twinlens.tables.settings`. An entry says which methods are shown and what is read of
them; nothing else is registered.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from twinlens import recognisers
from twinlens.plan.methods import HR, Methods
from twinlens.plan.world import World
from twinlens.recognisers import INPUTS, reads_jointly
from twinlens.tables.settings import ClipChoice

FEWEST_RANKED = 4
"""Methods; a rank correlation of fewer says nothing."""
Reads = Literal["scores", "quality", "frames", "low", "flow"]
Columns = Callable[[World], Mapping[str, str]]
"""Of a world, the methods that are shown, by a key of their own."""


def always_available(world: World) -> None:
    """There is no reason against it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Spec:
    """What a table or a figure shows."""

    module: str
    """Its file."""
    columns: Columns
    reads: tuple[Reads, ...] = ("scores",)
    """What it reads: scores or the csv of quality of whole data sets; frames, low
    resolution or flow of one shard's clips."""
    inputs: tuple[str, ...] = ("frames",)
    """Whose scores it reads: of heads that read "frames", "flow" or both."""
    scored: bool = False
    """Whether methods are scored for it; else it shows those that others ask for."""
    recogniser: str = ""
    """Of which recogniser; `tables` and `figures` fill it in."""
    clips: Mapping[str, ClipChoice] = field(default_factory=dict)
    """By data set of the paper, the clip that it shows there."""
    heads: int = 1
    """The fewest that its recogniser must have."""
    originals: bool = False
    """Whether it needs clips of full resolution to compare with."""
    unavailable: Callable[[World], str | None] = always_available
    """Why a world can't have it; None where it can (see `reason`)."""


def selected(world: World) -> dict[str, str]:
    """The methods of the config's `select`."""
    return {name: name for name in world.select.methods}


def unpaired(world: World) -> dict[str, str]:
    """Those that are no pairs."""
    methods = Methods(world)
    rows = {name: methods.row(name) for name in world.select.methods}
    return {name: name for name, row in rows.items() if row.frames_of == name}


def measured(world: World) -> dict[str, str]:
    """Those whose frames a recogniser reads."""
    return {name: name for name, read in inputs_read(world).items() if "frames" in read}


def ranked(world: World) -> dict[str, str]:
    """Table 1's three methods; none unless all are named."""
    columns = asdict(world.select.table1) if world.select.table1 else {}
    return columns if all(columns.values()) else {}


def ablation(table: str) -> Columns:
    """The columns of Table 2, or of its like; null takes a column away."""

    def columns(world: World) -> dict[str, str]:
        chosen = getattr(world.select, table) or {}
        return {label: name for label, name in chosen.items() if name}

    return columns


def without_columns(table: str) -> Callable[[World], str | None]:
    """Why there is no table whose columns the config's `select` names."""

    def unavailable(world: World) -> str | None:
        named = ablation(table)(world)
        return None if named else f"select.{table} names no method"

    return unavailable


def uneven(world: World) -> str | None:
    """Why flow estimators can't be compared: patch sets may differ in them alone."""
    columns = ablation("table2_flow")(world).values()
    sets = Methods(world).patch_sets(columns)
    for key, values in differing({name: asdict(world.patches[name]) for name in sets}):
        if key != "flow":
            return (
                f"patch sets of select.table2_flow differ in {key} ({values}): more"
                " than the estimator of flow would be compared"
            )
    return without_columns("table2_flow")(world)


def differing(
    entries: Mapping[str, Mapping[str, Any]],
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The keys in which some mappings differ, each with its values by name."""
    for key in sorted({key for entry in entries.values() for key in entry}):
        values = {name: entry.get(key) for name, entry in entries.items()}
        if any(each != next(iter(values.values())) for each in values.values()):
            yield key, values


def unranked(world: World) -> str | None:
    """Why there is no Table 1."""
    methods = Methods(world)
    read = inputs_read(world, recogniser_of(world, "table1"))
    frames_of = [methods.row(name).frames_of for name in ranked(world).values()]
    if not frames_of:
        return "select.table1 must name a method for each of HR, Bicubic and SR"
    if unread := [name for name in frames_of if "frames" not in read.get(name, ())]:
        return (
            f"no table takes spatial scores of {', '.join(unread)}; add to"
            " select.methods what is missing, or name others in select.table1"
        )
    there = any(world.datasets[name].low == "made" for name in world.select.datasets)
    return None if there else "all clips are low-resolution: there is no HR"


def incomparable(world: World) -> str | None:
    """Why methods can't be compared with Bicubic."""
    papers = {world.methods[name].paper for name in unpaired(world) if name != HR}
    if "Bicubic" in papers and len(papers) > 1:
        return None
    return (
        "it compares super-resolution with Bicubic; add both to select.methods (paper:"
        " Bicubic says which method that is)"
    )


def alone(world: World) -> str | None:
    """Why methods can't be compared with one another."""
    return None if len(unpaired(world)) > 1 else "it compares two methods or more"


def too_few(world: World) -> str | None:
    """Why methods can't be ranked by two things."""
    names = [name for name in unpaired(world) if name != HR]
    if len(names) >= FEWEST_RANKED:
        return None
    return f"a rank correlation needs {FEWEST_RANKED} methods besides HR"


TABLES = {
    "table1": Spec(
        module="table1", columns=ranked, originals=True, unavailable=unranked
    ),
    "table2": Spec(
        module="table2",
        columns=ablation("table2"),
        scored=True,
        unavailable=without_columns("table2"),
    ),
    "table2_flow": Spec(
        module="table2",
        columns=ablation("table2_flow"),
        scored=True,
        unavailable=uneven,
    ),
    "table5": Spec(module="table5", columns=unpaired, unavailable=incomparable),
    "dispersion": Spec(module="dispersion", columns=unpaired, unavailable=incomparable),
    "quality": Spec(
        module="quality", columns=measured, reads=("quality",), originals=True
    ),
}
ACCURACY = Spec(module="table3", columns=selected, inputs=INPUTS, scored=True)
"""The table that each recogniser has, named by its entry in the config."""
FIGURES = {
    "flow": Spec(
        module="flow",
        columns=unpaired,
        reads=("flow",),
        originals=True,
        unavailable=alone,
    ),
    "profile": Spec(
        module="profile",
        columns=unpaired,
        reads=("frames",),
        unavailable=alone,
        clips={"UCF101": ClipChoice(clip="TaiChi/v_TaiChi_g01_c04")},
    ),
    "frames": Spec(
        module="frames",
        columns=unpaired,
        reads=("frames", "low", "scores"),
        unavailable=alone,
        # The tenth frame.
        clips={"UCF101": ClipChoice(clip="Archery/v_Archery_g01_c07", frame=9)},
    ),
    "scatter": Spec(module="scatter", columns=unpaired, unavailable=incomparable),
    "tradeoff": Spec(
        module="tradeoff", columns=unpaired, inputs=INPUTS, heads=2, unavailable=alone
    ),
    "fidelity": Spec(
        module="fidelity",
        columns=unpaired,
        inputs=INPUTS,
        reads=("scores", "quality"),
        originals=True,
        unavailable=too_few,
    ),
}


def recogniser_of(world: World, name: str) -> str:
    """The recogniser that a table or figure of a single one shows."""
    return world.select.recogniser.get(name, world.select.recognisers[0])


def tables(world: World) -> dict[str, Spec]:
    """All tables of a world by name."""
    chosen = {name: world.recognisers[name] for name in world.select.recognisers}
    own = {
        entry.table: replace(ACCURACY, recogniser=name)
        for name, entry in chosen.items()
    }
    return _filled_in(world, TABLES) | own


def shows_clip(spec: Spec) -> bool:
    """Whether it is of one clip, not of a data set."""
    return not {"scores", "quality"}.issuperset(spec.reads)


def figures(world: World) -> dict[str, Spec]:
    """All figures of a world by name: those of scores for each recogniser.

    That of another recogniser than the figure's own has its name at the end.
    """
    found = _filled_in(world, FIGURES)
    for name, spec in list(found.items()):
        for other in world.select.recognisers:
            if not shows_clip(spec) and other != spec.recogniser:
                found[f"{name}_{other}"] = replace(spec, recogniser=other)
    return found


def reason(world: World, spec: Spec) -> str | None:
    """Why a table or figure can't be made; None where it can."""
    entry = world.recognisers[spec.recogniser]
    if len(recognisers.module(entry.kind).HEADS) < spec.heads:
        return f"{entry.label} has no {spec.heads} heads to compare"
    return spec.unavailable(world)


def of_first(world: World, spec: Spec) -> Spec:
    """What is shown by the first recogniser."""
    return replace(spec, recogniser=world.select.recognisers[0])


def _filled_in(world: World, specs: Mapping[str, Spec]) -> dict[str, Spec]:
    return {
        name: replace(spec, recogniser=recogniser_of(world, name))
        for name, spec in specs.items()
    }


def inputs_read(world: World, recogniser: str | None = None) -> dict[str, set[str]]:
    """What a recogniser reads of each method for the tables: "frames", their "flow".

    Args:
        world: with its tables.
        recogniser: the first that is selected by default.
    """
    recogniser = recogniser or world.select.recognisers[0]
    methods, joint = Methods(world), reads_jointly(world.recognisers[recogniser].kind)
    found: dict[str, set[str]] = {}
    for table in tables(world).values():
        if not table.scored or table.recogniser != recogniser:
            continue
        for row in map(methods.row, table.columns(world).values()):
            for kind, method in zip(INPUTS, row, strict=True):
                if joint or kind in table.inputs:
                    found.setdefault(method, set()).add(kind)
    return found


def methods_read(world: World) -> list[str]:
    """The methods whose frames or flow some table reads, in order."""
    found = [
        name for each in world.select.recognisers for name in inputs_read(world, each)
    ]
    return list(dict.fromkeys(found))
