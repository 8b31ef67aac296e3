"""List a data set's classes: what a recogniser's outputs stand for."""

from pathlib import Path

import pandas as pd

from twinlens.artifacts.table import write_csv
from twinlens.media import sets
from twinlens.media.settings import Listing


def classes(job: Listing, out: Path) -> None:
    """Write a data set's classes.

    Args:
        job: which data set.
        out: csv with columns label (0-based) and class.

    Raises:
        DataError: the data set's folders can't be used.
    """
    names = sets.listing(job.source).classes
    rows = pd.DataFrame({"label": range(len(names)), "class": names})
    write_csv(out, "classes/1", rows)
