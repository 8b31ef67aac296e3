"""Check a config before anything runs, and look up what it says of networks."""

import copy
import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import jsonschema

from twinlens import models, named
from twinlens.media import sets
from twinlens.patches.settings import PatchSettings
from twinlens.protocol import STREAMS
from twinlens.training.flow_recipe import FlowRecipe
from twinlens.training.recipe import Loss, Recipe

# Keys of a patch set that are not for cutting: where it comes from.
SOURCES = ("corpus", "flow", "gap")
# Settings of a loss that only some kinds have.
ONLY_FOR = {
    "criterion": ("mse", "tosr"),
    "pixels": ("mse", "wmse", "sosr", "tosr"),
    "alpha": ("sosr",),
    "auto_batches": ("sosr",),
    "terms": ("tosr",),
    "outside": ("tosr",),
    "sign": ("tosr",),
    "weighting": ("wmse", "sosr"),
    "power": ("wmse", "sosr"),
}
# What methods of one start may differ in (paper section 4.2: batches of 50 and 60).
OWN = ("patches", "loss", "batch")
# Tables of the spatial stream alone, by loss and by flow estimator.
ABLATIONS = ("table2", "table2_flow")


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
    place(made["training"]["perceptual"], ("weights",))
    place(made["flow"]["flownet2"], ("weights",))
    for entry in [*made["starts"].values(), *made["methods"].values()]:
        place(entry, ("weights",))
    for streams in made["recogniser"]["weights"].values():
        place(streams, STREAMS)
    return made


def streams_read(config: Mapping[str, Any]) -> dict[str, set[str]]:
    """Of each method whose scores a table takes, the streams that it takes."""
    found: dict[str, set[str]] = {}
    for name in config["select"]["methods"]:
        for stream in STREAMS:
            chosen = config["methods"][name].get(stream, name)
            found.setdefault(chosen, set()).add(stream)
    for table in ABLATIONS:
        for name in table2_columns(config, table).values():
            chosen = config["methods"][name].get("spatial", name)
            found.setdefault(chosen, set()).add("spatial")
    return found


def table1_columns(config: Mapping[str, Any]) -> dict[str, str]:
    """Table 1's three methods; none unless all are named."""
    columns = config["select"].get("table1") or {}
    named = {key: columns.get(key) for key in ("HR", "Bicubic", "SR")}
    return {key: name for key, name in named.items() if name and all(named.values())}


def table2_columns(config: Mapping[str, Any], table: str = "table2") -> dict[str, str]:
    """An ablation's columns and their methods; null takes a column away."""
    columns = config["select"].get(table) or {}
    return {label: name for label, name in columns.items() if name}


def networks(
    config: Mapping[str, Any], shown: Iterable[str] | None = None
) -> dict[str, dict[str, Any]]:
    """The networks of some methods, by name; a start's begins with `starts/`.

    Of each its `model`, `settings`, and `weights` (a file), or else `recipe` and, where
    it begins with another's weights, `start`.

    Args:
        config: the merged config.
        shown: methods, pairs among them; those of all tables by default.
    """
    found: dict[str, dict[str, Any]] = {}
    for name in streams_read(config) if shown is None else _members(config, shown):
        entry = config["methods"][name]
        if entry.get("weights") or "recipe" in entry:
            found[name] = network(config, name)
        if "start" in entry:
            start = f"starts/{entry['start']}"
            found[start] = network(config, start)
    return found


def _members(config: Mapping[str, Any], shown: Iterable[str]) -> list[str]:
    """Methods themselves, and instead of a pair its two."""
    pairs = ((config["methods"][name], name) for name in shown)
    members = (entry.get(stream, name) for entry, name in pairs for stream in STREAMS)
    return list(dict.fromkeys(members))


def network(config: Mapping[str, Any], name: str) -> dict[str, Any]:
    """One network as `networks` gives it."""
    kind, _, start = name.rpartition("/")
    entry = dict(config["starts" if kind else "methods"][start])
    if "start" in entry:
        begun = config["starts"][entry["start"]]
        entry |= {key: begun[key] for key in ("model", "settings") if key in begun}
    if "recipe" in entry:
        entry["recipe"] = {**config["training"]["recipe"], **entry["recipe"]}
    return {"settings": {}, **entry}


def origin(config: Mapping[str, Any], name: str) -> str:
    """Where a method's weights come from, in words for a table."""
    entry = config["methods"][name]
    pair = [f"{s} of {entry[s]}" for s in STREAMS if s in entry]
    if pair or not {"model", "start"} & set(entry):
        made = ", ".join(pair) or "the original frames"
    else:
        made = _weights(config, name)
    return "; ".join([made, *([entry["note"]] if "note" in entry else [])])


def _weights(config: Mapping[str, Any], name: str) -> str:
    made = network(config, name)
    if made.get("weights"):
        return f"given weights {Path(made['weights']).name}"
    if "recipe" not in made:
        return "nothing is learnt"
    recipe = made["recipe"]
    loss = (
        f"{recipe['loss']['kind']} loss" if recipe["loss"]["kind"] != "mse" else "MSE"
    )
    told = f"trained here, {loss}, bicubic low resolution, {recipe['steps']:,} steps"
    if "start" in made:
        told += f", after {_weights(config, 'starts/' + made['start'])}"
    return told


