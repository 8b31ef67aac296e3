# Videos: generated or found, listed, decoded.


rule generate:
    """Generate a playground data set: real video files, from the seed."""
    output:
        f"{WORLD}/data/{{dataset}}/generated.csv",
    log:
        f"{WORLD}/logs/generate/{{dataset}}.log",
    benchmark:
        f"{WORLD}/benchmarks/generate/{{dataset}}.tsv"
    params:
        job=lambda w: as_json(plan.data.generation(w.dataset)),
        folder=f"{WORLD}/data/{{dataset}}",
        code=lambda w: code("media.generate"),
    shell:
        "python -m twinlens.media generate --plain --job {params.job:q}"
        " --folder {params.folder} --out {output} 2>&1 | tee {log}"


rule frames:
    """Decode a shard's clips and keep the frames that recognisers read."""
    input:
        lambda w: plan.data.generated_files(w.dataset),
    output:
        frames=temp_unless_kept(
            f"{WORLD}/frames/{{reader}}/{{dataset}}/{{part}}-{{shard}}{{around}}.h5"
        ),
        report=f"{WORLD}/reports/{{reader}}/{{dataset}}/{{part}}-{{shard}}{{around}}.csv",
    log:
        f"{WORLD}/logs/frames/{{reader}}/{{dataset}}/{{part}}-{{shard}}{{around}}.log",
    benchmark:
        f"{WORLD}/benchmarks/frames/{{reader}}/{{dataset}}/{{part}}-{{shard}}{{around}}.tsv"
    resources:
        # Not a parameter: it changes no number.
        seconds=lambda w: plan.data.decoding_seconds(w.dataset),
    params:
        job=lambda w: as_json(plan.shards.decoding(*w)),
        files=lambda w: plan.data.fingerprint(w.dataset, w.part, w.shard),
        code=lambda w: code(
            "media.frames", *plan.shards.decoding_modules(w.reader, w.dataset, w.part)
        ),
    shell:
        "python -m twinlens.media frames --plain --job {params.job:q}"
        " --seconds {resources.seconds} --out {output.frames}"
        " --report {output.report} 2>&1 | tee {log}"


rule classes:
    """List a data set's classes with their labels."""
    input:
        lambda w: plan.data.generated_files(w.dataset),
    output:
        f"{WORLD}/manifest/{{dataset}}/classes.csv",
    log:
        f"{WORLD}/logs/classes/{{dataset}}.log",
    localrule: True
    params:
        job=lambda w: as_json(plan.data.listing(w.dataset)),
        names=lambda w: plan.data.class_names(w.dataset),
        code=lambda w: code("media.classes", *plan.data.modules(w.dataset)),
    shell:
        "python -m twinlens.media classes --plain --job {params.job:q}"
        " --out {output} 2>&1 | tee {log}"


rule manifest:
    """Join a data set's reports; stop if too many clips were rejected."""
    input:
        lambda w: plan.shards.reports(w.dataset),
    output:
        manifest=f"{WORLD}/manifest/{{dataset}}/manifest.csv",
        missing=f"{WORLD}/manifest/{{dataset}}/missing.csv",
        rejected=f"{WORLD}/manifest/{{dataset}}/rejected.csv",
        cautions=f"{WORLD}/manifest/{{dataset}}/cautions.csv",
    log:
        f"{WORLD}/logs/manifest/{{dataset}}.log",
    # Before all else: if too many clips were rejected, the run stops here.
    priority: 100
    localrule: True
    params:
        job=lambda w: as_json(plan.data.manifest(w.dataset)),
        code=lambda w: code("media.manifest", *plan.data.modules(w.dataset)),
    shell:
        "python -m twinlens.media manifest --plain --reports {input}"
        " --job {params.job:q} --out {output.manifest}"
        " --missing {output.missing} --rejected {output.rejected}"
        " --cautions {output.cautions} 2>&1 | tee {log}"
