# Super-resolution: patches of a corpus, networks trained on them or given.


rule patches:
    """Cut a corpus shard into training patches."""
    input:
        frames=lambda wildcards: patch_source(wildcards, "frames"),
        motion=lambda wildcards: patch_source(wildcards, "motion"),
    output:
        patches=passing(f"{W}/patches/{{patches}}/{{shard}}.h5"),
        counts=f"{W}/patches/{{patches}}/{{shard}}.csv",
    log:
        f"{W}/logs/patches/{{patches}}/{{shard}}.log",
    benchmark:
        f"{W}/benchmarks/patches/{{patches}}/{{shard}}.tsv"
    conda:
        "../../envs/twinlens.yaml"
    threads: 1
    resources:
        mem_mb=config["resources"]["mem_mb"],
        runtime=config["resources"]["runtime"],
    params:
        corpus=lambda wildcards: corpus_of(wildcards.patches),
        flow=lambda wildcards: motion_of(wildcards.patches)[0],
        gap=lambda wildcards: motion_of(wildcards.patches)[1],
        settings=patch_settings,
        seed=seed("patches"),
        code=code("patches.stage"),
    shell:
        "python -m twinlens.patches patches --plain --frames {input.frames}"
        " --motion {input.motion} --name {wildcards.patches}"
        " --dataset {params.corpus} --flow {params.flow}"
        " --gap {params.gap} --settings {params.settings:q} --seed {params.seed}"
        " --out {output.patches} --counts {output.counts} 2>&1 | tee {log}"


rule count_patches:
    """Count a set's patches, kept and dropped, beside the published numbers."""
    input:
        shards=lambda wildcards: patch_files(wildcards.patches, "h5"),
        counts=lambda wildcards: patch_files(wildcards.patches, "csv"),
    output:
        f"{W}/patches/{{patches}}.csv",
    log:
        f"{W}/logs/count_patches/{{patches}}.log",
    benchmark:
        f"{W}/benchmarks/count_patches/{{patches}}.tsv"
    conda:
        "../../envs/twinlens.yaml"
    threads: 1
    resources:
        mem_mb=config["resources"]["mem_mb"],
        runtime=config["resources"]["runtime"],
    params:
        shards=lambda wildcards, input: json.dumps(list(input.shards)),
        counts=lambda wildcards, input: json.dumps(list(input.counts)),
        split=json.dumps(config["training"]["split"]),
        corpus=lambda wildcards: config["datasets"][corpus_of(wildcards.patches)][
            "label"
        ],
        seed=seed("sr"),
        code=code("patches.counts"),
    shell:
        "python -m twinlens.patches counts --plain --shards {params.shards:q}"
        " --counts {params.counts:q} --split {params.split:q}"
        " --corpus {params.corpus:q} --name {wildcards.patches}"
        " --seed {params.seed} --out {output} 2>&1 | tee {log}"


rule train_perceptual:
    """Train the narrow network of the perceptual loss on generated glyphs."""
    output:
        f"{W}/perceptual/trained.h5",
    log:
        f"{W}/logs/train_perceptual.log",
    benchmark:
        f"{W}/benchmarks/train_perceptual.tsv"
    conda:
        "../../envs/twinlens.yaml"
    threads: config["resources"]["threads"]
    resources:
        mem_mb=config["resources"]["mem_mb"],
        runtime=config["resources"]["runtime"],
        gpu=min(1, config["resources"]["gpus"]),
    params:
        recipe=json.dumps(config["training"]["perceptual"].get("recipe", {})),
        seed=seed("perceptual"),
        code=code("training.glyphs"),
    shell:
        "python -m twinlens.training train-vgg --plain --recipe {params.recipe:q}"
        " --seed {params.seed} --threads {threads} --out {output} 2>&1 | tee {log}"


