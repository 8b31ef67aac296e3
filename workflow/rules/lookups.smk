# Look-ups of the rules: which files and settings a job takes. No rules here.


# --- Low resolution and super-resolution


def low_frames(wildcards):
    """The low-resolution shard: made, or the clips themselves where they are low."""
    given = config["datasets"][wildcards.dataset].get("low", "made") == "given"
    folder = "frames" if given else "low"
    shard = f"{wildcards.part}-{wildcards.shard}{around(model(wildcards))}"
    return f"{W}/{folder}/{wildcards.dataset}/{shard}.h5"


def around(model):
    """What a shard's name adds for a model that reads neighbours: "-near3", "-whole"."""
    reads = models.frames(model)
    if reads == models.WHOLE_CLIP:
        return "-whole"
    return f"-near{reads // 2}" if reads > 1 else ""


def neighbours(wildcards):
    """How many neighbours a shard keeps on each side."""
    return re.sub(r"\D", "", wildcards.around) or 0


def kept(wildcards):
    """Which frames of a clip a shard keeps: those that are read, or all."""
    if wildcards.get("around") == "-whole":
        return "all"
    return settings(wildcards.dataset).get("frames", "protocol")


def model(wildcards):
    """The file in twinlens.models that does a method."""
    return checks.network(config, wildcards.method)["model"]


def model_settings(wildcards):
    """Arguments of the model's build, for the command line."""
    return json.dumps(checks.network(config, wildcards.method)["settings"])


def sr_weights(wildcards):
    """A method's network, given or trained; nothing for one without weights."""
    return network_file(wildcards.method)


# Parameters that take `input` are never compared by Snakemake: a change of them alone
# would rerun nothing. So these look their files up again.


def weights_option(wildcards):
    """The same for the command line."""
    weights = sr_weights(wildcards)
    return f"--weights {weights}" if weights else ""


# --- Training of super-resolution

READERS = [module.removeprefix("twinlens.") for module in weights.MODULES]


def network_file(name):
    """Where a network lies: given, trained, or [] for one without weights."""
    network = checks.network(config, name)
    if network.get("weights"):
        return f"{W}/networks/given/{name}.h5"
    return f"{W}/networks/trained/{name}.h5" if "recipe" in network else []


def network_of(wildcards):
    """A network's model, settings, weights or recipe, start."""
    return checks.network(config, wildcards.network)


def recipe_of(wildcards):
    """How a network is trained."""
    return network_of(wildcards)["recipe"]


def corpus_of(patches):
    """The data set that a patch set is cut from."""
    return config["patches"][patches]["corpus"]


def motion_of(patches):
    """The estimator of a patch set's motion, and the frames between a pair's two."""
    entry = config["patches"][patches]
    return entry.get("flow", "tvl1"), entry.get("gap", 1)


def patch_source(wildcards, what):
    """A corpus shard's frames or motion."""
    corpus, shard = corpus_of(wildcards.patches), f"corpus-{wildcards.shard}.h5"
    motion = "{}-{}".format(*motion_of(wildcards.patches))
    return {
        "frames": f"{W}/frames/{corpus}/{shard}",
        "motion": f"{W}/motion/{corpus}/{motion}/{shard}",
    }[what]


def manifest_of(dataset):
    """A data set's manifest: without one, too many of its clips were rejected."""
    return f"{W}/manifest/{dataset}/manifest.csv"


def patch_settings(wildcards):
    """How a set's patches are cut, for the command line."""
    entry = config["patches"][wildcards.patches].items()
    kept = {key: value for key, value in entry if key not in checks.SOURCES}
    return json.dumps(kept, sort_keys=True)


def patch_files(patches, ending):
    """The shards of a patch set, or their counts."""
    return [
        f"{W}/patches/{patches}/{shard}.{ending}"
        for shard in shard_numbers(corpus_of(patches), "corpus")
    ]


def train_patches(wildcards):
    """The patches that a network is trained on."""
    return patch_files(recipe_of(wildcards)["patches"], "h5")


def start_weights(wildcards):
    """The weights that a training begins with, if the config names some."""
    return network_file(start_name(wildcards)) if start_name(wildcards) else []


def start_name(wildcards):
    """The network that a training begins with; "" for random weights."""
    start = network_of(wildcards).get("start")
    return f"starts/{start}" if start else ""


def perceptual_weights(wildcards):
    """The perceptual network, for the loss that needs it."""
    if recipe_of(wildcards)["loss"]["kind"] != "sosr":
        return []
    given = config["training"]["perceptual"]["weights"]
    return f"{W}/perceptual/{'given' if given else 'trained'}.h5"


