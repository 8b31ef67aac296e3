"""Plans and refusals of the workflow, without running a job."""

import re

import pytest
import yaml

from tests.workflow.checkout import TINY, copy, snakemake

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return copy(tmp_path_factory.mktemp("plans") / "checkout")


PAIR = "{label: Pair, frames_of: sosr, flow_of: tosr1}"


@pytest.mark.parametrize(
    ("overlay", "there", "not_there"),
    [
        (
            "select: {methods: [bicubic, hr], table2: null, table2_flow: null}",
            ["4 super_resolve", "8 score", "10 figure", "3 table"],
            ["train_sr", "patches", "train_flow", "flow_error"],
        ),
        (
            f"methods: {{pair: {PAIR}}}\nselect: {{methods: [pair, hr]}}",
            ["7 train_sr", "18 score", "5 table"],
            [],
        ),
        (
            "keep: false",
            ["8 table", "18 figure"],
            [],
        ),
        (
            "datasets: {yard: {frames: all}}\nselect: {datasets: [yard]}",
            ["9 figure"],
            [],
        ),
    ],
    ids=["two rows", "a pair", "nothing kept", "all frames"],
)
def test_other_choices_have_a_plan_for_everything(folder, overlay, there, not_there):
    (folder / "overlay.yaml").write_text(overlay)
    words = ("--cores", "1", "--configfile", "overlay.yaml")
    said = snakemake(folder, "-n", "all", *words)
    line = next(line for line in said.splitlines() if " steps to do: " in line)
    assert all(each in line for each in there), line
    assert not any(each in line for each in not_there), line


@pytest.mark.parametrize("how", ["-s", "--directory"])
def test_code_may_lie_elsewhere(folder, tmp_path, how):
    """Results and a config of its own are those of the folder of the run."""
    (tmp_path / "config.yaml").write_text("world: elsewhere\nseed: 7\n")
    tiny = folder / "config/tiny.yaml"
    (tmp_path / "mine.yaml").write_text(tiny.read_text().replace("world: tiny\n", ""))
    target = "results/elsewhere/data/yard/generated.csv"
    words = (target, "--cores", "1", "--configfile", tmp_path / "mine.yaml")
    if how == "-s":
        snakemake(tmp_path, "-s", folder / "Snakefile", *words)
    else:
        snakemake(folder, "--directory", tmp_path, *words)
    assert (tmp_path / target).is_file()
    assert not (folder / "results/elsewhere").exists()


def test_a_refused_config_names_its_files_in_their_order(folder, tmp_path):
    """Such as another project's, that lies where the workflow is run."""
    (tmp_path / "config.yaml").write_text("samples: samples.tsv\n")
    words = ("--cores", "1", "-n", "--configfile", folder / "config/tiny.yaml")
    said = snakemake(tmp_path, "-s", folder / "Snakefile", *words, check=False)
    assert "unknown key 'samples'" in said
    names = re.search(r"\(config: (.*)\)", said)[1].split(", then ")
    tiny = str(folder / "config/tiny.yaml")
    assert names == [str(folder / "config.yaml"), "config.yaml", tiny]


def test_settings_that_a_network_refuses_stop_the_run_before_its_first_job(folder):
    (folder / "odd.yaml").write_text("starts: {duf16: {settings: {depth: 15}}}")
    said = snakemake(folder, "all", *TINY, "odd.yaml", check=False)
    assert "the config can't be used" in said
    assert "starts.duf16.settings: VSR-DUF of 15 layers: even, and 10 or more" in said
    assert " steps, " not in said  # no job was finished
    assert not (folder / "results/tiny").exists()


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ("table1", "no table takes spatial scores of bicubic, vdsr; add to"),
        ("table5", "it compares super-resolution with Bicubic; add both to"),
        ("dispersion", "dispersion can't be made: it compares"),
    ],
)
def test_a_table_of_classes_that_can_t_be_made_says_why(folder, table, why):
    (folder / "few.yaml").write_text("select: {methods: [sosr, hr], table2: null}")
    words = ("--cores", "1", "--configfile", "few.yaml")
    said = snakemake(folder, "-n", f"results/{table}.csv", *words, check=False)
    assert why in said


def test_what_all_leaves_out_is_said_once(folder):
    (folder / "few.yaml").write_text("select: {methods: [sosr, hr], table2: null}")
    said = snakemake(folder, "-n", "all", "--cores", "1", "--configfile", "few.yaml")
    assert said.count("table1: left out: no table takes spatial scores of") == 1
    assert (
        said.count(
            "table5, dispersion, figure scatter, figure scatter_st_resnet: left out: it"
        )
        == 1
    )


def test_a_pair_in_table_1_stands_for_its_spatial_method(folder):
    (folder / "pair.yaml").write_text("select: {table1: {SR: sosr_tosr2}}")
    words = ("--cores", "1", "--configfile", "pair.yaml")
    assert "1 table" in snakemake(folder, "-n", "results/table1.csv", *words)


def test_an_artifact_of_a_method_that_no_table_shows_has_a_plan(folder):
    method = 'methods={"mine": {"label": "Mine", "model": "bicubic"}}'
    target = "results/playground/scores/tsn/yard/mine/test-00.h5"
    said = snakemake(folder, "-n", target, "--cores", "1", "--config", method)
    assert "1 score" in said


@pytest.mark.parametrize(
    ("target", "stream"),
    [
        ("flow/tsn/yard/sosr_wmse/test-00.h5", "temporal"),
        ("quality/yard/tosr2/test-00.csv", "spatial"),
    ],
)
def test_what_reads_frames_that_are_not_stored_has_no_plan(folder, target, stream):
    method, target = target.split("/")[-2], f"results/playground/{target}"
    overlay = "select: {methods: [bicubic, sosr_tosr2, hr], table1: null}"
    (folder / "pairs.yaml").write_text(overlay)
    words = ("--cores", "1", "--configfile", "pairs.yaml")
    said = snakemake(folder, "-n", target, *words, check=False)
    why = f"no table reads the {stream} stream of {method}, so its frames for it are"
    assert why in said
    assert f"add {method} to select.methods" in said