rule import_perceptual:
    """Take the published VGG-16 for the perceptual loss."""
    input:
        lambda wildcards: config["training"]["perceptual"]["weights"],
    output:
        f"{W}/perceptual/given.h5",
    log:
        f"{W}/logs/import_perceptual.log",
    benchmark:
        f"{W}/benchmarks/import_perceptual.tsv"
    conda:
        "../../envs/twinlens.yaml"
    threads: 1
    resources:
        mem_mb=config["resources"]["mem_mb"],
        runtime=config["resources"]["runtime"],
    params:
        file=given_file(config["training"]["perceptual"]["weights"]),
        inputs=json.dumps(config["training"]["perceptual"].get("inputs")),
        code=code("training.given_vgg", *READERS),
    shell:
        "python -m twinlens.training import-vgg --plain --file {input:q}"
        " --inputs {params.inputs}"
        " --out {output} 2>&1 | tee {log}"


rule train_sr:
    """Train one super-resolution network by its recipe."""
    input:
        patches=train_patches,
        start=start_weights,
        perceptual=perceptual_weights,
    output:
        weights=f"{W}/networks/trained/{{network}}.h5",
        log=f"{W}/networks/trained/{{network}}.csv",
        curve=f"{W}/networks/trained/{{network}}.png",
    log:
        f"{W}/logs/train_sr/{{network}}.log",
    benchmark:
        f"{W}/benchmarks/train_sr/{{network}}.tsv"
    conda:
        "../../envs/twinlens.yaml"
    threads: config["resources"]["threads"]
    resources:
        mem_mb=2 * config["resources"]["mem_mb"],
        runtime=config["resources"]["runtime"],
        gpu=config["resources"]["gpus"],
        # Not a parameter: it changes no number.
        readers=config["resources"].get("readers", 0),
    params:
        patches=lambda wildcards, input: json.dumps(list(input.patches)),
        model=lambda wildcards: network_of(wildcards)["model"],
        settings=lambda wildcards: json.dumps(network_of(wildcards)["settings"]),
        recipe=lambda wildcards: json.dumps(recipe_of(wildcards), sort_keys=True),
        split=json.dumps(config["training"]["split"]),
        given=train_options,
        devices=max(1, config["resources"]["gpus"]),
        seed=seed("sr"),
        code=lambda wildcards: code(
            "training.train", f"models.{network_of(wildcards)['model']}"
        ),
    shell:
        "python -m twinlens.training train-sr --plain --name {wildcards.network}"
        " --patches {params.patches:q}"
        " --model {params.model} --settings {params.settings:q}"
        " --recipe {params.recipe:q} --split {params.split:q} {params.given}"
        " --seed {params.seed} --threads {threads} --devices {params.devices}"
        " --workers {resources.readers} --out {output.weights} --log {output.log}"
        " --curve {output.curve} 2>&1 | tee {log}"


rule import_sr:
    """Take published weights of a super-resolution network."""
    input:
        lambda wildcards: network_of(wildcards)["weights"],
    output:
        f"{W}/networks/given/{{network}}.h5",
    log:
        f"{W}/logs/import_sr/{{network}}.log",
    benchmark:
        f"{W}/benchmarks/import_sr/{{network}}.tsv"
    conda:
        "../../envs/twinlens.yaml"
    threads: 1
    resources:
        mem_mb=config["resources"]["mem_mb"],
        runtime=config["resources"]["runtime"],
    params:
        file=lambda wildcards: given_file(network_of(wildcards)["weights"]),
        model=lambda wildcards: network_of(wildcards)["model"],
        settings=lambda wildcards: json.dumps(network_of(wildcards)["settings"]),
        code=lambda wildcards: code(
            "training.given", f"models.{network_of(wildcards)['model']}", *READERS
        ),
    shell:
        "python -m twinlens.training import-sr --plain --name {wildcards.network}"
        " --file {input:q} --model {params.model} --settings {params.settings:q} --out {output}"
        " 2>&1 | tee {log}"
