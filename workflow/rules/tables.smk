# Tables and figures, and the present world's copies of its tables.


rule table:
    """Write a table in its forms."""
    input:
        data=lambda w: plan.tables.table_inputs(w.table),
        cautions=lambda w: plan.tables.table_cautions(w.table),
        gates=lambda w: plan.tables.table_gates(w.table),
    output:
        csv=report(
            f"{WORLD}/{{table}}.csv",
            caption="../report/table.rst",
            category="Tables",
            labels={"table": "{table}", "form": "as printed"},
        ),
        long=report(
            f"{WORLD}/{{table}}_long.csv",
            caption="../report/table.rst",
            category="Tables",
            labels={"table": "{table}", "form": "every number, with intervals"},
        ),
        markdown=report(
            f"{WORLD}/{{table}}.md",
            caption="../report/table.rst",
            category="Tables",
            labels={"table": "{table}", "form": "with notes and cautions"},
        ),
        latex=f"{WORLD}/{{table}}.tex",
    log:
        f"{WORLD}/logs/table/{{table}}.log",
    localrule: True
    params:
        job=lambda w: as_json(plan.tables.table_job(w.table)),
        code=lambda w: code("tables.write", *plan.tables.table_modules(w.table)),
    shell:
        "python -m twinlens.tables --plain --inputs {input.data}"
        " --cautions={input.cautions}"
        " --job {params.job:q} --files.out {output.csv} --files.long {output.long}"
        " --files.markdown {output.markdown} --files.latex {output.latex}"
        " > {log} 2>&1"


rule figure:
    """Draw a figure of a data set."""
    input:
        data=lambda w: plan.tables.figure_inputs(*w),
        gates=lambda w: plan.tables.figure_gates(*w),
    output:
        png=report(
            f"{WORLD}/figures/{{figure}}/{{dataset}}.png",
            caption="../report/figure.rst",
            category="Figures",
            subcategory="{dataset}",
            labels={"figure": "{figure}", "data set": "{dataset}"},
        ),
        pdf=f"{WORLD}/figures/{{figure}}/{{dataset}}.pdf",
        svg=f"{WORLD}/figures/{{figure}}/{{dataset}}.svg",
    log:
        f"{WORLD}/logs/figure/{{figure}}/{{dataset}}.log",
    localrule: True
    params:
        job=lambda w: as_json(plan.tables.figure_job(*w)),
        code=lambda w: code("figures.draw", *plan.tables.figure_modules(w.figure)),
    shell:
        "python -m twinlens.figures --plain --inputs {input.data}"
        " --job {params.job:q} --out {output.png} > {log} 2>&1"


rule explorer_media:
    """Write pictures of those clips of a shard that the explorer shows."""
    input:
        lambda w: plan.explorer.media_inputs(*w),
    output:
        f"{WORLD}/explorer_media/{{dataset}}/test-{{shard}}.h5",
    log:
        f"{WORLD}/logs/explorer_media/{{dataset}}/test-{{shard}}.log",
    benchmark:
        f"{WORLD}/benchmarks/explorer_media/{{dataset}}/test-{{shard}}.tsv"
    params:
        job=lambda w: as_json(plan.explorer.media_job(w.dataset)),
        code=code("explorer.media"),
    shell:
        "python -m twinlens.explorer explorer-media --plain --inputs {input}"
        " --job {params.job:q} --out {output} 2>&1 | tee {log}"


rule explorer:
    """Write the page that leads from a table's cell to the clips behind it."""
    input:
        data=lambda w: plan.explorer.inputs(),
    output:
        report(
            directory(f"{WORLD}/explorer"),
            htmlindex="index.html",
            caption="../report/explorer.rst",
            category="Explorer",
            labels={"page": "cells, classes and clips"},
        ),
    log:
        f"{WORLD}/logs/explorer.log",
    localrule: True
    params:
        job=as_json(plan.explorer.job()),
        page=plan.explorer.page_digest(),
        code=code("explorer.page"),
    shell:
        "python -m twinlens.explorer explorer --plain --inputs {input.data}"
        " --job {params.job:q} --out {output} > {log} 2>&1"


rule rule_graph:
    """Draw which rules of the present world read the files of which."""
    output:
        png=report(
            f"{WORLD}/rules.png",
            caption="../report/rules.rst",
            category="Rules",
            labels={"figure": "rules"},
        ),
        pdf=f"{WORLD}/rules.pdf",
        svg=f"{WORLD}/rules.svg",
    log:
        f"{WORLD}/logs/rule_graph.log",
    localrule: True
    params:
        config=as_json(config),
        rules=dry_run.rules_digest(),
        code=code("rule_graph"),
    shell:
        "python -m twinlens rule-graph --plain --config {params.config:q}"
        " --out {output.png} > {log} 2>&1"


rule audit:
    """Check the numbers that the paper prints; it needs no data."""
    output:
        report(
            "results/audit.csv",
            caption="../report/audit.rst",
            category="Tables",
            labels={"table": "audit", "form": "the paper's printed numbers"},
        ),
    log:
        "results/audit.log",
    localrule: True
    params:
        code=lambda w: code("audit.write"),
    shell:
        "python -m twinlens.audit --plain --out {output} > {log} 2>&1"


rule present_table:
    """Copy a table of the present world to where it is looked for."""
    input:
        multiext(f"{WORLD}/{{table}}", ".csv", "_long.csv", ".md", ".tex"),
    output:
        multiext(
            "results/{table}",
            csv=".csv",
            long="_long.csv",
            markdown=".md",
            latex=".tex",
        ),
    log:
        f"{WORLD}/logs/present_table/{{table}}.log",
    localrule: True
    shell:
        'cp {input} "$(dirname {output.csv})" 2> {log}'
