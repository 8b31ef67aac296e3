# Tables from stored scores, and the present world's copies of them.


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


rule table_3:
    """Table 3: accuracy of every method in both streams and fused."""
    input:
        score_files,
    output:
        csv=f"{W}/table3.csv",
        long=f"{W}/table3_long.csv",
        markdown=f"{W}/table3.md",
    log:
        f"{W}/logs/table_3.log",
    benchmark:
        f"{W}/benchmarks/table_3.tsv"
    conda:
        "../../envs/twinlens.yaml"
    threads: 1
    resources:
        mem_mb=config["resources"]["mem_mb"],
        runtime=config["resources"]["runtime"],
    params:
        scores=lambda wildcards, input: json.dumps(list(input)),
        layout=layout,
        seed=seed("tables"),
        code=code("tables.table3"),
    shell:
        "python -m twinlens.tables --plain --scores {params.scores:q}"
        " --layout {params.layout:q} --seed {params.seed} --out {output.csv}"
        " --long {output.long} --markdown {output.markdown} > {log} 2>&1"


rule present_table:
    """Copy a table of the present world to where it is looked for."""
    input:
        f"{W}/{{table}}",
    output:
        "results/{table}",
    log:
        f"{W}/logs/present_table/{{table}}.log",
    benchmark:
        f"{W}/benchmarks/present_table/{{table}}.tsv"
    wildcard_constraints:
        table=r"table\d+(_long)?\.(csv|md)",
    localrule: True
    conda:
        "../../envs/twinlens.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    shell:
        "cp {input} {output} 2> {log}"
