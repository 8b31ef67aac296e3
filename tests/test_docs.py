"""The docs: the site is built, links lead somewhere, commands and imports are there."""

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from twinlens import cli

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BY_NAME = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


@pytest.mark.slow
def test_the_site_is_built_without_a_warning_and_asks_no_host(tmp_path):
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html"]
    done = subprocess.run(
        [*command, "-d", tmp_path / "trees", ROOT / "docs", tmp_path / "site"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    pages = {path.stem: path.read_text() for path in (tmp_path / "site").glob("*.html")}
    assert set(pages) >= {page.stem for page in PAGES} - {"README"}
    for name, text in pages.items():
        loaded = re.findall(r'<(?:script|link|img|iframe)[^>]*(?:src|href)="http', text)
        assert loaded == [], name
    for sheet in (tmp_path / "site").rglob("*.css"):
        assert not re.search(r"(?:@import|url\()\s*[\"']?http", sheet.read_text()), (
            sheet
        )
    for stage in cli.STAGES:
        assert f"usage: twinlens {stage}" in pages["cli"]
    assert "twinlens.artifacts.reader.open" in pages["api"]


@BY_NAME
def test_links_lead_to_files(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if not target.startswith(("http", "#")):
            assert (page.parent / target.partition("#")[0]).exists(), target


@BY_NAME
def test_commands_are_there(page):
    text = page.read_text()
    named = re.findall(r"(?:^    |`)twinlens ([a-z][a-z-]*)", text, re.MULTILINE)
    assert set(named) <= set(cli.STAGES), page


def test_imports_of_the_page_on_python_are_there():
    page = ROOT / "docs/python.md"
    codes = re.findall(r"^```python\n(.*?)^```", page.read_text(), re.M | re.S)
    assert len(codes) > 2
    for code in codes:
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, ast.ImportFrom) and node.module:
                module = importlib.import_module(node.module)
                for alias in node.names:
                    if not hasattr(module, alias.name):
                        importlib.import_module(f"{node.module}.{alias.name}")