def train_options(wildcards):
    """Options of a training that not every network has."""
    words = []
    if name := start_name(wildcards):
        words.append(f"--start {network_file(name)} --start_name {name}")
    if perceptual := perceptual_weights(wildcards):
        after = str(config["training"]["perceptual"]["after_relu"]).lower()
        words.append(f"--perceptual {perceptual} --after_relu {after}")
    return " ".join(words)


# --- Motion of originals, in pixels


def motion_pairs(wildcards):
    """How many pairs of frames of a clip get motion."""
    if wildcards.part == "corpus":
        return config["datasets"][wildcards.dataset].get("pairs", 120)
    return config["quality"]["pairs"]


def estimator(wildcards):
    """What estimates motion, by the folder that it goes to."""
    return wildcards.motion.partition("-")[0]


def motion_network(wildcards):
    """The network that estimates motion, where one does."""
    return flownet2_file(wildcards) if estimator(wildcards) == "flownet2" else []


def motion_options(wildcards):
    """What the estimator of motion needs, for the command line."""
    if network := motion_network(wildcards):
        return f"--network {network}"
    return f"--preset {config['flow']['preset']}"


def motion_gpus(wildcards):
    """A network takes a GPU, if the world has some."""
    return min(1, config["resources"]["gpus"]) * (estimator(wildcards) == "flownet2")


def flownet2_file(wildcards):
    """FlowNet2, given or trained."""
    kind = "given" if config["flow"]["flownet2"]["weights"] else "trained"
    return f"{W}/flownet2/{kind}.h5"


# --- Flow


def high_frames(wildcards):
    """The shard of a method's frames: the originals for HR."""
    shard = f"{wildcards.part}-{wildcards.shard}.h5"
    if wildcards.method == "hr":
        return f"{W}/frames/{wildcards.dataset}/{shard}"
    return f"{W}/sr/{wildcards.dataset}/{wildcards.method}/{shard}"


def frames_of_stream(stream):
    """An input function: a method's frames, if what a stream reads of them is made."""

    def frames(wildcards):
        method, dataset = wildcards.method, wildcards.dataset
        stored = method == "hr" or stream in read(method) or kept(wildcards) == "all"
        if not stored:
            raise WorkflowError(
                f"no table reads the {stream} stream of {method}, so its frames for it"
                f" are not stored: add {method} to select.methods, or set"
                f" datasets.{dataset}.frames: all"
            )
        return high_frames(wildcards)

    return frames


# --- Recogniser


def train_images(wildcards):
    """A stream's training shards: original frames or their flow."""
    folder = "frames" if wildcards.stream == "spatial" else "flow"
    name = wildcards.dataset if folder == "frames" else f"{wildcards.dataset}/hr"
    return [
        f"{W}/{folder}/{name}/train-{shard}.h5"
        for shard in shard_numbers(wildcards.dataset, "train")
    ]


def train_reports(wildcards):
    """The reports of the training shards."""
    return [
        f"{W}/reports/{wildcards.dataset}/train-{shard}.csv"
        for shard in shard_numbers(wildcards.dataset, "train")
    ]


def init_weights(wildcards):
    """The image network that training starts from, if the config names one."""
    return f"{W}/tsn/images.h5" if RECOGNISER.get("init") else []


def recipe(wildcards):
    """How a stream is trained: the world's recipe, changed by the data set's own."""
    training = RECOGNISER["training"]
    own = training.get(wildcards.dataset, {}).get(wildcards.stream, {})
    return json.dumps({**training[wildcards.stream], **own}, sort_keys=True)


def score_weights(stream):
    """An input function: a stream's weights, where a table takes its scores."""

    def weights(wildcards):
        if stream not in read(wildcards.method):
            return []
        kind = "given" if has_weights(wildcards.dataset) else "trained"
        return f"{W}/tsn/{wildcards.dataset}/{kind}-{stream}.h5"

    return weights


def score_flow(wildcards):
    """The flow of a method's frames, where a table takes its temporal scores."""
    if "temporal" not in read(wildcards.method):
        return []
    shard = f"{wildcards.part}-{wildcards.shard}.h5"
    return f"{W}/flow/{wildcards.dataset}/{wildcards.method}/{shard}"


def stream_options(wildcards):
    """The inputs of the streams to score, for the command line."""
    given = {stream: score_weights(stream)(wildcards) for stream in STREAMS}
    given = {"flow": score_flow(wildcards), **given}
    return " ".join(f"--{key} {path}" for key, path in given.items() if path)


