# Low resolution, and super-resolution by each method.


rule degrade:
    """Shrink a shard to low resolution."""
    input:
        f"{WORLD}/frames/{{reader}}/{{dataset}}/{{part}}-{{shard}}{{around}}.h5",
    output:
        # Kept in every world: it is small, and a method that is added later starts here.
        f"{WORLD}/low/{{reader}}/{{dataset}}/{{part}}-{{shard}}{{around}}.h5",
    log:
        f"{WORLD}/logs/degrade/{{reader}}/{{dataset}}/{{part}}-{{shard}}{{around}}.log",
    benchmark:
        f"{WORLD}/benchmarks/degrade/{{reader}}/{{dataset}}/{{part}}-{{shard}}{{around}}.tsv"
    params:
        job=lambda w: as_json(plan.shards.degradation(w.dataset)),
        code=lambda w: code("degrade.stage"),
    shell:
        "python -m twinlens.degrade --plain --frames {input} --job {params.job:q}"
        " --out {output} 2>&1 | tee {log}"


rule super_resolve:
    """Enlarge a low-resolution shard by one method."""
    input:
        low=lambda w: plan.shards.low_files(*w),
        weights=lambda w: plan.networks.sr_file(w.method),
    output:
        temp_unless_kept(
            f"{WORLD}/sr/{{reader}}/{{dataset}}/{{method}}/{{part}}-{{shard}}.h5"
        ),
    log:
        f"{WORLD}/logs/sr/{{reader}}/{{dataset}}/{{method}}/{{part}}-{{shard}}.log",
    benchmark:
        f"{WORLD}/benchmarks/sr/{{reader}}/{{dataset}}/{{method}}/{{part}}-{{shard}}.tsv"
    threads: plan.threads
    resources:
        gpu=plan.gpu,
    params:
        job=lambda w: as_json(plan.shards.enlargement(*w[:4])),
        code=lambda w: code("sr.stage", *plan.shards.enlargement_modules(*w[:4])),
    shell:
        "python -m twinlens.sr sr --plain --low {input.low}"
        " --weights={input.weights} --job {params.job:q} --threads {threads}"
        " --out {output} 2>&1 | tee {log}"


rule quality:
    """Compare a method's frames of a shard with the originals."""
    input:
        frames=lambda w: plan.shards.measured_frames(*w),
        originals=lambda w: plan.shards.measured_originals(w.dataset, w.part, w.shard),
        motion=lambda w: plan.shards.quality_motion(w.dataset, w.part, w.shard),
    output:
        f"{WORLD}/quality/{{dataset}}/{{method}}/{{part}}-{{shard}}.csv",
    log:
        f"{WORLD}/logs/quality/{{dataset}}/{{method}}/{{part}}-{{shard}}.log",
    benchmark:
        f"{WORLD}/benchmarks/quality/{{dataset}}/{{method}}/{{part}}-{{shard}}.tsv"
    params:
        job=lambda w: as_json(plan.shards.measurement(w.dataset, w.method, w.part)),
        code=lambda w: code("quality.stage", *plan.shards.first_modules),
    shell:
        "python -m twinlens.quality --plain --frames {input.frames}"
        " --originals {input.originals} --motion {input.motion}"
        " --job {params.job:q} --out {output} 2>&1 | tee {log}"
