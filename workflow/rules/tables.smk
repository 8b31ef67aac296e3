# Tables from stored scores, and the present world's copies of them.


rule table_3:
    """Table 3: accuracy of every method in both streams and fused."""
    input:
        score_files,
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
        scores=lambda wildcards, input: json.dumps(list(input)),
        layout=layout,
        seed=seed("tables"),
        code=code("tables.table3"),
    shell:
        "python -m twinlens.tables --plain --scores {params.scores:q}"
        " --layout {params.layout:q} --seed {params.seed} --out {output.csv}"
        " --long {output.long} --markdown {output.markdown} > {log} 2>&1"


rule present_table:
    """Copy a table of the present world to where it is looked for."""
    input:
        csv=f"{W}/table{{number}}.csv",
        long=f"{W}/table{{number}}_long.csv",
        markdown=f"{W}/table{{number}}.md",
    output:
        csv="results/table{number}.csv",
        long="results/table{number}_long.csv",
        markdown="results/table{number}.md",
    log:
        f"{W}/logs/present_table/{{number}}.log",
    benchmark:
        f"{W}/benchmarks/present_table/{{number}}.tsv"
    wildcard_constraints:
        number=r"\d+",
    localrule: True
    conda:
        "../../envs/twinlens.yaml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    shell:
        "cp {input} results/ 2> {log}"
