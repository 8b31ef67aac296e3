# Optical flow of original and super-resolved frames.


rule flow:
    """Compute the flow of a shard that a recogniser reads."""
    input:
        frames=lambda w: plan.shards.frames_read_as("flow", *w),
        network=lambda w: plan.networks.flow_network(plan.shards.flow_of(w.recogniser)),
    output:
        temp_unless_kept(
            f"{WORLD}/flow/{{recogniser}}/{{dataset}}/{{method}}/{{part}}-{{shard}}.h5"
        ),
    log:
        f"{WORLD}/logs/flow/{{recogniser}}/{{dataset}}/{{method}}/{{part}}-{{shard}}.log",
    benchmark:
        f"{WORLD}/benchmarks/flow/{{recogniser}}/{{dataset}}/{{method}}/{{part}}-{{shard}}.tsv"
    threads: plan.threads
    resources:
        gpu=lambda w: plan.flow_gpu(plan.shards.flow_of(w.recogniser)),
    params:
        job=lambda w: as_json(plan.shards.flow_job(*w[:4])),
        code=lambda w: code("flow.stage", *plan.shards.flow_job_modules(*w[:4])),
    shell:
        "python -m twinlens.flow flow --plain --frames {input.frames}"
        " --network={input.network} --job {params.job:q} --threads {threads}"
        " --out {output} 2>&1 | tee {log}"


rule motion:
    """Estimate the motion of originals in pixels: to train on, and to compare."""
    input:
        frames=lambda w: plan.shards.motion_frames(w.dataset, w.part, w.shard),
        network=lambda w: plan.networks.flow_network(w.flow),
    output:
        temp_unless_kept(
            f"{WORLD}/motion/{{dataset}}/{{flow}}-{{gap}}/{{part}}-{{shard}}.h5"
        ),
    log:
        f"{WORLD}/logs/motion/{{dataset}}/{{flow}}-{{gap}}/{{part}}-{{shard}}.log",
    benchmark:
        f"{WORLD}/benchmarks/motion/{{dataset}}/{{flow}}-{{gap}}/{{part}}-{{shard}}.tsv"
    threads: plan.threads
    resources:
        gpu=lambda w: plan.flow_gpu(w.flow),
    params:
        job=lambda w: as_json(plan.shards.motion_job(w.dataset, w.flow, w.gap, w.part)),
        code=lambda w: code("flow.motion", *plan.shards.motion_modules(w.flow, w.part)),
    shell:
        "python -m twinlens.flow motion --plain --frames {input.frames}"
        " --network={input.network} --job {params.job:q} --threads {threads}"
        " --out {output} 2>&1 | tee {log}"


rule flow_error:
    """Measure flow estimators on generated pairs held out."""
    input:
        plan.networks.flow_error_networks(),
    output:
        f"{WORLD}/flow_error.csv",
    log:
        f"{WORLD}/logs/flow_error.log",
    benchmark:
        f"{WORLD}/benchmarks/flow_error.tsv"
    threads: plan.threads
    resources:
        gpu=plan.gpu,
    params:
        job=lambda w: as_json(plan.networks.flow_error_job()),
        code=lambda w: code("flow.error", *plan.networks.flow_error_modules()),
    shell:
        "python -m twinlens.flow flow-error --plain --networks={input}"
        " --job {params.job:q} --threads {threads} --out {output} 2>&1 | tee {log}"
