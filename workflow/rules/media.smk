# Videos: generated or found, listed, decoded.


rule generate:
    """Make a playground data set: real video files, from the seed."""
    output:
        f"{W}/data/{{dataset}}/generated.csv",
    log:
        f"{W}/logs/generate/{{dataset}}.log",
    benchmark:
        f"{W}/benchmarks/generate/{{dataset}}.tsv"
    conda:
        "../../envs/twinlens.yaml"
    threads: 1
    resources:
        mem_mb=config["resources"]["mem_mb"],
        runtime=config["resources"]["runtime"],
    params:
        settings=generated_json,
        seed=seed("playground"),
        folder=f"{W}/data/{{dataset}}",
        code=code("media.generate"),
    shell:
        "python -m twinlens.media generate --plain --dataset {wildcards.dataset}"
        " --settings {params.settings:q} --seed {params.seed}"
        " --folder {params.folder} --out {output} 2>&1 | tee {log}"


rule frames:
    """Decode a shard's clips and keep the frames that the recogniser reads."""
    input:
        generated_files,
    output:
        frames=passing(f"{W}/frames/{{dataset}}/{{part}}-{{shard}}{{around}}.h5"),
        report=f"{W}/reports/{{dataset}}/{{part}}-{{shard}}{{around}}.csv",
    log:
        f"{W}/logs/frames/{{dataset}}/{{part}}-{{shard}}{{around}}.log",
    benchmark:
        f"{W}/benchmarks/frames/{{dataset}}/{{part}}-{{shard}}{{around}}.tsv"
    conda:
        "../../envs/twinlens.yaml"
    threads: 1
    resources:
        mem_mb=config["resources"]["mem_mb"],
        runtime=config["resources"]["runtime"],
        # Not a parameter: it changes no number.
        seconds=decoding_seconds,
    params:
        settings=settings_json,
        protocol=protocol,
        shards=lambda wildcards: shard_count(wildcards.dataset, wildcards.part),
        keep=kept,
        around=neighbours,
        seed=seed("sampling"),
        files=fingerprint,
        code=lambda wildcards: code(
            "media.frames", f"media.sets.{settings(wildcards.dataset)['kind']}"
        ),
    shell:
        "python -m twinlens.media frames --plain --dataset {wildcards.dataset}"
        " --settings {params.settings:q} --part {wildcards.part}"
        " --protocol {params.protocol:q} --shard {wildcards.shard}"
        " --shards {params.shards} --seed {params.seed} --keep {params.keep}"
        " --around {params.around} --seconds {resources.seconds}"
        " --out {output.frames} --report {output.report} 2>&1 | tee {log}"


rule classes:
    """List a data set's classes with their labels."""
    input:
        generated_files,
    output:
        f"{W}/manifest/{{dataset}}/classes.csv",
    log:
        f"{W}/logs/classes/{{dataset}}.log",
    benchmark:
        f"{W}/benchmarks/classes/{{dataset}}.tsv"
    conda:
        "../../envs/twinlens.yaml"
    threads: 1
    resources:
        mem_mb=config["resources"]["mem_mb"],
        runtime=config["resources"]["runtime"],
    params:
        settings=settings_json,
        names=class_names,
        code=lambda wildcards: code(
            "media.classes", f"media.sets.{settings(wildcards.dataset)['kind']}"
        ),
    shell:
        "python -m twinlens.media classes --plain --settings {params.settings:q}"
        " --out {output} 2>&1 | tee {log}"


rule manifest:
    """Join a data set's reports; stop if too many clips were rejected."""
    input:
        lambda wildcards: [
            f"{W}/reports/{wildcards.dataset}/{part}-{shard}.csv"
            for part in parts(wildcards.dataset)
            for shard in shard_numbers(wildcards.dataset, part)
        ],
    output:
        manifest=f"{W}/manifest/{{dataset}}/manifest.csv",
        missing=f"{W}/manifest/{{dataset}}/missing.csv",
        rejected=f"{W}/manifest/{{dataset}}/rejected.csv",
    log:
        f"{W}/logs/manifest/{{dataset}}.log",
    benchmark:
        f"{W}/benchmarks/manifest/{{dataset}}.tsv"
    # Before all else: if too many clips were rejected, the run stops here.
    priority: 100
    conda:
        "../../envs/twinlens.yaml"
    threads: 1
    resources:
        mem_mb=config["resources"]["mem_mb"],
        runtime=config["resources"]["runtime"],
    params:
        settings=settings_json,
        reports=lambda wildcards, input: json.dumps(list(input)),
        most=lambda wildcards: settings(wildcards.dataset).get("max_rejected", 0.02),
        code=lambda wildcards: code(
            "media.manifest", f"media.sets.{settings(wildcards.dataset)['kind']}"
        ),
    shell:
        "python -m twinlens.media manifest --plain --dataset {wildcards.dataset}"
        " --settings {params.settings:q} --reports {params.reports:q}"
        " --out {output.manifest}"
        " --missing {output.missing} --rejected {output.rejected}"
        " --max_rejected {params.most} 2>&1 | tee {log}"
