import ast
import importlib
import json
import shutil
from copy import deepcopy
from pathlib import Path

import pytest

from twinlens import cli, provenance

SOURCE = Path(provenance.__file__).resolve().parent
FILES = {
    "__init__.py": "",
    "flow/__init__.py": '"""Flow."""\n',
    "flow/stage.py": '''
"""A stage."""

from little import tool
from little.errors import unusable
from little.flow.kernel import solve
from little.progress import say


class Settings:
    """What it takes."""

    bound: float = 20.0
    """Pixels at the ends."""


def flow(pair):
    """Solve a pair."""
    from little import late

    if pair is None:
        raise unusable(pair, "is empty")
    if len(pair) != 2:
        raise ValueError(f"{len(pair)} frames, not " + "a pair")
    say(f"solves {pair} by {tool.noted(pair)}")
    field(1, help="how many")
    say(pair if fast else "none")
    planes = [*track("RGB", "planes of " + ("one" if fast else "two"))]
    return late.turn(solve(tool.load(pair)))  # the pair
''',
    "flow/kernel.py": "import numpy\n\ndef solve(pair):\n    return numpy.abs(pair)\n",
    "tool.py": "def load(pair):\n    return pair\n",
    "late.py": "from . import later\n\ndef turn(pair):\n    return pair\n",
    "later.py": "SIDE = 1\n",
    "errors.py": "def unusable(path, what):\n    return ValueError(what)\n",
    "progress.py": "def say(text):\n    print(text)\n",
}
HOMES = {stage.home.partition(":")[0] for stage in cli.STAGES.values()}
STAGES = sorted(HOMES - {"doctor"})


def forget():
    importlib.invalidate_caches()
    for cached in (provenance._graph, provenance._imports, provenance._code):
        cached.cache_clear()


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A small package; its stage's digest after an edit of one file."""
    monkeypatch.setattr(provenance, "SOURCE", tmp_path)
    monkeypatch.setattr(
        provenance, "MOVES_NO_NUMBER", {"little.errors", "little.progress"}
    )
    monkeypatch.syspath_prepend(tmp_path)
    for name, text in FILES.items():
        path = tmp_path / "little" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def digest(name="__init__.py", old="", new=""):
        path = tmp_path / "little" / name
        text = path.read_text() if path.exists() else ""
        assert old in text
        path.write_text(text.replace(old, new) if old else text + new)
        forget()
        return provenance.code_digest("little.flow.stage")

    yield digest
    forget()


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
        ('"is empty"', '"holds nothing"'),
        ('"is empty"', 'f"{pair}: holds nothing"'),
        ('f"{len(pair)} frames, not " + "a pair"', '"not two frames"'),
        ("solves {pair} by", "by"),
        ('"how many"', '"how " "often"'),
        ('"two"', '"both"'),
        ('"planes of " + ("one" if fast else "two")', '"planes"'),
    ],
)
def test_an_edit_of_comments_docs_blanks_or_messages_keeps_the_digest(
    package, old, new
):
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
        ("later.py", "1", "2"),
        ("flow/stage.py", "raise unusable(pair", "return unusable(pair"),
        ("flow/stage.py", "!= 2", "!= 3"),
        ("flow/stage.py", "{tool.noted(pair)}", "it"),
        ("flow/stage.py", "by {tool", "by {(pair := 2)} {tool"),
        ("flow/stage.py", "field(1", "field(2"),
        ("flow/stage.py", "pair if fast", "pair if slow"),
        ("flow/stage.py", "RGB", "BGR"),
        ("flow/stage.py", "help=", "name="),
        ("flow/stage.py", "unusable(pair", "unusable(None"),
        ("flow/__init__.py", "", "import little.late\n"),
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


@pytest.mark.parametrize(
    ("module", "counts"),
    [
        ("media.frames", True),
        ("training.train", False),
        ("flow.stage", False),
        ("recognition.stage", False),
        ("tables.table3", False),
    ],
)
def test_the_ffmpeg_in_use_counts_where_videos_are_decoded(
    tmp_path, monkeypatch, module, counts
):
    def digest(version):
        tool = tmp_path / version / "ffmpeg"
        tool.parent.mkdir()
        tool.write_text(f"#!/bin/sh\necho ffmpeg version {version} Copyright")
        tool.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tool.parent}:/usr/bin:/bin")
        provenance._code.cache_clear()
        return provenance.code_digest(f"twinlens.{module}")

    one, other = digest("7.0.1-static"), digest("7.0.2-static")
    assert (one != other) == counts
    provenance._code.cache_clear()