def init_option(wildcards):
    """The image network that training starts from, for the command line."""
    init = init_weights(wildcards)
    return f"--init {init}" if init else ""


def read(method):
    """The streams of a method that are scored; both where no table shows it."""
    return READ.get(method, set(STREAMS))


# --- Gates


def gates(shown, datasets=DATASETS):
    """What must stand before a table of some methods does, and is not read by it.

    A manifest fails if too many clips of its data set were rejected, the counts of a
    patch set if no clip is left to train on. They are inputs of tables and of nothing
    that is costly: when a gate changes, tables are written again and no network is
    trained again. With `keep-going` other jobs go on beside a gate that fails, but no
    table is written.
    """
    patches = checks.patch_sets(config, shown)
    corpora = {corpus_of(name) for name in patches}
    manifests = [manifest_of(each) for each in [*datasets, *sorted(corpora)]]
    return manifests + [f"{W}/patches/{name}.csv" for name in patches]


# --- Tables


def has_originals(dataset):
    """False where the clips are low-resolution already: such a set has no HR row."""
    return config["datasets"][dataset].get("low", "made") == "made"


def streams_of(method):
    """The methods whose scores a row takes: itself, or the two of a pair."""
    entry = config["methods"][method]
    return {stream: entry.get(stream, method) for stream in STREAMS}


def test_shards(folder, methods, ending="h5", datasets=DATASETS):
    """Test shards of some methods in data sets, by default in all selected."""
    return sorted(
        f"{W}/{folder}/{dataset}/{method}/test-{shard}.{ending}"
        for dataset in datasets
        for method in methods
        if method != "hr" or has_originals(dataset)
        for shard in shard_numbers(dataset, "test")
    )


def score_files(wildcards):
    """Score shards of all methods that Table 3 takes."""
    return test_shards(
        "scores", {each for method in METHODS for each in streams_of(method).values()}
    )


def table2_files(wildcards):
    """Score shards of the methods that Table 2, or its like, shows."""
    columns = checks.table2_columns(config, wildcards.ablation).values()
    return test_shards("scores", {streams_of(name)["spatial"] for name in columns})


def originals():
    """The selected data sets with clips of full resolution to compare with."""
    return [dataset for dataset in DATASETS if has_originals(dataset)]


def table1_methods():
    """The three methods whose spatial scores Table 1 ranks; none if it is not asked."""
    columns = checks.table1_columns(config).values()
    return [streams_of(name)["spatial"] for name in columns]


def table1_lacks():
    """Why there is no Table 1; nothing where there is."""
    ranked = table1_methods()
    unread = [name for name in ranked if "spatial" not in READ.get(name, ())]
    if not ranked:
        return "select.table1 must name a method for each of HR, Bicubic and SR"
    if unread:
        return (
            f"no table takes spatial scores of {', '.join(unread)}; add to"
            " select.methods what is missing, or name others in select.table1"
        )
    return None if originals() else "all clips are low-resolution: there is no HR"


def table1_files(wildcards):
    """Score shards of the methods that Table 1 ranks."""
    if why := table1_lacks():
        raise WorkflowError(f"Table 1 can't be made: {why}")
    return test_shards("scores", table1_methods(), "h5", originals())


COMPARED = "Table 5, the dispersion and Figure 6"


def compared():
    """Methods of Table 5 and Figure 6: those of Table 3 that are no pairs."""
    return [name for name in METHODS if streams_of(name)["spatial"] == name]


def compared_lack():
    """Why the methods can't be compared with Bicubic; nothing where they can."""
    labels = {config["methods"][name]["label"] for name in compared() if name != "hr"}
    if "Bicubic" in labels and len(labels) > 1:
        return None
    return (
        "they compare super-resolution with the method labelled Bicubic; add both to"
        " select.methods"
    )


def compared_files(wildcards):
    """Score shards of the methods of Table 5 and Figure 6, of one data set or all."""
    if why := compared_lack():
        raise WorkflowError(f"{COMPARED} can't be made: {why}")
    chosen = [wildcards.dataset] if wildcards.get("dataset") else DATASETS
    return test_shards("scores", compared(), "h5", chosen)


def class_targets(wildcards):
    """Tables and pictures of single classes; says why others can't be made."""
    found = []
    if not (why := table1_lacks()):
        found.append("results/table1.csv")
    elif config["select"].get("table1"):
        tell_once(f"Table 1 is left out: {why}")
    if why := compared_lack():
        tell_once(f"{COMPARED} are left out: {why}")
    else:
        found += ["results/table5.csv", "results/dispersion.csv"]
        found += [f"{W}/pictures/scatter/{dataset}.png" for dataset in DATASETS]
    return found