def patch_sets(
    config: Mapping[str, Any], shown: Iterable[str] | None = None
) -> list[str]:
    """The patch sets that the networks of some methods (see `networks`) train on."""
    found = networks(config, shown).values()
    trained = (each for each in found if not each.get("weights"))
    return sorted({each["recipe"]["patches"] for each in trained if "recipe" in each})


def needs_perceptual(config: Mapping[str, Any]) -> bool:
    """Whether a network is trained by the loss that needs the perceptual network."""
    return any(
        not each.get("weights") and each["recipe"]["loss"]["kind"] == "sosr"
        for each in networks(config).values()
    )


def needs_flownet2(config: Mapping[str, Any]) -> bool:
    """Whether FlowNet2 estimates the motion of a patch set that is trained on."""
    flows = (config["patches"][name].get("flow") for name in patch_sets(config))
    return "flownet2" in flows


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
    found = found or list(_across(config))
    return found or [*_labels(config), *_fair(config), *_by_flow(config)]


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
    told = f"{where}: {error.message}" + (f" ({about})" if about else "")
    yield told + ("; write it as 1.0e-3, with point and sign" * _meant_as_number(error))


def _meant_as_number(error: jsonschema.ValidationError) -> bool:
    """Whether it is a number such as 1e-3, which YAML takes for text."""
    try:
        float(error.instance)
    except (TypeError, ValueError):
        return False
    return isinstance(error.instance, str)


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
    columns = {"table1": table1_columns(config)}
    columns |= {table: table2_columns(config, table) for table in ABLATIONS}
    for table, methods in columns.items():
        for column, name in methods.items():
            if name not in config["methods"]:
                near = _nearest(name, list(config["methods"]))
                yield f"select.{table}.{column}: {name!r} is not defined{near}"
    ranked = list(columns["table1"].values())
    if len(set(ranked)) < len(ranked):
        yield f"select.table1: names a method twice ({', '.join(ranked)})"
    flownet2 = config["flow"]["flownet2"]
    if flownet2["weights"] and flownet2["width"] != 1:
        yield (
            f"flow.flownet2.width: published weights are of width 1, not"
            f" {flownet2['width']:g}; set it to 1, or weights to null"
        )
    try:
        FlowRecipe(**flownet2.get("recipe", {}))
    except ValueError as error:
        yield f"flow.flownet2.recipe: {error}"
    for name, entry in config["patches"].items():
        yield from _patches(name, entry, config)
    for name, entry in config["starts"].items():
        yield from _network(f"starts.{name}", entry, f"starts/{name}", config)
    for name, method in config["methods"].items():
        yield from _method(name, method, config)
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


def _patches(
    name: str, entry: Mapping[str, Any], config: Mapping[str, Any]
) -> Iterator[str]:
    where, corpus = f"patches.{name}", entry["corpus"]
    if config["datasets"].get(corpus, {}).get("kind") != "corpus":
        known = [
            n for n, each in config["datasets"].items() if each["kind"] == "corpus"
        ]
        yield f"{where}.corpus: {corpus!r} is no corpus{_nearest(corpus, known)}"
        return
    try:
        how = PatchSettings(
            **{k: each for k, each in entry.items() if k not in SOURCES}
        )
    except ValueError as error:
        yield f"{where}: {error}"
        return
    made = config["datasets"][corpus].get("generated")
    if made and how.size > min(made.get("width", 128), made.get("height", 96)):
        yield f"{where}.size: patches of {how.size} are larger than {corpus}'s frames"


def _network(
    where: str, entry: Mapping[str, Any], name: str, config: Mapping[str, Any]
) -> Iterator[str]:
    """A network's model and how it is trained."""
    start = entry.get("start")
    if start is not None and start not in config["starts"]:
        near = _nearest(start, list(config["starts"]))
        yield f"{where}.start: {start!r} is not defined{near}"
        return
    if start is not None and "settings" in entry:
        yield f"{where}: its start says the settings; remove settings"
    made = network(config, name)
    if made["model"] not in models.names():
        near = _nearest(made["model"], models.names())
        yield f"{where}.model: no model {made['model']!r}{near}"
        return
    if wrong := models.problem(made["model"]):
        yield f"{where}.model: {wrong}"
        return
    known = models.settings(made["model"])
    for key in entry.get("settings", {}):
        if known is not None and key not in known:
            near = _nearest(key, known)
            yield f"{where}.settings: {made['model']} takes no {key!r}{near}"
    if made.get("weights"):
        if not models.has_importer(made["model"]):
            yield (
                f"{where}.weights: no published weights of {made['model']} are known;"
                f" its file needs a function convert, see {models.__name__}"
            )
        return
    if "recipe" in made:
        yield from _recipe(f"{where}.recipe", made, config)
    elif models.learns(made["model"]):
        yield f"{where}: {made['model']} learns, and has neither weights nor a recipe"


