"""Check a typed config across its sections: names without entry, unfair comparisons."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

from pydantic import ValidationError

from twinlens import models, recognisers
from twinlens.media import sets
from twinlens.named import nearest
from twinlens.plan import registry
from twinlens.plan.methods import HR, Methods, Network
from twinlens.plan.world import Dataset, Method, PatchSet, Start, World
from twinlens.tables import published

# What methods of one start may differ in (paper section 4.2: batches of 50 and 60).
OWN = ("patches", "loss", "batch")


def crosscheck(world: World) -> Iterator[str]:
    """A line for each fault that no single key shows."""
    lines = list(_references(world))
    if not lines:
        lines = [*_tables_of_recognisers(world), *_labels(world)]
        lines += [*_fair(world), *_rows(world)]
    yield from lines


def _references(world: World) -> Iterator[str]:
    yield from _select(world)
    for name, patches in world.patches.items():
        yield from _patches(f"patches.{name}", patches, world)
    for name, start in world.starts.items():
        yield from _network(f"starts.{name}", start, f"starts/{name}", world)
    for name, method in world.methods.items():
        yield from _method(name, method, world)
    for name, dataset in world.datasets.items():
        yield from _dataset(name, dataset, world)
    yield from _undefined("quality.flow", [world.quality.flow], world.flows)
    for name in world.select.recognisers:
        if name in world.recognisers:
            yield from _recogniser(name, world.recognisers[name], world)


def _undefined(
    where: str, names: Iterable[str], known: Mapping[str, Any]
) -> Iterator[str]:
    """A line for each name that is not defined."""
    for name in names:
        if name not in known:
            yield f"{where}: {name!r} is not defined{nearest(name, known)}"


def _select(world: World) -> Iterator[str]:
    select = world.select
    yield from _undefined("select.datasets", select.datasets, world.datasets)
    yield from _undefined("select.methods", select.methods, world.methods)
    yield from _undefined("select.recognisers", select.recognisers, world.recognisers)
    yield from _undefined("select.clips", select.clips, world.datasets)
    specs = {**registry.TABLES, **registry.FIGURES}
    of_one = {name: spec for name, spec in specs.items() if spec.reads != ("quality",)}
    yield from _undefined("select.recogniser", select.recogniser, of_one)
    for name, recogniser in select.recogniser.items():
        where = f"select.recogniser.{name}"
        if recogniser not in select.recognisers:
            near = nearest(recogniser, select.recognisers)
            yield f"{where}: {recogniser!r} is not in select.recognisers{near}"
    first = asdict(select.table1) if select.table1 else {}
    tables = {"table1": first, "table2": select.table2 or {}}
    tables["table2_flow"] = select.table2_flow or {}
    for table, columns in tables.items():
        for column, name in columns.items():
            if name:
                where = f"select.{table}.{column}"
                yield from _undefined(where, [name], world.methods)
    names = list(registry.ranked(world).values())
    if len(set(names)) < len(names):
        yield f"select.table1: names a method twice ({', '.join(names)})"


def _tables_of_recognisers(world: World) -> Iterator[str]:
    """Each recogniser writes a table of its own, and none that is another's."""
    taken = {**registry.TABLES, "flow_error": None, "audit": None}
    for name in world.select.recognisers:
        table = world.recognisers[name].table
        if table in taken or table.endswith("_long"):
            yield f"recognisers.{name}.table: {table} is another table; give it its own"
        taken[table] = None


def _dataset(name: str, entry: Dataset, world: World) -> Iterator[str]:
    where, kinds = f"datasets.{name}", sets.names()
    if entry.kind not in kinds:
        yield f"{where}.kind: no kind {entry.kind!r}{nearest(entry.kind, kinds)}"
    if name in world.select.datasets and entry.kind == "corpus":
        yield f"select.datasets: {name!r} is a corpus: it has no classes to recognise"


def _recogniser(name: str, entry: Any, world: World) -> Iterator[str]:
    where, heads = f"recognisers.{name}", recognisers.module(entry.kind).HEADS
    if name == "all":
        yield f"{where}: files of all frames have this name; give it another"
    if len(entry.fusion) != len(heads):
        yield f"{where}.fusion: needs a weight for each of {', '.join(heads)}"
    yield from _undefined(f"{where}.flow", [entry.flow], world.flows)
    defined = [each for each in world.select.datasets if each in world.datasets]
    selected = {name: world.datasets[name] for name in defined}
    check = getattr(recognisers.module(entry.kind), "faults", None)
    others = [each for each in world.select.recognisers if each != name]
    without = f" (or leave {name} out of select.recognisers)" if others else ""
    for fault in check(entry, world.datasets, selected) if check else ():
        yield f"{where}.{fault}{without}"


def _patches(where: str, entry: PatchSet, world: World) -> Iterator[str]:
    corpora = {n: d for n, d in world.datasets.items() if d.kind == "corpus"}
    if entry.corpus not in corpora:
        near = nearest(entry.corpus, corpora)
        yield f"{where}.corpus: {entry.corpus!r} is no corpus{near}"
        return
    yield from _undefined(f"{where}.flow", [entry.flow], world.flows)
    generated = corpora[entry.corpus].generated
    if generated and entry.size > min(generated.width, generated.height):
        yield (
            f"{where}.size: patches of {entry.size} are larger than the frames of"
            f" {entry.corpus}"
        )


