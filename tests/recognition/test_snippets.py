"""Snippets of training clips, from shards."""

import numpy as np
import pytest

from twinlens import provenance
from twinlens.artifacts.shard import Shard
from twinlens.recognisers.tsn import Views
from twinlens.recognition.shards import SPATIAL, Snippets

FRAMES = np.zeros((4, 60, 80, 3), np.uint8)


@pytest.mark.parametrize(
    ("size", "kept"), [(None, FRAMES.nbytes), ((340, 256), 4 * 340 * 256 * 3)]
)
def test_images_are_kept_if_they_fit_as_they_are_recoded(tmp_path, size, kept):
    about = provenance.about("frames", [], {})
    with Shard(tmp_path / "f.h5", "frames/1", about, ["c/a"]) as file:
        index = np.arange(4, dtype=np.int32)
        file.write("c/a", {"frames": FRAMES, "index": index}, frames=4, label=0)
    views = Views(size=size, crop=48)
    for limit, fits in ((kept, True), (kept - 1, False)):
        with Snippets([tmp_path / "f.h5"], SPATIAL, views, {}, limit) as snippets:
            assert snippets.at("c/a", index[:, None]).nbytes == kept
            assert bool(snippets._cache) is fits
