"""Write a super-resolution network for other tools, with its model card."""

import json
from pathlib import Path
from typing import Any

from torch import nn

from twinlens import models
from twinlens.artifacts import reader
from twinlens.artifacts.publish import publish
from twinlens.errors import ArtifactError
from twinlens.networks import artifact
from twinlens.progress import say
from twinlens.sr import card

Facts = dict[str, Any]
"""What an artifact says of itself."""


def export(network: Path, out: Path) -> None:
    """Write a network as .safetensors or .onnx, and its model card beside it.

    Args:
        network: HDF5 "network/1" of a super-resolution network.
        out: .safetensors gets the weights, named as the project that the network comes
            from names them, where there is one; .onnx the whole network, for low
            resolution of any sides. The card is `out` with `.md` behind its name.

    Raises:
        ArtifactError: no such format, the network can't be written in it, or what it
            was made from is damaged.
    """
    write = FORMATS.get(out.suffix)
    if write is None:
        raise ArtifactError(f"{out}: its name must end in {' or '.join(FORMATS)}")
    module = artifact.load(network, "sr")
    with reader.open(network) as file:
        about = file.about
    with publish(out) as temporary:
        usage = write(module, about, temporary, out.name)
    with publish(out.with_name(f"{out.name}.md")) as temporary:
        count = artifact.parameters(module)
        text = card.text(about, count, usage)
        temporary.write_text(text, encoding="utf-8")
    say(f"{out}: {about['kind']}, {count:,} parameters; {out.name}.md says what it is")


def _safetensors(module: nn.Module, about: Facts, path: Path, name: str) -> str:
    """Write the weights under the names of their origin; say how `name` is read."""
    from safetensors.torch import save_file

    plugin = models.module(about["kind"])
    state = module.state_dict()
    named = plugin.export(state) if hasattr(plugin, "export") else state
    tensors = {key: value.contiguous() for key, value in named.items()}
    save_file(tensors, path, metadata={"format": "pt", **metadata(about)})
    origin = getattr(plugin, "ORIGIN", f"twinlens, `twinlens.models.{about['kind']}`")
    back = "As `weights: FILE` of a method or a start of its config, twinlens reads it."
    lines = [
        f"Names of the weights are those of {origin}.",
        "",
        "```python",
        "from safetensors.torch import load_file",
        "",
        f'state = load_file("{name}")',
        "```",
        *(["", back] if models.has_importer(about["kind"]) else []),
    ]
    return "\n".join(lines)


def _onnx(module: nn.Module, about: Facts, path: Path, name: str) -> str:
    """Write the whole network; say how `name` is run."""
    from twinlens.sr import onnx_file

    graph = onnx_file.write(module, about["network"], metadata(about), path)
    inputs = [f"- input `{key}`: {shape}" for key, shape in graph.inputs.items()]
    outputs = [f"- output `{key}`: {shape}" for key, shape in graph.outputs.items()]
    given = ", ".join(f'"{key}": {key}' for key in graph.inputs)
    lines = [
        f"The graph takes {graph.about}. Values are float32; pictures are RGB 0..1,"
        " and what comes out is not clipped.",
        "",
        *inputs,
        *outputs,
        "",
        "```python",
        "import onnxruntime",
        "",
        f'session = onnxruntime.InferenceSession("{name}")',
        f"{', '.join(graph.outputs)}{',' * (len(outputs) == 1)}"
        f" = session.run(None, {{{given}}})",
        "```",
    ]
    return "\n".join(lines)


def metadata(about: Facts) -> dict[str, str]:
    """What is written into the file itself."""
    return {
        "network": about["network"],
        "model": about["kind"],
        "settings": json.dumps(about["settings"]),
        "digest": about["id"],
    }


FORMATS = {".safetensors": _safetensors, ".onnx": _onnx}
