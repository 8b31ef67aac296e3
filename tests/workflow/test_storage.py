"""Without a shared disk: artifacts go through a store, in and out of a job's folder."""

import shutil

import pytest

from tests.workflow.checkout import TINY, copy, snakemake
from tests.workflow.store import FEW, assert_same_scores, through

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("rsync"), reason="the store needs rsync"),
]


def test_a_table_that_is_made_through_a_store_is_the_same(done, tmp_path):
    folder, store = copy(tmp_path / "checkout"), tmp_path / "store"
    (folder / "few.yaml").write_text(FEW)
    snakemake(folder, "results/table3.csv", *TINY, "few.yaml", *through(store))
    # What was copied in is gone again; generated videos are no artifacts.
    assert not [each for each in folder.rglob("*.h5") if "data" not in each.parts]
    assert list(store.rglob("sr/tsn/yard/vdsr/*.h5"))
    assert_same_scores(store, done)
