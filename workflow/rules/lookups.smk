# Look-ups of the rules: which files and settings a job takes. No rules here.


# --- Low resolution and super-resolution


def low_frames(wildcards):
    """The low-resolution shard: made, or the clips themselves where they are low."""
    given = config["datasets"][wildcards.dataset].get("low", "made") == "given"
    folder = "frames" if given else "low"
    return f"{W}/{folder}/{wildcards.dataset}/{wildcards.part}-{wildcards.shard}.h5"


def model(wildcards):
    """The file in twinlens.models that does a method."""
    return config["methods"][wildcards.method]["model"]


# --- Flow


def high_frames(wildcards):
    """The shard of a method's frames: the originals for HR."""
    shard = f"{wildcards.part}-{wildcards.shard}.h5"
    if wildcards.method == "hr":
        return f"{W}/frames/{wildcards.dataset}/{shard}"
    return f"{W}/sr/{wildcards.dataset}/{wildcards.method}/{shard}"


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


def stream_weights(stream):
    """An input function: a stream's weights, given or trained."""

    def weights(wildcards):
        kind = "given" if has_weights(wildcards.dataset) else "trained"
        return f"{W}/tsn/{wildcards.dataset}/{kind}-{stream}.h5"

    return weights


# --- Tables


def has_originals(dataset):
    """False where the clips are low-resolution already: such a set has no HR row."""
    return config["datasets"][dataset].get("low", "made") == "made"


def streams_of(method):
    """The methods whose scores a row takes: itself, or the two of a pair."""
    entry = config["methods"][method]
    return {stream: entry.get(stream, method) for stream in STREAMS}


def score_files(wildcards):
    """Score shards of all selected methods and data sets."""
    needed = {each for method in METHODS for each in streams_of(method).values()}
    return sorted(
        f"{W}/scores/{dataset}/{method}/test-{shard}.h5"
        for dataset in DATASETS
        for method in needed
        if method != "hr" or has_originals(dataset)
        for shard in shard_numbers(dataset, "test")
    )


def layout(wildcards):
    """Rows and columns, for the command line."""
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
        name: {"label": config["methods"][name]["label"], **streams_of(name)}
        for name in METHODS
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


# --- The end of a run


def show_tables():
    """Print the present world's tables, and where they lie."""
    for path in sorted(Path(W).glob("table*.md")):
        copy = Path("results") / path.name
        if copy.exists() and copy.read_bytes() == path.read_bytes():
            print(f"\n{path.read_text()}\n{copy.with_suffix('.csv')}", file=sys.stderr)


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
