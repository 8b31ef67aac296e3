"""FlowNet2's published weights: NVIDIA's PyTorch checkpoint and LMB's Caffe model.

NVIDIA's names are ours. LMB's networks have a prefix each and read BGR; the names of
their layers, and which inputs are colours, are as NVIDIA's conversion of the same files
has them.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from twinlens.flow.flownet2.cascade import FlowNet2

# Our network: LMB's prefix, the prefix of its layers that enlarge flow, of its heads.
CAFFE = {
    "flownetc": ("", "", "Convolution"),
    "flownets_1": ("net2_", "net2_net2_", "net2_predict_conv"),
    "flownets_2": ("net3_", "net3_net3_", "net3_predict_conv"),
    "flownets_d": ("netsd_", "netsd_", "netsd_Convolution"),
    "flownetfusion": ("fuse_", "fuse_", "fuse__Convolution"),
}
COLOURS = {
    "flownetc.conv1.0.weight": 1,
    "flownets_1.conv1.0.weight": 3,
    "flownets_2.conv1.0.weight": 3,
    "flownets_d.conv0.0.weight": 2,
    "flownetfusion.conv0.0.weight": 1,
}
"""Weights that read pictures, and how many: triples of their first inputs."""
# ASSUME: LMB's layers that prepare pictures keep blobs, too; their names have "aug".
ASIDE = re.compile(r"(?i)aug|mean")
# Of the heads that LMB numbers through: a head's number is this less its level.
FIRST = {"flownetc": 7, "flownets_d": 7, "flownetfusion": 7}


def convert(found: Mapping[str, Any]) -> dict[str, Tensor]:
    """Convert a published file to a state dict.

    Args:
        found: what `twinlens.weights.read` gives of NVIDIA's
            `FlowNet2_checkpoint.pth.tar`, or of LMB's
            `FlowNet2_weights.caffemodel.h5` or `.caffemodel`.

    Returns:
        Our names to float tensors; a caller loads them strictly.

    Raises:
        ValueError: another network, or one part of the cascade; the error lists what
            is missing and what is too many.
    """
    wanted = _names()
    if any(name.startswith("flownetc.") for name in found):
        _compare(wanted, list(found))
        return {name: torch.as_tensor(found[name]).float() for name in wanted}
    # ASSUME: FlowNetS's layers that enlarge flow have a bias in LMB's file and none in
    # NVIDIA's conversion (section 3.2 does not say which was used); it is left out.
    blobs = _blobs(found)
    sources = {name: _blob_of(name) for name in wanted}
    layers = {layer for layer, _ in sources.values()}
    _compare(sorted(layers), [name for name in blobs if not ASIDE.search(name)])
    return {name: _tensor(name, blobs, *source) for name, source in sources.items()}


def _names() -> list[str]:
    """List the cascade's entries; they do not depend on its width."""
    with torch.device("meta"):
        return list(FlowNet2(0.1).state_dict())


def _compare(wanted: list[str], there: list[str]) -> None:
    """Refuse a file that lacks some of what is wanted or has more."""
    lacks = [name for name in wanted if name not in set(there)]
    more = [name for name in there if name not in set(wanted)]
    faults = [
        f"{len(names)} layers {what}"
        f" ({', '.join(names[:6])}{', ...' * (len(names) > 6)})"
        for what, names in (("missing", lacks), ("unexpected", more))
        if names
    ]
    if faults:
        raise ValueError(f"no whole FlowNet2: {' and '.join(faults)}")


def _blobs(found: Mapping[str, Any]) -> dict[str, dict[int, Any]]:
    """Index LMB's blobs by layer and number, in either container."""
    blobs: dict[str, dict[int, Any]] = {}
    for key, value in found.items():
        if isinstance(value, list):
            blobs[key] = dict(enumerate(value))
        elif match := re.fullmatch(r"/?data/(.+)/(\d+)", key):
            blobs.setdefault(match[1], {})[int(match[2])] = value
    if not blobs:
        raise ValueError(f"no FlowNet2 in it, but {', '.join(list(found)[:6])}")
    return blobs


def _blob_of(name: str) -> tuple[str, int]:
    """Name LMB's layer and blob of one of our entries."""
    network, layer, *_, kind = name.split(".")
    return _layer(network, layer), int(kind == "bias")


def _layer(network: str, layer: str) -> str:
    """Translate a layer's name to LMB's."""
    prefix, up, head = CAFFE[network]
    if match := re.fullmatch(r"upsampled_flow(\d)_to_(\d)", layer):
        return f"{up}upsample_flow{match[1]}to{match[2]}"
    if match := re.fullmatch(r"predict_flow(\d)", layer):
        level = int(match[1])
        return f"{head}{FIRST[network] - level if network in FIRST else level}"
    return prefix + layer.replace("inter_conv", "interconv")


def _tensor(
    name: str, blobs: Mapping[str, Mapping[int, Any]], layer: str, blob: int
) -> Tensor:
    """Convert one entry, its colours from BGR to RGB."""
    if blob not in blobs[layer]:
        raise ValueError(f"no whole FlowNet2: layer {layer} lacks blob {blob}")
    entry = torch.as_tensor(blobs[layer][blob]).float()
    if blob == 1:
        return entry.reshape(-1)
    if name in COLOURS:
        entry = torch.cat(list(_flipped(entry, COLOURS[name])), dim=1)
    return entry


def _flipped(weight: Tensor, pictures: int) -> Iterator[Tensor]:
    """Yield the inputs of pictures in reversed colour order, then the rest."""
    for index in range(pictures):
        yield weight[:, 3 * index : 3 * index + 3].flip(1)
    yield weight[:, 3 * pictures :]
