"""Where an artifact comes from: code digests, seeds, identities.

Snakemake does not see an edit in an imported module. So every rule passes a digest of
the code that its job imports as a parameter, and a change of code reruns the jobs that
import it, and no others. Comments, docstrings and messages don't count (see `_Bare`).
"""

import ast
import functools
import hashlib
import importlib
import importlib.metadata
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).resolve().parent.parent
# Libraries whose version can move a number, by the name that code imports.
LIBRARIES = {
    "cv2": "opencv-contrib-python-headless",
    "imageio_ffmpeg": "imageio-ffmpeg",
    "lightning_fabric": "lightning-fabric",
    "numba": "numba",
    "numpy": "numpy",
    "scipy": "scipy",
    "skimage": "scikit-image",
    "torch": "torch",
}
DECODER = "twinlens.decoder"
"""The module for which the version of the ffmpeg in use counts, too."""
MOVES_NO_NUMBER = {"twinlens.errors", "twinlens.networks.live", "twinlens.progress"}
"""Modules that are left out of every digest, with what only they import."""
MESSAGES = dict.fromkeys(
    (
        *("ArtifactError", "DataError", "DecodingError", "RejectedError"),
        *("message", "refused", "unusable"),  # of errors, of publish
        *("say", "teller", "warn", "warning"),  # of progress, warnings, logging
    ),
    0,
) | {"track": 1, "map_clips": 5}
"""Functions whose text is for a person, from which argument on; so is all raised."""
HELP = {"description", "help"}
"""Keywords whose text is for a person, whatever takes them."""
HARMLESS = {"join", "len", "list", "map", "sorted", "str", "tuple", "type"}
"""Functions that move no number, wherever a message calls them."""


def code_digest(*modules: str) -> str:
    """Digest of what these modules run: their code and all of ours that they import.

    Args:
        modules: dotted names, such as `"twinlens.flow.stage"`.

    Returns:
        16 hexadecimal digits.

    Raises:
        ValueError: a module has no file.
    """
    found = {name: _code(name) for name in _closure(modules)}
    text = json.dumps(sorted(found.items()))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _closure(modules: Sequence[str]) -> set[str]:
    """These modules, all that they import, and the packages that these lie in.

    Of other packages only `LIBRARIES`.
    """
    found: set[str] = set()
    waiting = set(modules)
    while waiting:
        name = waiting.pop()
        found.add(name)
        waiting |= _imports(name) - found - MOVES_NO_NUMBER
    return found


@functools.cache
def _imports(name: str) -> set[str]:
    """What a module needs directly: imports, wherever they stand, and its package."""
    package, _, _ = name.partition(".")
    if name in LIBRARIES:
        return set()
    graph = _graph(package)
    if name not in graph.modules:
        raise ValueError(f"no module {name} below {SOURCE}")
    imports = graph.find_modules_directly_imported_by(name)
    ours = {each for each in imports if each.split(".")[0] == package}
    parent = {name.rpartition(".")[0]} - {""}
    return ours | parent | (LIBRARIES.keys() & imports)


@functools.cache
def _graph(package: str) -> Any:
    # Here, since a process that asks for no digest does without it.
    import grimp

    return grimp.build_graph(package, include_external_packages=True, cache_dir=None)


@functools.cache
def _code(name: str) -> str:
    """The code of a module without words, or the version of a library."""
    if name in LIBRARIES:
        return _version(LIBRARIES[name])
    base = SOURCE.joinpath(*name.split("."))
    file = base.with_suffix(".py")
    path = file if file.is_file() else base / "__init__.py"
    code = ast.dump(_Bare().visit(ast.parse(path.read_text(encoding="utf-8"))))
    # Imported here and by name, or it would be in every digest.
    version = importlib.import_module(DECODER).version() if name == DECODER else ""
    return code + version


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution).split("+")[0]
    except importlib.metadata.PackageNotFoundError:
        return "absent"


class _Bare(ast.NodeTransformer):
    """Drop the words that are for a person.

    These are strings that stand alone (docstrings, also those of attributes), and the
    texts among the arguments of what is raised, of `MESSAGES` and of `HELP`. What a
    text's expressions call or assign is kept: it may move a number. Reasons of rejected
    videos are such texts too, though a table lists them: no number depends on them.
    """

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:  # noqa: N802
        match node.value:
            case ast.Constant(value=str()):
                return None
        return self.generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> ast.AST:  # noqa: N802
        if isinstance(node.exc, ast.Call):
            _drop_texts(node.exc)
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:  # noqa: N802
        first = MESSAGES.get(_called(node))
        if first is not None:
            _drop_texts(node, first)
        return self.generic_visit(node)

    def visit_keyword(self, node: ast.keyword) -> ast.AST:  # noqa: N802
        if node.arg in HELP:
            node.value = _without_text(node.value)
        return self.generic_visit(node)


def _drop_texts(call: ast.Call, first: int = 0) -> None:
    call.args[first:] = map(_without_text, call.args[first:])
    for keyword in call.keywords:
        keyword.value = _without_text(keyword.value)


def _without_text(node: ast.expr) -> ast.expr:
    """An argument as it is; of a text only what it calls and assigns."""
    if not _is_text(node):
        return node
    inner = (each for each in ast.walk(node) if isinstance(each, ast.expr))
    return ast.Tuple([each for each in inner if _acts(each)], ast.Load())


def _is_text(node: ast.expr) -> bool:
    match node:
        case ast.Constant(value=str()) | ast.JoinedStr():
            return True
        case ast.BinOp(left=one, right=other):
            return _is_text(one) or _is_text(other)
        case ast.IfExp(body=one, orelse=other):
            return _is_text(one) and _is_text(other)
        case ast.Call(func=ast.Attribute(value=text)):  # "; ".join(...)
            return _is_text(text)
    return False


def _acts(node: ast.expr) -> bool:
    if isinstance(node, ast.Call):
        return _called(node) not in HARMLESS
    return isinstance(node, ast.NamedExpr | ast.Await | ast.Yield | ast.YieldFrom)


def _called(call: ast.Call) -> str:
    """The last name of what is called."""
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def seed(master: int, *names: str | int) -> int:
    """A seed for one purpose: 32 bits that depend on every name and on the master."""
    text = json.dumps([master, *names])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def about(
    stage: str, modules: Sequence[str], inputs: Mapping[str, str], **settings: Any
) -> dict[str, Any]:
    """What an artifact says of itself.

    Args:
        stage: the command that makes it.
        modules: the modules whose code decides its content.
        inputs: path of each input and its identity (an artifact's `id`, a digest).
        settings: everything else that decides its content; must be JSON.

    Returns:
        A mapping whose `id` depends on stage, code, settings and identities of the
        inputs, but not on where the inputs lie.
    """
    identity = {
        "stage": stage,
        "code": code_digest(*modules),
        "inputs": sorted(inputs.values()),
        **settings,
    }
    text = json.dumps(identity, sort_keys=True)
    name = hashlib.sha256(text.encode()).hexdigest()[:32]
    return {**identity, "inputs": dict(inputs), "id": name}
