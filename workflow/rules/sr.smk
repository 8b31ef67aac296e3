# Low resolution, and back up by each method.


rule degrade:
    """Make the low-resolution twin of a shard."""
    input:
        f"{W}/frames/{{dataset}}/{{part}}-{{shard}}{{around}}.h5",
    output:
        # Kept in every world: it is small, and a method that is added later starts here.
        f"{W}/low/{{dataset}}/{{part}}-{{shard}}{{around}}.h5",
    log:
        f"{W}/logs/degrade/{{dataset}}/{{part}}-{{shard}}{{around}}.log",
    benchmark:
        f"{W}/benchmarks/degrade/{{dataset}}/{{part}}-{{shard}}{{around}}.tsv"
    conda:
        "../../envs/twinlens.yaml"
    threads: 1
    resources:
        mem_mb=config["resources"]["mem_mb"],
        runtime=config["resources"]["runtime"],
    params:
        scale=config["scale"],
        code=code("degrade.stage"),
    shell:
        "python -m twinlens.degrade --plain --frames {input} --scale {params.scale}"
        " --dataset {wildcards.dataset} --out {output} 2>&1 | tee {log}"


rule super_resolve:
    """Enlarge a low-resolution shard by one method."""
    input:
        low=low_frames,
        weights=sr_weights,
    output:
        passing(f"{W}/sr/{{dataset}}/{{method}}/{{part}}-{{shard}}.h5"),
    log:
        f"{W}/logs/sr/{{dataset}}/{{method}}/{{part}}-{{shard}}.log",
    benchmark:
        f"{W}/benchmarks/sr/{{dataset}}/{{method}}/{{part}}-{{shard}}.tsv"
    conda:
        "../../envs/twinlens.yaml"
    threads: config["resources"]["threads"]
    resources:
        mem_mb=config["resources"]["mem_mb"],
        runtime=config["resources"]["runtime"],
        gpu=min(1, config["resources"]["gpus"]),
    params:
        model=model,
        settings=model_settings,
        given=weights_option,
        protocol=protocol,
        streams=lambda wildcards: json.dumps(sorted(read(wildcards.method))),
        keep=kept,
        seed=seed("sampling"),
        code=lambda wildcards: code("sr.stage", f"models.{model(wildcards)}"),
    shell:
        "python -m twinlens.sr sr --plain --low {input.low} --method {wildcards.method}"
        " --dataset {wildcards.dataset}"
        " --model {params.model} --settings {params.settings:q} {params.given}"
        " --protocol {params.protocol:q} --streams {params.streams:q}"
        " --keep {params.keep} --seed {params.seed} --threads {threads}"
        " --out {output} 2>&1 | tee {log}"


rule quality:
    """Compare a method's frames of a shard with the originals."""
    input:
        frames=frames_of_stream("spatial"),
        originals=f"{W}/frames/{{dataset}}/{{part}}-{{shard}}.h5",
        motion=f"{W}/motion/{{dataset}}/tvl1-1/{{part}}-{{shard}}.h5",
    output:
        f"{W}/quality/{{dataset}}/{{method}}/{{part}}-{{shard}}.csv",
    log:
        f"{W}/logs/quality/{{dataset}}/{{method}}/{{part}}-{{shard}}.log",
    benchmark:
        f"{W}/benchmarks/quality/{{dataset}}/{{method}}/{{part}}-{{shard}}.tsv"
    conda:
        "../../envs/twinlens.yaml"
    threads: 1
    resources:
        mem_mb=config["resources"]["mem_mb"],
        runtime=config["resources"]["runtime"],
    params:
        protocol=protocol,
        steadiness=lambda wildcards: str("temporal" in read(wildcards.method)).lower(),
        code=code("quality.stage"),
    shell:
        "python -m twinlens.quality --plain --frames {input.frames}"
        " --originals {input.originals} --motion {input.motion}"
        " --method {wildcards.method} --protocol {params.protocol:q}"
        " --steadiness {params.steadiness} --out {output} 2>&1 | tee {log}"