def test_a_library_that_is_not_imported_does_not_count(package, monkeypatch):
    monkeypatch.delitem(provenance.LIBRARIES, "numpy")
    before = package()
    monkeypatch.setattr(provenance, "_version", lambda _: "0.0")
    assert package() == before


def test_a_module_without_a_file_is_an_error():
    with pytest.raises(ValueError, match="no module twinlens.nothing"):
        provenance.code_digest("twinlens.nothing")


def test_modules_that_move_no_number_may_change(package):
    before = package()
    assert package("errors.py", "ValueError(what)", "OSError()") == before
    assert package("progress.py", "print(text)", "print()") == before


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A copy of our source whose digests are asked for."""
    shutil.copytree(SOURCE, tmp_path / "twinlens")
    before = digests()
    monkeypatch.setattr(provenance, "SOURCE", tmp_path)
    forget()
    assert digests() == before
    forget()
    yield tmp_path / "twinlens"
    forget()


def digests():
    return {name: provenance.code_digest(f"twinlens.{name}") for name in STAGES}


def texts(tree):
    """The strings and f-strings among the arguments of what is raised or shown."""
    shown = {"message", "say", "teller", "track", "unusable"}
    for node in ast.walk(tree):
        raised = node.exc if isinstance(node, ast.Raise) else None
        if isinstance(node, ast.Call) and ast.unparse(node.func) in shown:
            raised = node
        for argument in raised.args if isinstance(raised, ast.Call) else []:
            if isinstance(argument, ast.JoinedStr):
                yield from argument.values
            elif isinstance(argument, ast.Constant):
                yield argument


def test_rewording_every_message_keeps_every_digest(copy):
    before, count = digests(), 0
    for path in copy.rglob("*.py"):
        tree = ast.parse(path.read_text())
        for part in texts(tree):
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                part.value, count = f"{part.value} in other words", count + 1
        path.write_text(ast.unparse(tree))
    forget()
    assert count > 300
    assert digests() == before


@pytest.mark.parametrize(
    "module",
    ["artifacts.reader", "networks.checkpoint", "sr.enlarge", "recognisers.tsn"],
)
def test_every_other_constant_changes_the_code(module):
    tree = ast.parse((SOURCE / f"{module.replace('.', '/')}.py").read_text())
    free = {id(each) for text in texts(tree) for each in ast.walk(text)}
    free |= {id(each.value) for each in ast.walk(tree) if isinstance(each, ast.Expr)}
    constants = [
        each
        for each in ast.walk(tree)
        if isinstance(each, ast.Constant) and id(each) not in free
    ]
    before, changed = bare(tree), object()
    for constant in constants:
        value, constant.value = constant.value, changed
        assert bare(tree) != before, ast.unparse(tree).splitlines()[constant.lineno]
        constant.value = value
    assert len(constants) > 5


def bare(tree):
    return ast.dump(provenance._Bare().visit(deepcopy(tree)))


def test_the_names_of_message_makers_are_theirs_alone():
    """Another function of such a name would lose the texts that it is given."""
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                mine = node.name in provenance.MESSAGES
                known = {"errors", "progress", "publish", "shard"}
                assert not mine or path.stem in known


def test_a_seed_stays_what_it_is():
    assert provenance.seed(2019, "split", "Wave") == 2587296386


def test_seeds_differ_by_every_name():
    seeds = [
        provenance.seed(master, *names)
        for master in (0, 1)
        for names in [(), ("a",), ("b",), ("a", "b"), ("ab",), ("a", 1), ("a", "1")]
    ]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= each < 1 << 32 for each in seeds)


def identity(inputs=None, **settings):
    inputs = {"a.h5": "0" * 32} if inputs is None else inputs
    return provenance.about("flow", ["twinlens.provenance"], inputs, **settings)["id"]


def test_an_identity_does_not_depend_on_where_inputs_lie():
    assert identity({"a.h5": "1"}) == identity({"/else/where/b.h5": "1"})


def test_an_identity_depends_on_inputs_and_settings():
    found = {identity(), identity({"a.h5": "1"}), identity(seed=1), identity(seed=2)}
    assert len(found) == 4


def test_what_an_artifact_says_is_json():
    about = provenance.about(
        "flow", ["twinlens.provenance"], {"a": "1"}, size=[340, 256]
    )
    assert json.loads(json.dumps(about)) == about


def test_an_import_of_super_resolution_does_not_depend_on_flow():
    modules = ["twinlens.networks.importer", "twinlens.models.duf"]
    reached = provenance._closure(modules)
    assert "twinlens.weights" in reached
    assert not [name for name in reached if name.startswith("twinlens.flow")]
