"""A finished tiny world, which the tests of the workflow share."""

import pytest

from tests.workflow.checkout import TINY, copy, snakemake


@pytest.fixture(scope="session")
def done(tmp_path_factory):
    """A checkout in which every table of the tiny world stands."""
    folder = copy(tmp_path_factory.mktemp("tiny") / "checkout")
    folder.joinpath("said").write_text(snakemake(folder, "all", *TINY))
    return folder
