"""Weights from Caffe's binary network files (.caffemodel), without Caffe.

Such a file is one protocol-buffer message. Only the parts that carry weights are
described here, field by field as Caffe's public message definitions number them;
everything else in the file is skipped by the parser.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

_FIELD = descriptor_pb2.FieldDescriptorProto
_ONE, _MANY = _FIELD.LABEL_OPTIONAL, _FIELD.LABEL_REPEATED
_INT32, _INT64 = _FIELD.TYPE_INT32, _FIELD.TYPE_INT64
_FLOAT, _DOUBLE = _FIELD.TYPE_FLOAT, _FIELD.TYPE_DOUBLE
_BYTES, _MESSAGE = _FIELD.TYPE_BYTES, _FIELD.TYPE_MESSAGE

_LEGACY_SIDES = ("num", "channels", "height", "width")

# message: (field, number, how often, type, message type); names are read as bytes
# because old files hold names that are not UTF-8.
_MESSAGES: dict[str, list[tuple[str, int, Any, Any, str]]] = {
    "BlobShape": [("dim", 1, _MANY, _INT64, "")],
    "BlobProto": [
        *((side, 1 + i, _ONE, _INT32, "") for i, side in enumerate(_LEGACY_SIDES)),
        ("data", 5, _MANY, _FLOAT, ""),
        ("shape", 7, _ONE, _MESSAGE, "BlobShape"),
        ("double_data", 8, _MANY, _DOUBLE, ""),
    ],
    "LayerParameter": [
        ("name", 1, _ONE, _BYTES, ""),
        ("blobs", 7, _MANY, _MESSAGE, "BlobProto"),
    ],
    "V1LayerParameter": [
        ("name", 4, _ONE, _BYTES, ""),
        ("blobs", 6, _MANY, _MESSAGE, "BlobProto"),
    ],
    "NetParameter": [
        ("layers", 2, _MANY, _MESSAGE, "V1LayerParameter"),
        ("layer", 100, _MANY, _MESSAGE, "LayerParameter"),
    ],
}


def read(path: Path) -> dict[str, list[np.ndarray]]:
    """Read every layer that has weights.

    A file cut exactly between two layers still parses; the network that takes the
    weights then names those missing.

    Args:
        path: a .caffemodel file of either generation (`layer` or the older `layers`).

    Returns:
        Layer name (as in the file, with its slashes) to its blobs, float32 or float64
        as stored, in Caffe's own axis order, shapes as stored: (1, 1, 1, C) stays so.

    Raises:
        ValueError: the file is empty, no protocol buffer, cut short, holds no layers
            or no weights, or a blob's shape disagrees with its data.
    """
    layers: dict[str, list[np.ndarray]] = {}
    for layer in _layers(path):
        name = layer.name.decode("utf-8", errors="replace")
        if not layer.blobs:
            continue
        if name in layers:
            raise ValueError(f"{path}: two layers with weights are called {name!r}")
        layers[name] = [
            _array(blob, f"{path}: blob {i} of layer {name!r}")
            for i, blob in enumerate(layer.blobs)
        ]
    if not layers:
        raise ValueError(f"{path}: no layer holds weights; a network without training?")
    return layers


def _layers(path: Path) -> Iterator[Any]:
    """Read the file's layer messages, of whichever generation."""
    raw = path.read_bytes()
    if not raw:
        raise ValueError(f"{path}: the file is empty")
    try:
        net = _message_classes()["NetParameter"].FromString(raw)
    except DecodeError as error:
        raise ValueError(
            f"{path}: not a .caffemodel, or cut short ({len(raw)} bytes): {error}"
        ) from error
    del raw  # a large network should not lie in memory three times
    if not net.layer and not net.layers:
        raise ValueError(f"{path}: holds no layers, so it is no .caffemodel")
    yield from net.layer
    yield from net.layers


def _array(blob: Any, what: str) -> np.ndarray:
    """Return one blob's numbers in its shape."""
    values = (
        np.array(blob.double_data, np.float64)
        if blob.double_data
        else np.array(blob.data, np.float32)
    )
    shape = _shape(blob)
    if min(shape, default=1) < 0 or np.prod(shape, dtype=object) != values.size:
        raise ValueError(f"{what}: shape {shape} but {values.size} numbers")
    return values.reshape(shape)


def _shape(blob: Any) -> tuple[int, ...]:
    """Read the blob's shape: named axes in old files, a list in newer ones."""
    if blob.HasField("shape"):
        return tuple(blob.shape.dim)
    return tuple(getattr(blob, side) for side in _LEGACY_SIDES)


@cache
def _message_classes() -> dict[str, Any]:
    """Build message classes from the table above, in a pool of their own."""
    file = descriptor_pb2.FileDescriptorProto(
        name="twinlens_caffe.proto", package="twinlens_caffe", syntax="proto2"
    )
    for message, fields in _MESSAGES.items():
        described = file.message_type.add(name=message)
        for name, number, label, kind, of in fields:
            field = described.field.add(
                name=name, number=number, label=label, type=kind
            )
            if of:
                field.type_name = f".{file.package}.{of}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        message: message_factory.GetMessageClass(
            pool.FindMessageTypeByName(f"{file.package}.{message}")
        )
        for message in _MESSAGES
    }
