# Two-stream oriented video super-resolution for action recognition: videos to tables.
#
#     snakemake --cores all results/table3.csv                  the playground
#     snakemake --cores all results/table3.csv --configfile config/tiny.yaml
#     snakemake --profile slurm                                 everything, on a cluster


from snakemake.utils import min_version

min_version("9.27")


configfile: "config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/unfinished.smk"
include: "workflow/rules/lookups.smk"
include: "workflow/rules/media.smk"
include: "workflow/rules/training.smk"
include: "workflow/rules/sr.smk"
include: "workflow/rules/flow.smk"
include: "workflow/rules/recognition.smk"
include: "workflow/rules/tables.smk"


rule all:
    """Everything that the paper's tables need, in the present world."""
    default_target: True
    input:
        class_targets,
        [
            f"results/{table}.csv"
            for table in checks.ABLATIONS
            if checks.table2_columns(config, table)
        ],
        "results/table3.csv",
        *(["results/quality.csv"] if quality_files({}) else []),
        *([f"{W}/flow_error.csv"] if checks.needs_flownet2(config) else []),
        [f"{W}/pictures/{dataset}.png" for dataset in DATASETS],


onstart:
    # On a cluster the jobs' machines are others than this one.
    here = doctor.machine(config) if workflow.local_exec else []
    if found := [*doctor.installation(), *here]:
        raise WorkflowError("missing, all at once:\n  " + "\n  ".join(found))


onsuccess:
    show_tables()


onerror:
    tell_failures(log)
