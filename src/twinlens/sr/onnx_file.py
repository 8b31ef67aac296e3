"""Write a super-resolution network as an ONNX graph of one frame, of any sides."""

import inspect
import logging
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import Dim

from twinlens import models
from twinlens.errors import ArtifactError

SIDES = 24, 28
"""Height and width of the example that a network is traced with."""
FREE = {-2: Dim("height", min=4), -1: Dim("width", min=4)}
"""Sides that are not fixed, but for the least."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Graph:
    """What a written graph takes and gives."""

    inputs: dict[str, str]
    """Shapes by name."""
    outputs: dict[str, str]
    about: str
    """How its inputs are filled."""


def write(network: Any, name: str, metadata: Mapping[str, str], path: Path) -> Graph:
    """Write a network with a batch of 1, height and width free.

    A network of whole clips becomes a graph of one step: it takes what it returned for
    the frame before.

    Args:
        network: of the contract of `twinlens.models`, on the CPU.
        name: its name, for errors.
        metadata: properties of the file.
        path: the file to write.

    Raises:
        ArtifactError: a package is missing, or the network can't be traced.
    """
    whole = network.frames == models.WHOLE_CLIP
    call, inputs, about = _step(network, name) if whole else _frame(network)
    try:
        with _quiet():
            program = _program(_Traced(network, call), inputs)
    except ModuleNotFoundError as error:
        raise ArtifactError(
            f"{path}: writing ONNX needs {error.name}: pip install onnx onnxscript"
        ) from error
    except torch.onnx.OnnxExporterError as error:
        raise ArtifactError(f"{name}: can't be written as ONNX: {error}") from error
    program.model.metadata_props.update(metadata)
    program.save(path)
    graph = program.model.graph
    shapes = _shapes(graph.inputs), _shapes(graph.outputs)
    return Graph(inputs=shapes[0], outputs=shapes[1], about=about)


def _program(network: nn.Module, inputs: Mapping[str, Tensor]) -> Any:
    """Trace a network; its outputs are `high`, and what each further input is next."""
    return torch.onnx.export(
        network,
        tuple(inputs.values()),
        input_names=list(inputs),
        output_names=["high", *(f"next_{each}" for each in list(inputs)[1:])],
        dynamic_shapes=(tuple(_free(each) for each in inputs.values()),),
        verbose=False,
    )


def _shapes(values: Iterable[Any]) -> dict[str, str]:
    return {each.name: str(each.shape) for each in values}


class _Traced(nn.Module):
    """A function of a network as a module, which the exporter asks for."""

    def __init__(self, network: nn.Module, call: Callable[..., Any]) -> None:
        super().__init__()
        self.network = network
        self.call = call

    def forward(self, *inputs: Tensor) -> Any:
        return self.call(*inputs)


def _frame(network: Any) -> tuple[Callable[..., Any], dict[str, Any], str]:
    """What to trace of a network of T frames."""
    frames = int(network.frames)
    black = getattr(network, "zeros_beyond", False)
    beyond = "black" if black else "the last frame repeated"
    low = torch.rand(1, frames, 3, *SIDES)
    around = f"the frames around the middle one, beyond a clip's ends {beyond}"
    return network, {"low": low}, around if frames > 1 else "one frame"


def _step(network: Any, name: str) -> tuple[Callable[..., Any], dict[str, Any], str]:
    """What to trace of a network of whole clips."""
    if not hasattr(network, "step"):
        raise ArtifactError(
            f"{name}: reads whole clips, and its file has no start and step, see"
            " twinlens.models; as .safetensors it can be written"
        )
    frame = torch.rand(1, 3, *SIDES)
    # Cloned: one tensor given twice would become one input.
    state = [each.clone() for each in network.start(frame)]
    names = list(inspect.signature(network.step).parameters)
    inputs = dict(zip(names, [frame, *state], strict=True))
    zeros = [key for key, each in zip(names[1:], state, strict=True) if not each.any()]
    others = [key for key in names[1:] if key not in zeros]
    about = (
        "a step of a clip: each next_ output is the input of that name for the next"
        f" frame; for the first, {', '.join(zeros) or 'none'} are zeros, and"
        f" {', '.join(others) or 'none'} the frame itself"
    )
    return network.step, inputs, about


def _free(example: Tensor) -> dict[int, Any]:
    return {example.ndim + axis: side for axis, side in FREE.items()}


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence what the exporter says of packages and names that don't matter here."""
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)
