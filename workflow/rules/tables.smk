# Tables from stored scores, and the present world's copies of them.


rule table_1:
    """Table 1: classes that details help or harm."""
    input:
        scores=table1_files,
        gates=lambda wildcards: gates(checks.table1_columns(config).values()),
    output:
        csv=f"{W}/table1.csv",
        long=f"{W}/table1_long.csv",
        markdown=f"{W}/table1.md",
    log:
        f"{W}/logs/table_1.log",
    benchmark:
        f"{W}/benchmarks/table_1.tsv"
    conda:
        "../../envs/twinlens.yaml"
    threads: 1
    resources:
        mem_mb=config["resources"]["mem_mb"],
        runtime=config["resources"]["runtime"],
    params:
        scores=lambda wildcards, input: json.dumps(list(input.scores)),
        layout=table1_layout,
        seed=seed("tables"),
        code=code("tables.table1"),
    shell:
        "python -m twinlens.tables table1 --plain --scores {params.scores:q}"
        " --layout {params.layout:q} --seed {params.seed} --files.out {output.csv}"
        " --files.long {output.long} --files.markdown {output.markdown} > {log} 2>&1"


rule table_2:
    """Table 2: the spatial stream by loss, the ablation of SoSR; or by flow."""
    input:
        scores=table2_files,
        gates=lambda wildcards: gates(
            checks.table2_columns(config, wildcards.ablation).values()
        ),
    output:
        csv=f"{W}/{{ablation}}.csv",
        long=f"{W}/{{ablation}}_long.csv",
        markdown=f"{W}/{{ablation}}.md",
    log:
        f"{W}/logs/{{ablation}}.log",
    benchmark:
        f"{W}/benchmarks/{{ablation}}.tsv"
    wildcard_constraints:
        ablation="|".join(checks.ABLATIONS),
    conda:
        "../../envs/twinlens.yaml"
    threads: 1
    resources:
        mem_mb=config["resources"]["mem_mb"],
        runtime=config["resources"]["runtime"],
    params:
        scores=lambda wildcards, input: json.dumps(list(input.scores)),
        layout=table2_layout,
        seed=seed("tables"),
        code=code("tables.table2"),
    shell:
        "python -m twinlens.tables table2 --plain --name {wildcards.ablation}"
        " --scores {params.scores:q} --layout {params.layout:q} --seed {params.seed}"
        " --files.out {output.csv} --files.long {output.long}"
        " --files.markdown {output.markdown} > {log} 2>&1"


rule table_3:
    """Table 3: accuracy of every method in both streams and fused."""
    input:
        scores=score_files,
        gates=gates(METHODS),
    output:
        csv=f"{W}/table3.csv",
        long=f"{W}/table3_long.csv",
        markdown=f"{W}/table3.md",
    log:
        f"{W}/logs/table_3.log",
    benchmark:
        f"{W}/benchmarks/table_3.tsv"
    conda:
        "../../envs/twinlens.yaml"
    threads: 1
    resources:
        mem_mb=config["resources"]["mem_mb"],
        runtime=config["resources"]["runtime"],
    params:
        scores=lambda wildcards, input: json.dumps(list(input.scores)),
        layout=table3_layout,
        seed=seed("tables"),
        code=code("tables.table3"),
    shell:
        "python -m twinlens.tables table3 --plain --scores {params.scores:q}"
        " --layout {params.layout:q} --seed {params.seed} --files.out {output.csv}"
        " --files.long {output.long} --files.markdown {output.markdown} > {log} 2>&1"


rule table_5:
    """Table 5: easy and hard classes by every method."""
    input:
        scores=compared_files,
        gates=gates(compared()),
    output:
        csv=f"{W}/table5.csv",
        long=f"{W}/table5_long.csv",
        markdown=f"{W}/table5.md",
    log:
        f"{W}/logs/table_5.log",
    benchmark:
        f"{W}/benchmarks/table_5.tsv"
    conda:
        "../../envs/twinlens.yaml"
    threads: 1
    resources:
        mem_mb=config["resources"]["mem_mb"],
        runtime=config["resources"]["runtime"],
    params:
        scores=lambda wildcards, input: json.dumps(list(input.scores)),
        layout=compared_layout,
        seed=seed("tables"),
        code=code("tables.table5"),
    shell:
        "python -m twinlens.tables table5 --plain --scores {params.scores:q}"
        " --layout {params.layout:q} --seed {params.seed} --files.out {output.csv}"
        " --files.long {output.long} --files.markdown {output.markdown} > {log} 2>&1"


