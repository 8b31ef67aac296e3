"""What tests share: the folder of real clips, where there is one."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def realdata_folder():
    """The shared folder of real clips, or None."""
    path = os.environ.get("TWINLENS_REALDATA")
    folder = Path(path) if path else ROOT.parent / "shared" / "realdata"
    return folder if folder.is_dir() else None


@pytest.fixture(scope="session")
def realdata():
    """The folder of real clips; tests that need it are skipped without."""
    folder = realdata_folder()
    if folder is None:
        pytest.skip("no real clips: set TWINLENS_REALDATA to their folder")
    return folder
