"""Small shards and networks for the tests of this room."""

from dataclasses import asdict

import numpy as np
import pandas as pd
import torch

from twinlens import provenance
from twinlens.artifacts.shard import Shard
from twinlens.artifacts.table import write_csv
from twinlens.flow.encoding import encode
from twinlens.networks import artifact
from twinlens.recognisers import Sampler
from twinlens.recognisers.tsn import Views, channels
from twinlens.recognition import backbones
from twinlens.recognition.settings import Scoring

SAMPLING = {
    "test": {"snippets": 3, "stack": 5},
    "train": {"segments": 3, "positions": 2, "stack": 5},
}
VIEWS = Views(crop=32, crops=10, scales=(1.0, 0.875))
CLASSES = 3
STACK = 5
STREAMS = ("spatial", "temporal")


def sampler(part="test", **changes):
    """What TSN reads of clips."""
    return Sampler(kind="tsn", sampling={**SAMPLING[part], **changes}, part=part)


def scoring(heads=STREAMS, **changes):
    """A shard to score by some heads."""
    settings = {"dataset": "yard", "row": "hr", "frames_of": "hr", "flow_of": "hr"}
    settings |= {"sampler": sampler(), "heads": heads, "networks": heads}
    return Scoring(**{**settings, "scoring": {"views": asdict(VIEWS)}, **changes})


def shard(folder, lengths, keep="sampled", reads=None, method="hr", **changes):
    """Frames and flow of clips of these lengths, the same for every `keep`.

    Args:
        folder: where they go, beside the classes.
        lengths: of the clips, in frames.
        keep: "sampled" stores what is read, "all" every frame.
        reads: who reads it, by default TSN of test clips.
        method: whose frames they are.
        changes: `first`, the number of the first clip; `frames_id`, whose flow it is,
            by default that of the frames; `constant_flow`, a fact of the flow.
    """
    reads = reads or sampler()
    first = changes.get("first", 0)
    names = [f"a/clip{first + place}" for place in range(len(lengths))]
    files = {"frames": folder / "frames.h5", "flow": folder / "flow.h5"}
    same = {"dataset": "yard", "method": method, "part": reads.part}
    about = provenance.about("frames", [], {}, keep=keep, lengths=lengths, **same)
    inputs = {str(files["frames"]): changes.get("frames_id", about["id"])}
    of_them = provenance.about("flow", [], inputs, **same)
    with (
        Shard(files["frames"], "frames/1", about, names) as frames,
        Shard(files["flow"], "flow/1", of_them, names) as flows,
    ):
        for place, (name, total) in enumerate(zip(names, lengths, strict=True)):
            video, flow = _clip(place, total)
            index, pairs = np.arange(total), np.arange(total - 1)
            if keep == "sampled":
                index = reads.frames(total, name)
                pairs = np.unique(reads.reads(total, name).flows)
            facts = {"frames": total, "label": place % CLASSES}
            frames.write(name, {"frames": video[index], "index": index}, **facts)
            facts["constant_flow"] = changes.get("constant_flow", False)
            flows.write(name, {"flow": flow[pairs], "index": pairs}, **facts)
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


def make_weights(folder, stream, trained=True, times=1.0, dataset="yard"):
    """A small network's artifact with fixed random weights, all times a factor."""
    torch.manual_seed(0)
    settings = {"channels": channels(stream, STACK), "classes": CLASSES, "width": 8}
    network = backbones.build("compact", **settings)
    out = folder / f"{stream}-{trained}.h5"
    about = provenance.about(
        "train",
        [],
        {},
        family="recogniser",
        network=f"tsn-{dataset}-{stream}",
        kind="compact",
        settings=settings,
        dataset=dataset,
        stream=stream,
        trained=trained,
    )
    for parameter in network.parameters():
        parameter.data *= times
    artifact.save(out, about, network.state_dict())
    return out
