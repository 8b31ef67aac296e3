"""Plans and refusals of the workflow, without running a job."""

import pytest

from tests.workflow.checkout import copy, snakemake

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return copy(tmp_path_factory.mktemp("plans") / "checkout")


def test_two_rows_take_few_jobs_and_train_nothing(folder):
    words = ("--config", 'select={"methods": ["bicubic", "hr"], "table2": {}}')
    said = snakemake(folder, "-n", "results/table3.csv", "--cores", "1", *words)
    assert "train_sr" not in said
    assert int(said.split(" steps to do")[0].split()[-1]) <= 40


def test_the_playground_s_table_3_takes_few_jobs(folder):
    said = snakemake(folder, "-n", "results/table3.csv", "--cores", "1")
    assert int(said.split(" steps to do")[0].split()[-1]) <= 70


def test_the_default_target_is_everything(folder):
    assert "table_3" in snakemake(folder, "-n", "--cores", "1")


def test_a_dry_run_s_summary_fits_a_screen(folder):
    said = snakemake(folder, "-n", "results/table3.csv", "--cores", "1")
    assert len(said.splitlines()) < 24


def test_the_slurm_profile_is_found_from_the_root(folder):
    said = snakemake(folder, "--profile", "slurm", "-n")
    assert " steps to do: " in said


def test_the_slurm_profile_holds_no_science(folder):
    text = (folder / "slurm/config.yaml").read_text()
    assert "config:" not in text
    assert "configfile" not in text


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
    assert said.count("looked for /nowhere/") == 11
    assert "or set recogniser.weights.ucf101.spatial" in said
