"""Small shards of clips that move, by methods that blur them, and their flow."""

import cv2
import numpy as np

from tests.patches.clips import moving
from tests.tables import scores
from twinlens import provenance
from twinlens.artifacts.shard import Shard
from twinlens.figures.draw import draw_figure
from twinlens.flow.encoding import encode
from twinlens.tables.settings import ClipChoice, FigureJob

HEIGHT, WIDTH, TOTAL = 48, 64, 12
NAMES = ["c/one", "c/two", "d/three"]
METHODS = {
    "hr": scores.method("hr"),
    "bicubic": scores.method("bicubic", "Bicubic"),
    "vdsr": scores.method("vdsr"),
}
EVERY = range(TOTAL)


def video(name):
    """A clip's original frames and the flow from each to the next."""
    return moving(NAMES.index(name), TOTAL, HEIGHT, WIDTH)


def shard(folder, kind, method, index=EVERY, names=NAMES, bound=20.0):
    """A shard of clips whose frames are blurred more or less, or of their flow."""
    path = folder / f"{kind}-{method}.h5"
    about = {"dataset": "one", "method": method, "part": "test"}
    if kind == "flow":
        about["form"] = {"bound": bound}
    index = np.array(index)
    about = provenance.about(kind, [], {}, **about)
    with Shard(path, f"{kind}/1", about, names) as file:
        for clip in names:
            frames, flow = video(clip)
            if kind == "flow":
                flow = flow if method == "hr" else flow + BLOCK[method]
                motion = encode(np.stack([flow] * len(index)), bound)
                file.write(clip, {"flow": motion, "index": index})
                continue
            if kind == "low":
                frames = frames[:, ::4, ::4]
            elif method != "hr":
                side = {"bicubic": 7, "vdsr": 3}[method]
                frames = np.stack([cv2.blur(frame, (side, side)) for frame in frames])
            file.write(clip, {"frames": frames[index], "index": index}, frames=TOTAL)
    return path


def _block(size):
    """Flow that is off by `size` px in a box of the frame: y 8 to 19, x 40 to 55."""
    off = np.zeros((2, HEIGHT, WIDTH), np.float32)
    off[0, 8:20, 40:56] = size
    return off


BLOCK = {"bicubic": _block(4), "vdsr": _block(2)}


def draw(
    figure,
    folder,
    inputs,
    methods=METHODS,
    has_hr=True,
    clip=None,
    paper=None,
    out="one",
):
    """Draw a figure of the data set as its stage does; its file."""
    about = scores.dataset("One", generated=True, has_hr=has_hr)
    layout = scores.layout(methods, {"one": about})
    named = {"clip": clip, "paper": paper}
    named = {key: each and ClipChoice(**each) for key, each in named.items()}
    job = FigureJob(module=figure, dataset="one", layout=layout, **named)
    draw_figure(inputs, job, folder / f"{out}.png")
    return folder / f"{out}.png"


def pictures(axes):
    """The picture of each panel that has one, and its title."""
    return {
        axis.get_title(): axis.images[0].get_array() for axis in axes if axis.images
    }
