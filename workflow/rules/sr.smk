# Low resolution, and back up by each method.


rule degrade:
    """Make the low-resolution twin of a shard."""
    input:
        f"{W}/frames/{{dataset}}/{{part}}-{{shard}}.h5",
    output:
        # Kept in every world: it is small, and a method that is added later starts here.
        f"{W}/low/{{dataset}}/{{part}}-{{shard}}.h5",
    log:
        f"{W}/logs/degrade/{{dataset}}/{{part}}-{{shard}}.log",
    benchmark:
        f"{W}/benchmarks/degrade/{{dataset}}/{{part}}-{{shard}}.tsv"
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
        " --out {output} 2>&1 | tee {log}"


rule super_resolve:
    """Enlarge a low-resolution shard by one method."""
    input:
        low_frames,
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
        gpu=config["resources"]["gpus"],
    params:
        model=model,
        settings=lambda wildcards: json.dumps(
            config["methods"][wildcards.method].get("settings", {})
        ),
        code=lambda wildcards: code("sr.stage", f"models.{model(wildcards)}"),
    shell:
        "python -m twinlens.sr --plain --low {input} --method {wildcards.method}"
        " --model {params.model} --settings {params.settings:q} --out {output}"
        " 2>&1 | tee {log}"
