# Optical flow of original and super-resolved frames.


rule flow:
    """Compute the TV-L1 flow that the temporal stream reads of a shard."""
    input:
        frames=high_frames,
        report=f"{W}/reports/{{dataset}}/{{part}}-{{shard}}.csv",
    output:
        passing(f"{W}/flow/{{dataset}}/{{method}}/{{part}}-{{shard}}.h5"),
    log:
        f"{W}/logs/flow/{{dataset}}/{{method}}/{{part}}-{{shard}}.log",
    benchmark:
        f"{W}/benchmarks/flow/{{dataset}}/{{method}}/{{part}}-{{shard}}.tsv"
    conda:
        "../../envs/twinlens.yaml"
    threads: config["resources"]["threads"]
    resources:
        mem_mb=config["resources"]["mem_mb"],
        runtime=config["resources"]["runtime"],
    params:
        protocol=protocol,
        preset=config["flow"]["preset"],
        bound=config["flow"]["bound"],
        size=json.dumps(RECOGNISER["views"].get("size")),
        seed=seed("sampling"),
        code=code("flow.stage"),
    shell:
        "python -m twinlens.flow flow --plain --frames {input.frames}"
        " --report {input.report} --method {wildcards.method}"
        " --protocol {params.protocol:q} --preset {params.preset}"
        " --bound {params.bound} --size {params.size:q} --seed {params.seed}"
        " --threads {threads} --out {output} 2>&1 | tee {log}"


rule motion:
    """Compute the motion of originals in pixels: to train on, and to judge by."""
    input:
        f"{W}/frames/{{dataset}}/{{part}}-{{shard}}.h5",
    output:
        passing(f"{W}/motion/{{dataset}}/{{motion}}/{{part}}-{{shard}}.h5"),
    log:
        f"{W}/logs/motion/{{dataset}}/{{motion}}/{{part}}-{{shard}}.log",
    benchmark:
        f"{W}/benchmarks/motion/{{dataset}}/{{motion}}/{{part}}-{{shard}}.tsv"
    conda:
        "../../envs/twinlens.yaml"
    threads: config["resources"]["threads"]
    resources:
        mem_mb=config["resources"]["mem_mb"],
        runtime=config["resources"]["runtime"],
    params:
        protocol=protocol,
        pairs=motion_pairs,
        gap=lambda wildcards: wildcards.motion.partition("-")[2],
        estimator=lambda wildcards: wildcards.motion.partition("-")[0],
        preset=config["flow"]["preset"],
        seed=seed("patches"),
        code=code("flow.motion"),
    shell:
        "python -m twinlens.flow motion --plain --frames {input}"
        " --protocol {params.protocol:q} --pairs {params.pairs} --gap {params.gap}"
        " --estimator {params.estimator} --preset {params.preset}"
        " --seed {params.seed} --threads {threads} --out {output} 2>&1 | tee {log}"
