"""Without a shared disk: artifacts go through a store, in and out of a job's folder."""

import shutil

import pandas as pd
import pytest

from tests.workflow.checkout import TINY, copy, snakemake

FEW = """
select:
  datasets: [yard]
  recognisers: [tsn]
  methods: [bicubic, vdsr, hr]
  table2: null
  table2_flow: null
"""
SHARED = "persistence software-deployment sources source-cache"
"""What the jobs' machines still share: neither inputs nor outputs."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("rsync"), reason="the store needs rsync"),
]


def test_a_table_that_is_made_through_a_store_is_the_same(done, tmp_path):
    folder, store = copy(tmp_path / "checkout"), tmp_path / "store"
    (folder / "few.yaml").write_text(FEW)
    through = ["--default-storage-provider", "fs", "--default-storage-prefix", store]
    words = [*TINY, "few.yaml", *through, "--shared-fs-usage", *SHARED.split()]
    snakemake(folder, "results/table3.csv", *words)
    # What was copied in is gone again; generated videos are no artifacts.
    assert not [each for each in folder.rglob("*.h5") if "data" not in each.parts]
    assert list(store.rglob("sr/tsn/yard/vdsr/*.h5"))
    found, expected = (
        pd.read_csv(each / "results/table3_long.csv", comment="#", dtype=str)
        for each in (store, done)
    )
    rows = ["method", "dataset", "stream"]
    expected = expected.set_index(rows).loc[found.set_index(rows).index]
    assert len(found) == 9
    pd.testing.assert_frame_equal(found.set_index(rows), expected)
