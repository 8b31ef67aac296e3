# The recogniser: trained on originals or given, then asked.


rule train_recogniser:
    """Train one stream of the recogniser on original training clips."""
    input:
        images=train_images,
        reports=train_reports,
        classes=f"{W}/manifest/{{dataset}}/classes.csv",
        init=init_weights,
    output:
        weights=f"{W}/tsn/{{dataset}}/trained-{{stream}}.h5",
        log=f"{W}/tsn/{{dataset}}/trained-{{stream}}.csv",
    log:
        f"{W}/logs/train_recogniser/{{dataset}}/{{stream}}.log",
    benchmark:
        f"{W}/benchmarks/train_recogniser/{{dataset}}/{{stream}}.tsv"
    conda:
        "../../envs/twinlens.yaml"
    threads: config["resources"]["threads"]
    resources:
        mem_mb=2 * config["resources"]["mem_mb"],
        runtime=config["resources"]["runtime"],
        gpu=min(1, config["resources"]["gpus"]),
    params:
        images=lambda wildcards, input: json.dumps(list(input.images)),
        reports=lambda wildcards, input: json.dumps(list(input.reports)),
        init=init_option,
        backbone=RECOGNISER["backbone"],
        recipe=recipe,
        protocol=sampling("train"),
        views=views("crops"),
        seed=seed("sampling"),
        code=code(
            "recognition.train", f"recognition.backbones.{RECOGNISER['backbone']}"
        ),
    shell:
        "python -m twinlens.recognition train --plain --images {params.images:q}"
        " --reports {params.reports:q} --classes {input.classes}"
        " --dataset {wildcards.dataset} --stream {wildcards.stream}"
        " --backbone {params.backbone} --recipe {params.recipe:q} {params.init}"
        " --protocol {params.protocol:q} --views {params.views:q}"
        " --seed {params.seed} --threads {threads} --out {output.weights}"
        " --log {output.log} 2>&1 | tee {log}"


rule import_recogniser:
    """Take published weights of a stream instead of training it."""
    input:
        file=lambda wildcards: RECOGNISER["weights"][wildcards.dataset][
            wildcards.stream
        ],
        classes=f"{W}/manifest/{{dataset}}/classes.csv",
    output:
        f"{W}/tsn/{{dataset}}/given-{{stream}}.h5",
    log:
        f"{W}/logs/import_recogniser/{{dataset}}/{{stream}}.log",
    benchmark:
        f"{W}/benchmarks/import_recogniser/{{dataset}}/{{stream}}.tsv"
    conda:
        "../../envs/twinlens.yaml"
    threads: 1
    resources:
        mem_mb=config["resources"]["mem_mb"],
        runtime=config["resources"]["runtime"],
    params:
        file=lambda wildcards: given_file(
            RECOGNISER["weights"][wildcards.dataset][wildcards.stream]
        ),
        backbone=RECOGNISER["backbone"],
        stack=RECOGNISER["sampling"]["stack"],
        code=code(
            "recognition.given",
            f"recognition.backbones.{RECOGNISER['backbone']}",
            *READERS,
        ),
    shell:
        "python -m twinlens.recognition import --plain --file {input.file:q}"
        " --backbone {params.backbone} --stream {wildcards.stream}"
        " --dataset {wildcards.dataset} --classes {input.classes}"
        " --stack {params.stack} --out {output} 2>&1 | tee {log}"


rule import_images:
    """Take the image network that training starts from."""
    input:
        lambda wildcards: RECOGNISER["init"],
    output:
        f"{W}/tsn/images.h5",
    log:
        f"{W}/logs/import_images.log",
    benchmark:
        f"{W}/benchmarks/import_images.tsv"
    conda:
        "../../envs/twinlens.yaml"
    threads: 1
    resources:
        mem_mb=config["resources"]["mem_mb"],
        runtime=config["resources"]["runtime"],
    params:
        file=given_file(RECOGNISER.get("init")),
        backbone=RECOGNISER["backbone"],
        code=code(
            "recognition.given",
            f"recognition.backbones.{RECOGNISER['backbone']}",
            *READERS,
        ),
    shell:
        "python -m twinlens.recognition import --plain --file {input:q}"
        " --backbone {params.backbone} --stream spatial --dataset images"
        " --out {output} 2>&1 | tee {log}"


rule score:
    """Score both streams of a shard's test clips for one method."""
    input:
        frames=high_frames,
        flow=score_flow,
        report=f"{W}/reports/{{dataset}}/{{part}}-{{shard}}.csv",
        spatial=score_weights("spatial"),
        temporal=score_weights("temporal"),
    output:
        f"{W}/scores/{{dataset}}/{{method}}/{{part}}-{{shard}}.h5",
    log:
        f"{W}/logs/score/{{dataset}}/{{method}}/{{part}}-{{shard}}.log",
    benchmark:
        f"{W}/benchmarks/score/{{dataset}}/{{method}}/{{part}}-{{shard}}.tsv"
    conda:
        "../../envs/twinlens.yaml"
    threads: config["resources"]["threads"]
    resources:
        mem_mb=config["resources"]["mem_mb"],
        runtime=config["resources"]["runtime"],
        gpu=min(1, config["resources"]["gpus"]),
    params:
        protocol=protocol,
        views=views("scales"),
        streams=stream_options,
        code=code(
            "recognition.score", f"recognition.backbones.{RECOGNISER['backbone']}"
        ),
    shell:
        "python -m twinlens.recognition score --plain --frames {input.frames}"
        " --report {input.report} {params.streams} --dataset {wildcards.dataset}"
        " --method {wildcards.method} --protocol {params.protocol:q}"
        " --views {params.views:q} --threads {threads} --out {output}"
        " 2>&1 | tee {log}"