def _recipe(
    where: str, made: Mapping[str, Any], config: Mapping[str, Any]
) -> Iterator[str]:
    entry = dict(made["recipe"])
    for key in ("patches", "loss", "steps", "lr"):
        if key not in entry:
            yield f"{where}: lacks {key!r}"
            return
    recipe = Recipe(**{**entry, "loss": Loss(**entry["loss"])})
    for key, kinds in ONLY_FOR.items():
        if key in entry["loss"] and recipe.loss.kind not in kinds:
            yield f"{where}.loss: {recipe.loss.kind} has no {key}: {kinds} have"
    if recipe.batch % max(1, config["resources"]["gpus"]):
        yield f"{where}.batch: {recipe.batch} can't be shared evenly by resources.gpus"
    if recipe.patches not in config["patches"]:
        near = _nearest(recipe.patches, list(config["patches"]))
        yield f"{where}.patches: {recipe.patches!r} is not defined{near}"
        return
    patches = config["patches"][recipe.patches]
    pair, needs = patches.get("pair", False), recipe.loss.needs_pairs
    if needs is not None and needs != pair:
        yield (
            f"{where}: loss {recipe.loss.kind} needs a patch set with pair:"
            f" {str(needs).lower()}, and {recipe.patches} has {str(pair).lower()}"
        )
    if recipe.loss.kind == "own" and not models.has_own_loss(made["model"]):
        yield f"{where}.loss: {made['model']} has no loss of its own"
    reads = models.frames(made["model"])
    least = 3 if reads == models.WHOLE_CLIP else reads
    if patches.get("window", 1) < least:
        yield (
            f"{where}: {made['model']} reads {reads or 'all'} frames, so"
            f" patches.{recipe.patches}.window must be {least} or more"
        )


def _labels(config: Mapping[str, Any]) -> Iterator[str]:
    """Tables and pictures tell methods and data sets apart by their labels."""
    shown = {"methods": [*config["select"]["methods"], *streams_read(config)]}
    shown["datasets"] = config["select"]["datasets"]
    for what, names in shown.items():
        labels: dict[str, str] = {}
        for name in dict.fromkeys(names):
            label = config[what][name]["label"]
            if (first := labels.setdefault(label, name)) != name:
                yield (
                    f"{what}.{name}.label: {what}.{first} is called {label!r} too; give"
                    " it another label"
                )


def _fair(config: Mapping[str, Any]) -> Iterator[str]:
    """Shown methods of one start are compared: only loss and patches may differ."""
    recipes: dict[str, dict[str, dict[str, Any]]] = {}
    for name, made in networks(config).items():
        if "start" in made and not made.get("weights"):
            recipes.setdefault(made["start"], {})[name] = made["recipe"]
    for start, taken in recipes.items():
        for key in sorted({key for recipe in taken.values() for key in recipe}):
            values = {name: recipe.get(key) for name, recipe in taken.items()}
            alike = all(each == next(iter(values.values())) for each in values.values())
            if key not in OWN and not alike:
                yield (
                    f"methods that start from {start} differ in {key} ({values}): the"
                    f" comparison would not be fair; set training.recipe.{key}"
                )


def _by_flow(config: Mapping[str, Any]) -> Iterator[str]:
    """Table 2 by flow compares estimators: its patch sets may differ in them alone."""
    shown = {
        config["methods"][name].get("spatial", name)
        for name in table2_columns(config, "table2_flow").values()
    }
    trained = networks(config)
    names = sorted(
        {
            trained[name]["recipe"]["patches"]
            for name in shown & set(trained)
            if not trained[name].get("weights")
        }
    )
    for key in sorted({key for name in names for key in config["patches"][name]}):
        values = {name: config["patches"][name].get(key) for name in names}
        alike = all(each == next(iter(values.values())) for each in values.values())
        if key != "flow" and not alike:
            yield (
                f"patch sets of select.table2_flow differ in {key} ({values}): more"
                " than the estimator of flow would be compared"
            )


def _method(
    name: str, method: Mapping[str, Any], config: Mapping[str, Any]
) -> Iterator[str]:
    methods = config["methods"]
    paired = {"spatial", "temporal"} & set(method)
    own = {"model", "start"} & set(method)
    if paired and (own or len(paired) < 2):
        yield f"methods.{name}: a pair names spatial and temporal, and no model"
    if not paired and not own and name != "hr":
        yield f"methods.{name}: names no model"
    if len(own) == 2:
        yield f"methods.{name}: start already says the model; remove model"
    if "start" in method and "recipe" not in method:
        yield f"methods.{name}: has a start and no recipe to go on by"
    if own:
        yield from _network(f"methods.{name}", method, name, config)
    for stream in sorted(paired):
        chosen = method[stream]
        if chosen not in methods:
            near = _nearest(chosen, list(methods))
            yield f"methods.{name}.{stream}: {chosen!r} is not defined{near}"
        elif {"spatial", "temporal"} & set(methods[chosen]):
            yield f"methods.{name}.{stream}: {chosen!r} is a pair itself"


def _recogniser(config: Mapping[str, Any]) -> Iterator[str]:
    recogniser = config["recogniser"]
    known = named.names(Path(__file__).parent / "recognition" / "backbones")
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
