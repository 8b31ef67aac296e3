"""Made-up shards and networks for the tests of this room."""

import numpy as np
import pandas as pd
import torch

from twinlens import checkpoints, provenance
from twinlens.artifacts import writer
from twinlens.artifacts.shard import Shard
from twinlens.artifacts.table import write_csv
from twinlens.flow.encoding import encode
from twinlens.media.frames import REPORT
from twinlens.protocol import Protocol, read_flows, read_frames
from twinlens.recognition import backbones, networks
from twinlens.recognition.views import Views

PROTOCOL = Protocol(snippets=3, stack=5, segments=3, positions=2)
VIEWS = Views(crop=32, crops=10, scales=(1.0, 0.875))
CLASSES = 3


def shard(folder, lengths, keep="protocol", part="test", protocol=PROTOCOL):
    """Frames, flow and report of clips of these lengths, the same for every `keep`."""
    names = [f"a/clip{place}" for place in range(len(lengths))]
    files = {"frames": folder / "frames.h5", "flow": folder / "flow.h5"}
    same = {"dataset": "made", "method": "hr", "part": part}
    about = provenance.about("made", [], {}, keep=keep, lengths=lengths, **same)
    of_them = provenance.about("flow", [], {str(files["frames"]): about["id"]}, **same)
    with (
        Shard(files["frames"], "frames/1", about, names) as frames,
        Shard(files["flow"], "flow/1", of_them, names) as flows,
    ):
        for place, (name, total) in enumerate(zip(names, lengths, strict=True)):
            video, flow = _clip(place, total)
            index, pairs = np.arange(total), np.arange(total - 1)
            if keep == "protocol":
                index = read_frames(total, part, protocol, name, 0)
                pairs = read_flows(total, part, protocol, name, 0)
            frames.write(name, {"frames": video[index], "index": index})
            flows.write(name, {"flow": flow[pairs], "index": pairs})
    rows = [
        {"clip": name, "label": place % CLASSES, "status": "ok", "frames": total}
        for place, (name, total) in enumerate(zip(names, lengths, strict=True))
    ]
    files["report"] = folder / "report.csv"
    write_csv(files["report"], "report/1", pd.DataFrame(rows, columns=REPORT))
    files["classes"] = folder / "classes.csv"
    classes = pd.DataFrame({"label": range(CLASSES), "class": list("abc")})
    write_csv(files["classes"], "classes/1", classes)
    return files


def _clip(place, total):
    """Frames whose brightness, and flow whose direction, tell the class."""
    rng = np.random.default_rng(place)
    video = rng.integers(0, 60, (total, 40, 48, 3), dtype=np.uint8)
    video[..., place % CLASSES] += 90
    flow = rng.normal(0, 0.5, (total - 1, 2, 40, 48))
    flow[:, 1] += 4 * (place % CLASSES - 1)
    return video, encode(flow.astype(np.float32))


def make_weights(folder, stream, trained=True, times=1.0, dataset="made"):
    """A small network's artifact with fixed random weights, all times a factor."""
    torch.manual_seed(0)
    channels = networks.channels(stream, PROTOCOL.stack)
    settings = {"width": 8}
    network = backbones.build("compact", channels=channels, classes=CLASSES, **settings)
    out = folder / f"{stream}-{trained}.h5"
    about = provenance.about(
        "made",
        [],
        {},
        dataset=dataset,
        stream=stream,
        backbone="compact",
        channels=channels,
        classes=CLASSES,
        settings=settings,
        trained=trained,
    )
    for parameter in network.parameters():
        parameter.data *= times
    with writer.create(out, networks.WEIGHTS, about) as file:
        checkpoints.save_state(file.create_group("state"), network.state_dict())
    return out
