"""Where an artifact comes from: code digests, seeds, identities.

Snakemake does not see an edit in an imported module. So every rule passes a digest of
the code that its job imports as a parameter, and a change of code reruns the jobs that
import it, and no others. Comments and docstrings don't count.
"""

import ast
import functools
import hashlib
import importlib.metadata
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).resolve().parent.parent
# Libraries whose version can move a number, by the name that code imports.
LIBRARIES = {
    "cv2": "opencv-contrib-python-headless",
    "ffmpeg": "imageio-ffmpeg",
    "lightning_fabric": "lightning-fabric",
    "numba": "numba",
    "numpy": "numpy",
    "scipy": "scipy",
    "skimage": "scikit-image",
    "torch": "torch",
}


def code_digest(*modules: str) -> str:
    """Digest of what these modules run: their code and all of ours that they import.

    Args:
        modules: dotted names, such as `"twinlens.flow.stage"`.

    Returns:
        16 hexadecimal digits.

    Raises:
        ValueError: a module has no file.
    """
    found: dict[str, str] = {}
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        code, imports = _read(name)
        found[name] = code
        waiting += [each for each in imports if each.startswith("twinlens")]
        for library in LIBRARIES.keys() & {each.split(".")[0] for each in imports}:
            found[library] = _version(LIBRARIES[library])
    text = json.dumps(sorted(found.items()))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@functools.cache
def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution).split("+")[0]
    except importlib.metadata.PackageNotFoundError:
        return "absent"


@functools.cache
def _read(name: str) -> tuple[str, tuple[str, ...]]:
    """The code of a module without its docs, and what it imports."""
    path = _file(name)
    if path is None:
        raise ValueError(f"no module {name} below {SOURCE}")
    tree = _WithoutDocs().visit(ast.parse(path.read_text(encoding="utf-8")))
    imports = {parent for parent in _parents(name) if _file(parent)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imports.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            imports.add(node.module)
            inner = (f"{node.module}.{alias.name}" for alias in node.names)
            imports.update(each for each in inner if _file(each))
    return ast.dump(tree), tuple(sorted(imports))


def _parents(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts))]


def _file(name: str) -> Path | None:
    if not name.startswith("twinlens"):
        return None
    base = SOURCE.joinpath(*name.split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None


class _WithoutDocs(ast.NodeTransformer):
    """Drop all strings that stand alone: docstrings, also those of attributes."""

    def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:  # noqa: N802
        match node.value:
            case ast.Constant(value=str()):
                return None
        return node


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
