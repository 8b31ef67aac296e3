import ast
import json
from pathlib import Path

import pytest

from twinlens import provenance

SOURCE = Path(provenance.__file__).resolve().parent
FILES = {
    "__init__.py": "",
    "flow/__init__.py": '"""Flow."""\n',
    "flow/stage.py": '''
"""A stage."""

from twinlens import tool
from twinlens.flow.kernel import solve


class Settings:
    """What it takes."""

    bound: float = 20.0
    """Pixels at the ends."""


def flow(pair):
    """Solve a pair."""
    from twinlens import late

    return late.mend(solve(tool.load(pair)))  # the pair
''',
    "flow/kernel.py": "import numpy\n\ndef solve(pair):\n    return numpy.abs(pair)\n",
    "tool.py": "def load(pair):\n    return pair\n",
    "late.py": "def mend(pair):\n    return pair\n",
}


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A small copy of a package; its digest after an edit of one file."""
    monkeypatch.setattr(provenance, "SOURCE", tmp_path)
    for name, text in FILES.items():
        path = tmp_path / "twinlens" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def digest(name="__init__.py", old="", new=""):
        path = tmp_path / "twinlens" / name
        text = path.read_text() if path.exists() else ""
        assert old in text
        path.write_text(text.replace(old, new) if old else text + new)
        provenance._read.cache_clear()
        return provenance.code_digest("twinlens.flow.stage")

    yield digest
    provenance._read.cache_clear()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# the pair", "# both"),
        ('"""A stage."""', '"""The stage."""'),
        ('"""Solve a pair."""', '"""Solve."""'),
        ('    """Solve a pair."""\n', ""),
        ('"""What it takes."""', '"""Settings."""'),
        ('"""Pixels at the ends."""', '"""In pixels."""'),
        ("\n\n\n", "\n\n"),
    ],
)
def test_an_edit_of_comments_docs_or_blanks_keeps_the_digest(package, old, new):
    before = package()
    assert package("flow/stage.py", old, new) == before


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("flow/stage.py", "20.0", "10.0"),
        ("flow/stage.py", "tool.load(pair)", "pair"),
        ("flow/kernel.py", "abs", "sign"),
        ("tool.py", "return pair", "return -pair"),
        ("late.py", "return pair", "return -pair"),
        ("flow/__init__.py", "", "import twinlens.late\n"),
        ("__init__.py", "", "VERSION = 2\n"),
    ],
    ids=lambda value: value or "nothing",
)
def test_an_edit_of_code_that_runs_changes_the_digest(package, name, old, new):
    before = package()
    assert package(name, old, new) != before


def test_a_new_file_that_nobody_imports_keeps_the_digest(package):
    before = package()
    assert package("other.py", new="x = 1\n") == before


def test_the_version_of_a_library_counts(package, monkeypatch):
    before = package()
    monkeypatch.setattr(provenance, "_version", lambda _: "0.0")
    assert package() != before


def test_a_library_that_is_not_imported_does_not_count(package, monkeypatch):
    monkeypatch.delitem(provenance.LIBRARIES, "numpy")
    before = package()
    monkeypatch.setattr(provenance, "_version", lambda _: "0.0")
    assert package() == before


def test_a_module_without_a_file_is_an_error():
    with pytest.raises(ValueError, match="no module twinlens.nothing"):
        provenance.code_digest("twinlens.nothing")


def test_no_module_imports_by_dots():
    """The digest follows full names only."""
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            assert not (isinstance(node, ast.ImportFrom) and node.level), path


def test_a_seed_stays_what_it_is():
    assert provenance.seed(2019, "split", "Wave") == 2587296386


def test_seeds_differ_by_every_name():
    made = [
        provenance.seed(master, *names)
        for master in (0, 1)
        for names in [(), ("a",), ("b",), ("a", "b"), ("ab",), ("a", 1), ("a", "1")]
    ]
    assert len(set(made)) == len(made)
    assert all(0 <= each < 1 << 32 for each in made)


def identity(inputs=None, **settings):
    inputs = {"a.h5": "0" * 32} if inputs is None else inputs
    return provenance.about("flow", ["twinlens.provenance"], inputs, **settings)["id"]


def test_an_identity_does_not_depend_on_where_inputs_lie():
    assert identity({"a.h5": "1"}) == identity({"/else/where/b.h5": "1"})


def test_an_identity_depends_on_inputs_and_settings():
    made = {identity(), identity({"a.h5": "1"}), identity(seed=1), identity(seed=2)}
    assert len(made) == 4


def test_what_an_artifact_says_is_json():
    about = provenance.about(
        "flow", ["twinlens.provenance"], {"a": "1"}, size=[340, 256]
    )
    assert json.loads(json.dumps(about)) == about


def test_an_import_of_super_resolution_does_not_depend_on_flow():
    reached, todo = set(), ["twinlens.training.given", "twinlens.models.duf"]
    while todo:
        name = todo.pop()
        if name not in reached and provenance._file(name):
            reached.add(name)
            todo += provenance._read(name)[1]
    assert "twinlens.weights" in reached
    assert not [name for name in reached if name.startswith("twinlens.flow")]
