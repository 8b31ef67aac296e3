"""List a data set's classes: what a recogniser's outputs stand for."""

from pathlib import Path
from typing import Any

import pandas as pd

from twinlens.artifacts.table import write_csv
from twinlens.media import sets


def classes(settings: dict[str, Any], out: Path) -> None:
    """Write a data set's classes.

    Args:
        settings: its entry in the config: `kind` and folders.
        out: csv with columns label (0-based) and class.

    Raises:
        DataError: the data set's folders can't be used.
    """
    names = sets.listing(settings["kind"], settings).classes
    rows = pd.DataFrame({"label": range(len(names)), "class": names})
    write_csv(out, "classes/1", rows)
