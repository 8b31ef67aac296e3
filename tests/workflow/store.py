"""A run whose jobs share neither inputs nor outputs, but a store of them."""

import pandas as pd

FEW = """
select:
  datasets: [yard]
  recognisers: [tsn]
  methods: [bicubic, vdsr, hr]
  table2: null
  table2_flow: null
"""
SHARED = "persistence software-deployment sources source-cache"
"""What the jobs' machines still share."""


def through(store):
    """Snakemake's options for a store in a folder."""
    place = ["--default-storage-provider", "fs", "--default-storage-prefix", str(store)]
    return [*place, "--shared-fs-usage", *SHARED.split()]


def assert_same_scores(store, done):
    """Compare Table 3 of the few rows with that of a world that has all of them."""
    found, expected = (
        pd.read_csv(each / "results/table3_long.csv", comment="#", dtype=str)
        for each in (store, done)
    )
    rows = ["method", "dataset", "stream"]
    expected = expected.set_index(rows).loc[found.set_index(rows).index]
    assert len(found) == 9
    pd.testing.assert_frame_equal(found.set_index(rows), expected)
