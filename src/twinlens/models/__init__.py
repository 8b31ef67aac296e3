"""Super-resolution networks: one file each, the file's name is the network's name.

A file has `FRAMES`, the odd number T of low-resolution frames that an output frame is
computed from, and `build(**settings)`, which returns a module of this contract::

    network(low)      low: float RGB 0..1 (B, T, 3, h, w), T frames in order around the
                      wanted one, low[:, T // 2]. Returns (B, 3, 4h, 4w), RGB 0..1 but
                      for overshoot: nothing is clipped inside.
    network.frames    T, as `FRAMES`. `WHOLE_CLIP` is that of a network that reads all
                      frames of a clip, any T; it also has network.clip(low), which
                      yields all of them in order, in one pass: each (B, 3, 4h, 4w),
                      one at a time, so that no enlarged clip is held in floats.
    network.start(first), network.step(frame, *state)    optional, of a network of
                      whole clips, so that any video can be enlarged frame by frame
                      and it can be written as ONNX: the state before
                      a clip's first frame, and an enlarged frame with the next state.
    network.zeros_beyond    optional: True if what lies beyond a clip's ends is black,
                            and not the last frame repeated.

    network.reach   optional: how many pixels of low resolution around a pixel it reads
                    at most for it, beside the frame's borders. Large frames are then
                    enlarged tile by tile.

    network.own_loss(low, target, done)    optional: the loss where a recipe says
                            `loss: {kind: own}`. Takes low as above, the target frames
                            (B, 3, 4h, 4w) and the training progress in [0, 1]; returns
                            the weighted terms by name, whose sum is the loss.

Colour conversion and interpolation are the network's own. A network whose input is an
interpolated frame also has::

    network.refine(interpolated)    (B, 3, 4h, 4w) to the same

and is then trained on patches that were cut from whole interpolated frames, as the
paper's are (section 4.2). One that learns nothing states `LEARNS = False`. One whose
weights are published has `convert(published)`, and `export(state)` with `ORIGIN` for
the way back, see `twinlens.networks`. Nothing is registered.
"""

import ast
import functools
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from twinlens.named import nearest
from twinlens.networks.families import FAMILIES

if TYPE_CHECKING:
    from torch import nn

WHOLE_CLIP = 0
"""`FRAMES` of a network that reads all frames of a clip at once."""
SCALE = 4
PACKAGE = FAMILIES["sr"]
names, module = PACKAGE.names, PACKAGE.module


def build(name: str, **settings: Any) -> "nn.Module":
    """Build a network with random weights.

    Args:
        name: one of `names()`.
        settings: what the file's `build` takes; without any, its published size.

    Raises:
        ValueError: there is no such network.
    """
    return module(name).build(**settings)


def frames(name: str) -> int:
    """Return the number of frames that a network reads, without loading PyTorch.

    Raises:
        ValueError: there is no such network, or its file states neither an odd number
            in digits nor `WHOLE_CLIP`.
    """
    for node in _stated(name):
        match node:
            case (
                ast.Assign(targets=[ast.Name(id="FRAMES")], value=value)
                | ast.AnnAssign(target=ast.Name(id="FRAMES"), value=value)
            ):
                match value:
                    case ast.Name(id="WHOLE_CLIP"):
                        return WHOLE_CLIP
                    case ast.Constant(value=int(number)) if number % 2:
                        return number
    raise ValueError(
        f"{PACKAGE.file(name)}: write FRAMES = 1, or 3, 5, ... (an odd number in"
        " digits), or FRAMES = WHOLE_CLIP"
    )


def learns(name: str) -> bool:
    """Whether a network has weights: unless its file states `LEARNS = False`."""
    return not any(ast.unparse(node) == "LEARNS = False" for node in _stated(name))


def has_own_loss(name: str) -> bool:
    """Whether a network's file has an `own_loss`, read without loading PyTorch."""
    return _defines(name, "own_loss")


def has_importer(name: str) -> bool:
    """Whether a network's file has a `convert`, read without loading PyTorch."""
    return _defines(name, "convert")


def problem(name: str) -> str | None:
    """Return what is wrong with a network's file, as far as reading it shows."""
    try:
        frames(name)
        settings(name)
    except ValueError as error:
        return str(error)
    return None


def _defines(name: str, function: str) -> bool:
    return any(
        isinstance(node, ast.FunctionDef) and node.name == function
        for stated in _stated(name)
        for node in ast.walk(stated)
    )


def settings(name: str) -> list[str] | None:
    """List the arguments of a network's `build`, without PyTorch; None for any.

    Raises:
        ValueError: there is no such network, or its file has no `build`.
    """
    for node in _stated(name):
        if isinstance(node, ast.FunctionDef) and node.name == "build":
            taken = node.args
            if taken.kwarg:
                return None
            return [each.arg for each in [*taken.args, *taken.kwonlyargs]]
    raise ValueError(f"{PACKAGE.file(name)}: has no function build")


def argument_faults(name: str, given: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with arguments of a network's `build`, read without PyTorch.

    Unknown ones, and values that are not what the argument's annotation says: a number
    above 0 for int and float (depths and widths), true or false for bool.

    Args:
        name: of the network.
        given: arguments by name.
    """
    known = settings(name)
    if known is None:
        return
    kinds = _annotations(name)
    for key, value in given.items():
        if key not in known:
            yield f"{name} takes no {key!r}{nearest(key, known)}"
        elif not _fits(value, kinds[key]):
            yield f"{key}: {value!r}: {name} takes {WORDS.get(kinds[key], kinds[key])}"


WORDS = {
    "int": "a whole number from 1 to 10000",
    "float": "a number above 0, at most 10000",
    "bool": "true or false",
}
"""What values of an annotated argument are."""
LARGEST = 10_000


def _fits(value: Any, annotation: str) -> bool:
    """Whether a value is of an annotation; of one that is not in `WORDS`, all are."""
    kinds = annotation.split(" | ")
    if value is None:
        return "None" in kinds
    if isinstance(value, bool) or kinds[0] == "bool":
        return isinstance(value, bool) and kinds[0] not in {"int", "float"}
    if kinds[0] in {"int", "float"}:
        numbers = (int,) if kinds[0] == "int" else (int, float)
        return isinstance(value, numbers) and 0 < value <= LARGEST
    return True


def _annotations(name: str) -> dict[str, str]:
    """The annotations of the arguments of a network's `build`, "" without one."""
    for node in _stated(name):
        if isinstance(node, ast.FunctionDef) and node.name == "build":
            taken = [*node.args.args, *node.args.kwonlyargs]
            return {
                each.arg: ast.unparse(each.annotation) if each.annotation else ""
                for each in taken
            }
    return {}


@functools.cache
def _stated(name: str) -> list[ast.stmt]:
    """Parse a network's file into its top-level statements."""
    if name not in names():
        module(name)  # which says what there is
    file = PACKAGE.file(name)
    try:
        return ast.parse(file.read_text(encoding="utf-8")).body
    except SyntaxError as error:
        raise ValueError(f"{file}, line {error.lineno}: {error.msg}") from error
