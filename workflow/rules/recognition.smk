# Recognisers: trained on original clips, then scoring test clips of every method.


rule train_recogniser:
    """Train a network of a recogniser on original training clips."""
    input:
        frames=lambda w: plan.networks.training_frames(*w),
        flow=lambda w: plan.networks.training_flow(*w),
        starts=lambda w: plan.networks.recogniser_starts(*w),
        classes=f"{WORLD}/manifest/{{dataset}}/classes.csv",
    output:
        network=f"{WORLD}/networks/recogniser/trained/{{recogniser}}-{{dataset}}-{{key}}.h5",
        log=f"{WORLD}/networks/recogniser/trained/{{recogniser}}-{{dataset}}-{{key}}.csv",
    log:
        f"{WORLD}/logs/train_recogniser/{{recogniser}}-{{dataset}}-{{key}}.log",
    benchmark:
        f"{WORLD}/benchmarks/train_recogniser/{{recogniser}}-{{dataset}}-{{key}}.tsv"
    threads: plan.threads
    resources:
        gpu=plan.gpu,
    params:
        job=lambda w: as_json(plan.networks.recogniser_job(*w)),
        kind=lambda w: plan.world.recognisers[w.recogniser].kind,
        code=lambda w: code(*plan.networks.training_modules(*w)),
    shell:
        "python -m twinlens.recognition train --plain --kind {params.kind}"
        " --job {params.job:q} --frames={input.frames} --flow={input.flow}"
        " --classes {input.classes} --starts={input.starts} --threads {threads}"
        " --out {output.network} --log {output.log} 2>&1 | tee {log}"


rule score:
    """Score a shard's test clips of one row by a recogniser."""
    input:
        frames=lambda w: plan.scores.frames(*w),
        flow=lambda w: plan.scores.flow(*w),
        networks=lambda w: plan.scores.networks_of(w.recogniser, w.dataset, w.row),
    output:
        f"{WORLD}/scores/{{recogniser}}/{{dataset}}/{{row}}/{{part}}-{{shard}}.h5",
    log:
        f"{WORLD}/logs/score/{{recogniser}}/{{dataset}}/{{row}}/{{part}}-{{shard}}.log",
    benchmark:
        f"{WORLD}/benchmarks/score/{{recogniser}}/{{dataset}}/{{row}}/{{part}}-{{shard}}.tsv"
    threads: plan.threads
    resources:
        gpu=plan.gpu,
    params:
        job=lambda w: as_json(plan.scores.job(*w[:4])),
        code=lambda w: code(*plan.scores.modules(w.recogniser, w.dataset, w.row)),
    shell:
        "python -m twinlens.recognition score --plain --frames={input.frames}"
        " --flow={input.flow} --networks={input.networks} --job {params.job:q}"
        " --threads {threads} --out {output} 2>&1 | tee {log}"