rule dispersion:
    """How far every method's classes lie from Bicubic's."""
    input:
        scores=compared_files,
        gates=gates(compared()),
    output:
        csv=f"{W}/dispersion.csv",
        long=f"{W}/dispersion_long.csv",
        markdown=f"{W}/dispersion.md",
    log:
        f"{W}/logs/dispersion.log",
    benchmark:
        f"{W}/benchmarks/dispersion.tsv"
    conda:
        "../../envs/twinlens.yaml"
    threads: 1
    resources:
        mem_mb=config["resources"]["mem_mb"],
        runtime=config["resources"]["runtime"],
    params:
        scores=lambda wildcards, input: json.dumps(list(input.scores)),
        layout=compared_layout,
        seed=seed("tables"),
        code=code("tables.dispersion"),
    shell:
        "python -m twinlens.tables dispersion --plain --scores {params.scores:q}"
        " --layout {params.layout:q} --seed {params.seed} --files.out {output.csv}"
        " --files.long {output.long} --files.markdown {output.markdown} > {log} 2>&1"


rule quality_table:
    """PSNR, SSIM and warping error of every method."""
    input:
        measured=quality_files,
        gates=gates(judged(), originals()),
    output:
        csv=f"{W}/quality.csv",
        long=f"{W}/quality_long.csv",
        markdown=f"{W}/quality.md",
    log:
        f"{W}/logs/quality_table.log",
    benchmark:
        f"{W}/benchmarks/quality_table.tsv"
    conda:
        "../../envs/twinlens.yaml"
    threads: 1
    resources:
        mem_mb=config["resources"]["mem_mb"],
        runtime=config["resources"]["runtime"],
    params:
        measured=lambda wildcards, input: json.dumps(list(input.measured)),
        layout=quality_layout,
        seed=seed("tables"),
        code=code("tables.quality"),
    shell:
        "python -m twinlens.tables quality-table --plain --measured {params.measured:q}"
        " --layout {params.layout:q} --seed {params.seed} --files.out {output.csv}"
        " --files.long {output.long} --files.markdown {output.markdown} > {log} 2>&1"


rule draw_clip:
    """Draw one test clip of a data set by every method."""
    input:
        manifest=f"{W}/manifest/{{dataset}}/manifest.csv",
        networks=[file for name in drawn() if (file := network_file(name))],
    output:
        f"{W}/pictures/{{dataset}}.png",
    log:
        f"{W}/logs/draw_clip/{{dataset}}.log",
    benchmark:
        f"{W}/benchmarks/draw_clip/{{dataset}}.tsv"
    conda:
        "../../envs/twinlens.yaml"
    threads: 1
    resources:
        mem_mb=config["resources"]["mem_mb"],
        runtime=config["resources"]["runtime"],
    params:
        methods=drawn_methods,
        options=draw_options,
        code=code("figures.clip", *drawn_code()),
    shell:
        "python -m twinlens.figures draw-clip --plain --manifest {input.manifest}"
        " --methods {params.methods:q} {params.options} --out {output} > {log} 2>&1"


rule draw_scatter:
    """Figure 6: every class's accuracy by each method over Bicubic's."""
    input:
        scores=compared_files,
        gates=lambda wildcards: gates(compared(), [wildcards.dataset]),
    output:
        f"{W}/pictures/scatter/{{dataset}}.png",
    log:
        f"{W}/logs/draw_scatter/{{dataset}}.log",
    benchmark:
        f"{W}/benchmarks/draw_scatter/{{dataset}}.tsv"
    conda:
        "../../envs/twinlens.yaml"
    threads: 1
    resources:
        mem_mb=config["resources"]["mem_mb"],
        runtime=config["resources"]["runtime"],
    params:
        scores=lambda wildcards, input: json.dumps(list(input.scores)),
        layout=compared_layout,
        code=code("figures.scatter"),
    shell:
        "python -m twinlens.figures draw-scatter --plain --scores {params.scores:q}"
        " --layout {params.layout:q} --dataset {wildcards.dataset} --out {output}"
        " > {log} 2>&1"


rule present_table:
    """Copy a table of the present world to where it is looked for."""
    input:
        csv=f"{W}/{{table}}.csv",
        long=f"{W}/{{table}}_long.csv",
        markdown=f"{W}/{{table}}.md",
    output:
        csv="results/{table}.csv",
        long="results/{table}_long.csv",
        markdown="results/{table}.md",
    log:
        f"{W}/logs/present_table/{{table}}.log",
    benchmark:
        f"{W}/benchmarks/present_table/{{table}}.tsv"
    wildcard_constraints:
        table=r"table\d+(_flow)?|quality|dispersion",
    localrule: True
    conda:
        "../../envs/twinlens.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    shell:
        "cp {input} results/ 2> {log}"
