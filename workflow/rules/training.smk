# Networks: patches to train super-resolution on, trainings, published weights.


rule patches:
    """Cut a corpus shard into training patches."""
    input:
        frames=lambda w: plan.networks.patch_frames(w.patches, w.shard),
        motion=lambda w: plan.networks.patch_motion(w.patches, w.shard),
    output:
        patches=temp_unless_kept(f"{WORLD}/patches/{{patches}}/{{shard}}.h5"),
        counts=f"{WORLD}/patches/{{patches}}/{{shard}}.csv",
    log:
        f"{WORLD}/logs/patches/{{patches}}/{{shard}}.log",
    benchmark:
        f"{WORLD}/benchmarks/patches/{{patches}}/{{shard}}.tsv"
    params:
        job=lambda w: as_json(plan.networks.cutting(w.patches)),
        code=lambda w: code("patches.stage"),
    shell:
        "python -m twinlens.patches patches --plain --frames {input.frames}"
        " --motion {input.motion} --job {params.job:q}"
        " --out {output.patches} --counts {output.counts} 2>&1 | tee {log}"


rule count_patches:
    """Count a set's patches, kept and dropped, beside the published numbers."""
    input:
        shards=lambda w: plan.networks.patch_files(w.patches),
        counts=lambda w: plan.networks.patch_files(w.patches, "csv"),
    output:
        f"{WORLD}/patches/{{patches}}.csv",
    log:
        f"{WORLD}/logs/count_patches/{{patches}}.log",
    benchmark:
        f"{WORLD}/benchmarks/count_patches/{{patches}}.tsv"
    params:
        job=lambda w: as_json(plan.networks.counting(w.patches)),
        code=lambda w: code("patches.counts"),
    shell:
        "python -m twinlens.patches counts --plain --shards {input.shards}"
        " --counts {input.counts} --job {params.job:q} --out {output} 2>&1 | tee {log}"


rule train_sr:
    """Train one super-resolution network by its recipe."""
    input:
        patches=lambda w: plan.networks.training_patches(w.network),
        start=lambda w: plan.networks.start_file(w.network),
        perceptual=lambda w: plan.networks.perceptual_file(w.network),
    output:
        network=f"{WORLD}/networks/sr/trained/{{network}}.h5",
        log=f"{WORLD}/networks/sr/trained/{{network}}.csv",
        curve=report(
            f"{WORLD}/networks/sr/trained/{{network}}.png",
            caption="../report/curve.rst",
            category="Trainings",
            labels={"network": "{network}"},
        ),
    log:
        f"{WORLD}/logs/train_sr/{{network}}.log",
    benchmark:
        f"{WORLD}/benchmarks/train_sr/{{network}}.tsv"
    threads: plan.threads
    resources:
        gpu=plan.gpus,
        cpus_per_task=plan.training_cpus,
        # Not a parameter: it changes no number.
        workers=plan.world.resources.workers,
    params:
        job=lambda w: as_json(plan.networks.sr_training(w.network)),
        devices=max(1, plan.gpus),
        code=lambda w: code("training.train", *plan.methods.modules(w.network)),
    shell:
        "python -m twinlens.training --plain --patches {input.patches}"
        " --start={input.start} --perceptual={input.perceptual}"
        " --job {params.job:q} --threads {threads} --devices {params.devices}"
        " --workers {resources.workers} --out {output.network}"
        " --log {output.log} --curve {output.curve} 2>&1 | tee {log}"


rule train_perceptual:
    """Train the narrow network of the perceptual loss on generated glyphs."""
    output:
        f"{WORLD}/networks/perceptual/trained/vgg.h5",
    log:
        f"{WORLD}/logs/train_perceptual.log",
    benchmark:
        f"{WORLD}/benchmarks/train_perceptual.tsv"
    threads: plan.threads
    resources:
        gpu=plan.gpu,
    params:
        job=lambda w: as_json(plan.networks.perceptual_training()),
        code=lambda w: code("perceptual.train", "perceptual.vgg"),
    shell:
        "python -m twinlens.perceptual --plain --job {params.job:q}"
        " --threads {threads} --out {output} 2>&1 | tee {log}"


rule train_flow:
    """Train a narrow flow network on generated pairs."""
    output:
        network=f"{WORLD}/networks/flow/trained/{{flow}}.h5",
        log=f"{WORLD}/networks/flow/trained/{{flow}}.csv",
        curve=f"{WORLD}/networks/flow/trained/{{flow}}.png",
    log:
        f"{WORLD}/logs/train_flow/{{flow}}.log",
    benchmark:
        f"{WORLD}/benchmarks/train_flow/{{flow}}.tsv"
    threads: plan.threads
    resources:
        gpu=plan.gpu,
    params:
        job=lambda w: as_json(plan.networks.flow_training(w.flow)),
        code=lambda w: code("flow.flownet2.train", *plan.shards.flow_modules(w.flow)),
    shell:
        "python -m twinlens.flow train-flow --plain --job {params.job:q}"
        " --threads {threads} --out {output.network} --log {output.log}"
        " --curve {output.curve} 2>&1 | tee {log}"


rule import_network:
    """Import published weights of a network of any family."""
    input:
        file=lambda w: plan.networks.published(*w).file,
        classes=lambda w: plan.networks.published_classes(*w),
    output:
        f"{WORLD}/networks/{{family}}/published/{{network}}.h5",
    log:
        f"{WORLD}/logs/import_network/{{family}}/{{network}}.log",
    params:
        job=lambda w: as_json(plan.networks.published(*w).job),
        file=lambda w: plan.networks.fingerprint(*w),
        code=lambda w: code(*plan.networks.import_modules(*w)),
    shell:
        "python -m twinlens.networks --plain --file {input.file:q}"
        " --classes={input.classes} --job {params.job:q} --out {output} 2>&1 | tee {log}"
