# Optical flow of original and super-resolved frames.


rule flow:
    """Compute the TV-L1 flow that the temporal stream reads of a shard."""
    input:
        frames=frames_of_stream("temporal"),
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
        " --report {input.report} --dataset {wildcards.dataset}"
        " --method {wildcards.method}"
        " --protocol {params.protocol:q} --preset {params.preset}"
        " --bound {params.bound} --size {params.size:q} --seed {params.seed}"
        " --threads {threads} --out {output} 2>&1 | tee {log}"


rule motion:
    """Compute the motion of originals in pixels: to train on, and to judge by."""
    input:
        frames=f"{W}/frames/{{dataset}}/{{part}}-{{shard}}.h5",
        network=motion_network,
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
        gpu=motion_gpus,
    params:
        protocol=protocol,
        pairs=motion_pairs,
        gap=lambda wildcards: wildcards.motion.partition("-")[2],
        estimator=estimator,
        options=motion_options,
        seed=seed("patches"),
        code=lambda wildcards: code(
            "flow.motion", f"flow.estimators.{estimator(wildcards)}"
        ),
    shell:
        "python -m twinlens.flow motion --plain --frames {input.frames}"
        " --dataset {wildcards.dataset}"
        " --protocol {params.protocol:q} --pairs {params.pairs} --gap {params.gap}"
        " --estimator {params.estimator} {params.options}"
        " --seed {params.seed} --threads {threads} --out {output} 2>&1 | tee {log}"


rule train_flownet2:
    """Train a narrow FlowNet2 on generated pairs, where no weights are given."""
    output:
        network=f"{W}/flownet2/trained.h5",
        log=f"{W}/flownet2/trained.csv",
        curve=f"{W}/flownet2/trained.png",
    log:
        f"{W}/logs/train_flownet2.log",
    benchmark:
        f"{W}/benchmarks/train_flownet2.tsv"
    conda:
        "../../envs/twinlens.yaml"
    threads: config["resources"]["threads"]
    resources:
        mem_mb=config["resources"]["mem_mb"],
        runtime=config["resources"]["runtime"],
        gpu=min(1, config["resources"]["gpus"]),
    params:
        width=config["flow"]["flownet2"]["width"],
        recipe=json.dumps(config["flow"]["flownet2"].get("recipe", {})),
        seed=seed("flownet2"),
        code=code("training.flow"),
    shell:
        "python -m twinlens.training train-flow --plain --width {params.width}"
        " --recipe {params.recipe:q} --seed {params.seed} --threads {threads}"
        " --out {output.network} --log {output.log} --curve {output.curve}"
        " 2>&1 | tee {log}"


rule import_flownet2:
    """Take a published FlowNet2."""
    input:
        lambda wildcards: config["flow"]["flownet2"]["weights"],
    output:
        f"{W}/flownet2/given.h5",
    log:
        f"{W}/logs/import_flownet2.log",
    benchmark:
        f"{W}/benchmarks/import_flownet2.tsv"
    conda:
        "../../envs/twinlens.yaml"
    threads: 1
    resources:
        mem_mb=config["resources"]["mem_mb"],
        runtime=config["resources"]["runtime"],
    params:
        file=given_file(config["flow"]["flownet2"]["weights"]),
        code=code("training.given_flownet2", *READERS),
    shell:
        "python -m twinlens.training import-flow --plain --file {input:q}"
        " --out {output} 2>&1 | tee {log}"


rule flow_error:
    """Measure FlowNet2, TV-L1 and zero flow on generated pairs held out."""
    input:
        flownet2_file,
    output:
        f"{W}/flow_error.csv",
    log:
        f"{W}/logs/flow_error.log",
    benchmark:
        f"{W}/benchmarks/flow_error.tsv"
    conda:
        "../../envs/twinlens.yaml"
    threads: config["resources"]["threads"]
    resources:
        mem_mb=config["resources"]["mem_mb"],
        runtime=config["resources"]["runtime"],
        gpu=min(1, config["resources"]["gpus"]),
    params:
        preset=config["flow"]["preset"],
        seed=seed("flownet2"),
        code=code(
            "training.flow_error", "flow.estimators.tvl1", "flow.estimators.flownet2"
        ),
    shell:
        "python -m twinlens.training flow-error --plain --network {input}"
        " --preset {params.preset} --seed {params.seed} --threads {threads}"
        " --out {output} 2>&1 | tee {log}"
