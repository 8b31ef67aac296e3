"""The docs site: `make docs` writes it to docs/_build, without any network."""

import contextlib
import io
import sys
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))

import twinlens  # noqa: E402
from twinlens import cli  # noqa: E402

project = "twinlens"
author = "the twinlens authors"
release = twinlens.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "twinlens"
html_static_path: list[str] = []
myst_heading_anchors = 3
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
napoleon_numpy_docstring = False


def commands(_app: Sphinx, docname: str, source: list[str]) -> None:
    """Write the page of commands: what `--help` of each prints."""
    if docname != "cli":
        return
    for name, stage in cli.STAGES.items():
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
            cli.main([name, "--help"])
        text = printed.getvalue().rstrip()
        source[0] += f"\n## {name}\n\n{stage.about}\n\n```text\n{text}\n```\n"


def sentences(_app: Sphinx, what: str, *rest: Any) -> None:
    """Keep the colon in a constant's sentence from being read as "type: meaning"."""
    *_, lines = rest
    if what in {"attribute", "data"}:
        lines[:] = [line.replace(": ", " - ") for line in lines]


def setup(app: Sphinx) -> None:
    """Connect both."""
    app.connect("source-read", commands)
    app.connect("autodoc-process-docstring", sentences, priority=1)