@functools.cache
def tell_once(line):
    """Say it to the user; Snakemake asks for a rule's input more than once."""
    print(line, file=sys.stderr)


def judged():
    """The methods whose frames are compared with the originals."""
    return [name for name in READ if "spatial" in READ[name]]


def quality_files(wildcards):
    """What was measured of these methods, where there are originals."""
    return test_shards("quality", judged(), "csv", originals())


def table1_layout(wildcards):
    """Table 1's columns and data sets, for the command line."""
    return layout(checks.table1_columns(config))


def compared_layout(wildcards):
    """The methods of Table 5 and Figure 6, for the command line."""
    return layout({name: name for name in compared()})


def table2_layout(wildcards):
    """Columns and rows of Table 2, or of its like, for the command line."""
    return layout(checks.table2_columns(config, wildcards.ablation))


def table3_layout(wildcards):
    """Table 3's rows and columns, for the command line."""
    return layout({name: name for name in METHODS})


def quality_layout(wildcards):
    """The rows and columns of the table of quality, for the command line."""
    return layout({name: name for name in judged()})


def layout(shown):
    """What a table shows, methods by a key of its own."""
    datasets = {
        name: {
            "label": entry["label"],
            "generated": "generated" in entry,
            "official": entry["kind"] in ("ucf101", "hmdb51")
            and entry.get("split", 1) == 1
            and not entry.get("classes"),
            "has_hr": has_originals(name),
        }
        for name, entry in ((name, config["datasets"][name]) for name in DATASETS)
    }
    methods = {
        key: {
            "label": config["methods"][name]["label"],
            "origin": checks.origin(config, name),
            **streams_of(name),
        }
        for key, name in shown.items()
    }
    return json.dumps(
        {
            "world": config["world"],
            "note": config["note"],
            "datasets": datasets,
            "methods": methods,
            "recogniser": RECOGNISER["label"],
            "fusion": RECOGNISER["fusion"],
        }
    )


# --- Pictures


def drawn():
    """The methods of a picture: those of Table 3, of pairs their members, once each."""
    names = [each for name in METHODS for each in streams_of(name).values()]
    return [name for name in dict.fromkeys(names) if name != "hr"]


def drawn_code():
    """The modules of the networks in a picture."""
    return sorted({f"models.{checks.network(config, n)['model']}" for n in drawn()})


def drawn_methods(wildcards):
    """The methods of a picture, for the command line."""
    shown = [
        {
            "label": config["methods"][name]["label"],
            "name": name,
            "model": checks.network(config, name)["model"],
            "settings": checks.network(config, name)["settings"],
            "weights": network_file(name) or None,
        }
        for name in drawn()
    ]
    return json.dumps(shown)


def draw_options(wildcards):
    """How a data set's clips are brought into the picture, for the command line."""
    short_side = settings(wildcards.dataset).get("short_side")
    words = [f"--preset {config['flow']['preset']}"]
    words += [f"--short_side {short_side}"] if short_side else []
    words += ["--given_low true"] if not has_originals(wildcards.dataset) else []
    return " ".join(words)


# --- The end of a run


def show_tables():
    """Print the tables that this run made, and where they lie."""
    for path in sorted(Path(W).glob("*.md")):
        copy = Path("results") / path.name
        made = copy.exists() and copy.stat().st_mtime > STARTED
        if made and copy.read_bytes() == path.read_bytes():
            print(f"\n{path.read_text()}\n{copy.with_suffix('.csv')}", file=sys.stderr)
    logs = ["flow_error"] if checks.needs_flownet2(config) else []
    logs += [f"train_sr/{name}" for name in sorted(checks.networks(config))]
    for path in filter(Path.exists, (Path(f"{W}/logs/{name}.log") for name in logs)):
        for line in path.read_text(errors="replace").splitlines():
            if line.startswith("WARNING"):
                print(line, file=sys.stderr)


def tell_failures(path):
    """The last lines of a failed run: what failed, why, the mend, which log."""
    paths = [path] if isinstance(path, str) else path
    text = "".join(Path(each).read_text(errors="replace") for each in paths)
    for name, files in re.findall(
        r"Error in \w+ (\w+):.*?\n    log: (\S+)", text, re.S
    ):
        log = Path(files.rstrip(","))
        said = log.read_text(errors="replace").split("\n") if log.is_file() else []
        why = next((line for line in reversed(said) if line.strip()), "no word of why")
        print(
            f"\nFAILED {name}: {why}\n  log: {log}; when mended, run the same command"
            " again: what is finished stays",
            file=sys.stderr,
        )
