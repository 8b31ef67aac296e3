# Two-stream oriented video super-resolution for action recognition: videos to tables.
#
#     snakemake --cores all results/table3.csv                  the playground
#     snakemake --cores all results/table3.csv --configfile config/tiny.yaml
#     snakemake --profile slurm                                 everything, on a cluster
#
# `snakemake -s /where/it/is/Snakefile` in another folder puts the results there.


from snakemake.utils import min_version

min_version("9.27")


configfile: f"{workflow.basedir}/config.yaml"


# In another folder (`snakemake -s`, `--directory`) its own config lies over this one.
if Path("config.yaml").is_file() and Path.cwd() != Path(workflow.basedir):

    configfile: "config.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/unfinished.smk"
include: "workflow/rules/media.smk"
include: "workflow/rules/training.smk"
include: "workflow/rules/sr.smk"
include: "workflow/rules/flow.smk"
include: "workflow/rules/recognition.smk"
include: "workflow/rules/tables.smk"


# All jobs run in one environment (`--sdm conda` or `apptainer`): said once, and not in
# each rule. Reports would take it for what ran where nobody asked for it; the linter asks
# whether there is one.
if DEPLOYED or "--lint" in sys.argv:
    for each in workflow.rules:
        each.conda_env = ENV
        each.container_img = IMAGE


rule all:
    """Everything that the paper's tables need, in the present world."""
    default_target: True
    input:
        lambda w: endings.announced(plan.tables),