def test_frames_that_are_all_stored_have_a_plan_for_every_reader(folder):
    (folder / "all.yaml").write_text("datasets: {yard: {frames: all}}")
    target = "results/playground/flow/tsn/yard/sosr_wmse/test-00.h5"
    words = ("--cores", "1", "--configfile", "all.yaml")
    assert "1 flow" in snakemake(folder, "-n", target, *words)


@pytest.mark.parametrize(
    ("change", "target", "job"),
    [
        (
            "training: {perceptual: {after_relu: false}}",
            "networks/sr/trained/sosr.h5",
            r"twinlens\.training .*\"network\":\"sosr\".*\"after_relu\":false",
        ),
        (
            "flows: {tvl1: {preset: opencv}}",
            "motion/corpus/tvl1-1/corpus-00.h5",
            r"motion .*\"preset\":\"opencv\"",
        ),
    ],
)
def test_every_option_of_a_job_is_a_parameter_that_is_compared(
    folder, change, target, job
):
    """Snakemake does not compare those that are made from `input`."""
    (folder / "option.yaml").write_text(change)
    words = ("--cores", "1", "--configfile", "option.yaml")
    said = snakemake(folder, "-n", "-p", f"results/playground/{target}", *words)
    assert re.search(job, said)
    text = "".join(
        path.read_text() for path in (folder / "workflow/rules").glob("*.smk")
    )
    assert not re.search(r"lambda \w+, input|^def \w+\(.*input", text, re.M)


def test_the_playground_s_table_3_takes_few_jobs_and_no_flownet2(folder):
    said = snakemake(folder, "-n", "results/table3.csv", "--cores", "1")
    assert "flow" in said
    assert "flownet2" not in said
    assert int(said.split(" steps to do")[0].split()[-1]) <= 120


def test_the_default_target_is_everything(folder):
    assert "8 table" in snakemake(folder, "-n", "--cores", "1")


def test_a_dry_run_s_summary_fits_a_screen(folder):
    said = snakemake(folder, "-n", "results/table3.csv", "--cores", "1")
    assert len(said.splitlines()) < 24


def test_the_slurm_profile_is_found_from_the_root(folder):
    said = snakemake(folder, "--profile", "slurm", "-n")
    assert " steps to do: " in said


def test_the_slurm_profile_asks_squeue_for_states(folder):
    """The plugin reads sacct's words for cancelled jobs and lost nodes wrongly."""
    profile = yaml.safe_load((folder / "slurm/config.yaml").read_text())
    assert profile["slurm-status-command"] == "squeue"


def test_the_slurm_profile_holds_no_science(folder):
    profile = yaml.safe_load((folder / "slurm/config.yaml").read_text())
    assert not {"config", "configfile", "configfiles"} & profile.keys()


def test_an_unknown_key_is_refused_with_its_nearest(folder):
    said = snakemake(folder, "-n", "--config", "sede=1", check=False)
    assert "unknown key 'sede'; did you mean 'seed'?" in said


def test_all_missing_files_are_named_at_once(folder):
    said = snakemake(
        folder,
        "-n",
        "--configfile",
        "config/paper.yaml",
        "--config",
        "data=/nowhere",
        check=False,
    )
    assert said.count("looked for /nowhere/") == 18
    assert "spatial of ucf101: looked for /nowhere/weights/ucf101_split_1_tsn" in said


def test_a_cluster_is_asked_for_what_a_class_of_jobs_needs(folder):
    """Defaults of the profile take effect; heavy jobs ask for more."""
    words = ("--profile", "slurm", "--workflow-profile", "none", "--configfile")
    said = snakemake(folder, "-n", "all", *words, "config/tiny.yaml")
    asked = {
        rule: dict(part.split("=", 1) for part in line.split(", "))
        for rule, line in re.findall(
            r"^(?:local)?rule (\w+):.*?^    resources: ([^\n]+)$", said, re.M | re.S
        )
    }
    profile = yaml.safe_load((folder / "slurm/config.yaml").read_text())
    default = profile["default-resources"]
    for name in ("mem_mb", "runtime"):
        first, training = (
            eval(entry[name], {"attempt": 1})
            for entry in (default, profile["set-resources"]["train_sr"])
        )
        assert int(asked["classes"][name]) == first
        assert int(asked["train_sr"][name]) == training > first
    assert asked["train_sr"]["gpu"] == "0"


def test_the_default_profile_overrides_no_other(folder):
    """A workflow's own profile wins over --profile."""
    default = yaml.safe_load((folder / "profiles/default/profile.yaml").read_text())
    slurm = yaml.safe_load((folder / "slurm/config.yaml").read_text())
    assert [
        key for key in default if slurm.get(key, default[key]) != default[key]
    ] == []


def test_every_job_runs_in_the_environment(folder):
    said = snakemake(folder, "--lint")
    assert "good condition" in said


def test_the_scheduler_looks_at_ready_jobs_once_for_each_that_ends(tmp_path):
    """Its looks cost time, and are at every input file of the jobs."""
    folder = copy(tmp_path / "checkout")
    targets = [
        f"results/tiny/low/tsn/{each}/test-00.h5" for each in ("workshop", "yard")
    ]
    said = snakemake(folder, *targets, *TINY, "--cores", "1", "--verbose")
    steps = int(re.search(r"(\d+) steps to do", said).group(1))
    assert steps >= 6
    assert said.count("Ready jobs") <= steps + 2