def _method(name: str, method: Method, world: World) -> Iterator[str]:
    where = f"methods.{name}"
    pair = {"frames_of": method.frames_of, "flow_of": method.flow_of}
    paired = {key: each for key, each in pair.items() if each}
    own = [key for key in ("model", "start") if getattr(method, key)]
    if paired and (own or len(paired) < 2):
        yield f"{where}: a pair names frames_of and flow_of, and no model"
    if not paired and not own and name != HR:
        yield f"{where}: names no model"
    if len(own) == 2:
        yield f"{where}: start already says the model; remove model"
    if method.start and method.recipe is None:
        yield f"{where}: has a start and no recipe to train on by"
    if method.paper is not None and method.paper not in published.ROWS:
        near = nearest(method.paper, published.ROWS)
        yield f"{where}.paper: no row of the paper{near}"
    if own:
        yield from _network(where, method, name, world)
    for key, each in paired.items():
        if each not in world.methods:
            near = nearest(each, world.methods)
            yield f"{where}.{key}: {each!r} is not defined{near}"
        elif world.methods[each].frames_of:
            yield f"{where}.{key}: {each!r} is a pair itself"


def _network(
    where: str, entry: Method | Start, name: str, world: World
) -> Iterator[str]:
    """A network's model and how it is trained."""
    start = entry.start if isinstance(entry, Method) else None
    if start is not None and start not in world.starts:
        near = nearest(start, world.starts)
        yield f"{where}.start: {start!r} is not defined{near}"
        return
    if start is not None and entry.settings:
        yield f"{where}: its start says the settings; remove settings"
    network = Methods(world).network(name)
    if network.model not in models.names():
        near = nearest(network.model, models.names())
        yield f"{where}.model: no model {network.model!r}{near}"
        return
    if wrong := models.problem(network.model):
        yield f"{where}.model: {wrong}"
        return
    for wrong in models.argument_faults(network.model, entry.settings):
        yield f"{where}.settings: {wrong}"
    yield from _origin(where, network, world)


def _origin(where: str, network: Network, world: World) -> Iterator[str]:
    """Where a network's weights come from."""
    if network.weights:
        if not models.has_importer(network.model):
            yield (
                f"{where}.weights: no published weights of {network.model} are known;"
                f" its file needs a function convert, see {models.__name__}"
            )
    elif network.recipe_given is not None:
        yield from _recipe(f"{where}.recipe", network, world)
    elif models.learns(network.model):
        yield (f"{where}: {network.model} learns, and has neither weights nor a recipe")


def _recipe(where: str, network: Network, world: World) -> Iterator[str]:
    for key in ("patches", "loss", "steps", "lr"):
        if key not in (network.recipe_given or {}):
            yield f"{where}: lacks {key!r}"
            return
    try:
        recipe = network.recipe
    except ValidationError as error:
        yield f"{where}: {error.errors()[0]['msg']}"
        return
    if recipe.batch % max(1, world.resources.gpus):
        yield f"{where}.batch: {recipe.batch} can't be shared evenly by resources.gpus"
    if recipe.loss.kind == "own" and not models.has_own_loss(network.model):
        yield f"{where}.loss: {network.model} has no loss of its own"
    yield from _patches_fit(where, network, world)


def _patches_fit(where: str, network: Network, world: World) -> Iterator[str]:
    """Whether a patch set is there and has what loss and network read."""
    recipe = network.recipe
    if recipe.patches not in world.patches:
        near = nearest(recipe.patches, world.patches)
        yield f"{where}.patches: {recipe.patches!r} is not defined{near}"
        return
    patches, needs = world.patches[recipe.patches], recipe.loss.needs_pairs
    if needs is not None and needs != patches.pair:
        yield (
            f"{where}: loss {recipe.loss.kind} needs a patch set with pair:"
            f" {str(needs).lower()}, and {recipe.patches} has"
            f" {str(patches.pair).lower()}"
        )
    reads = models.frames(network.model)
    least = 3 if reads == models.WHOLE_CLIP else reads
    if patches.window < least:
        yield (
            f"{where}: {network.model} reads {reads or 'all'} frames, so"
            f" patches.{recipe.patches}.window must be {least} or more"
        )


def _labels(world: World) -> Iterator[str]:
    """Tables and pictures distinguish methods and data sets by their labels."""
    methods = [*world.select.methods, *registry.methods_read(world)]
    shown = {"methods": methods, "datasets": world.select.datasets}
    shown["flows"] = list(world.flows)
    for what, names in shown.items():
        labels: dict[str, str] = {}
        for name in dict.fromkeys(names):
            label = getattr(world, what)[name].label
            if (first := labels.setdefault(label, name)) != name:
                yield (
                    f"{what}.{name}.label: {what}.{first} is called {label!r} too; give"
                    " it another label"
                )


def _rows(world: World) -> Iterator[str]:
    """Whether Table 3 has a row: none of HR where all clips are given low."""
    shown = [Methods(world).row(name) for name in world.select.methods]
    low = all(world.datasets[name].low == "given" for name in world.select.datasets)
    if low and all(HR in row for row in shown):
        names = ", ".join(world.select.methods) or "nothing"
        yield (
            f"select.methods: {names}, and all clips are given at low resolution, of"
            " which there is no HR: add another method"
        )


def _fair(world: World) -> Iterator[str]:
    """Shown methods of one start are compared: only loss and patches may differ."""
    recipes: dict[str, dict[str, Mapping[str, Any]]] = {}
    networks = Methods(world).networks(registry.methods_read(world))
    for name, network in networks.items():
        if network.start and network.trained:
            given = network.recipe_given or {}
            recipes.setdefault(network.start.removeprefix("starts/"), {})[name] = given
    for start, taken in recipes.items():
        for key, values in registry.differing(taken):
            if key not in OWN:
                yield (
                    f"methods that start from {start} differ in {key} ({values}): the"
                    f" comparison would not be fair; set training.recipe.{key}"
                )
