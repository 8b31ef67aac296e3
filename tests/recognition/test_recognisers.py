"""Recognisers are found by their files, and plan without PyTorch or OpenCV."""

import subprocess
import sys

import numpy as np
import pytest

from tests.recognition.clips import sampler
from twinlens import recognisers
from twinlens.recognisers import Reading, with_neighbours


def test_their_files_load_neither_pytorch_nor_opencv():
    code = (
        "import sys; from twinlens import recognisers;"
        " print(*[recognisers.module(name).__name__ for name in recognisers.names()]);"
        " sys.exit(', '.join({'torch', 'cv2'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "twinlens.recognisers.tsn" in done.stdout.split()


@pytest.mark.parametrize("kind", recognisers.names())
def test_each_has_all_that_a_recogniser_has(kind):
    module = recognisers.module(kind)
    for name in ("sampling", "read", "flow_form", "networks", "scoring"):
        assert callable(getattr(module, name))
    for head in module.HEADS.values():
        assert head.inputs
        assert set(head.inputs) <= set(recognisers.INPUTS)
    for name in ("TRAIN", "SCORE"):
        assert callable(recognisers.function(kind, name))
    fields = module.Settings.__pydantic_fields__
    assert {"kind", "label", "table", "flow", "fusion"} <= set(fields)


def test_an_unknown_one_lists_those_there_are():
    with pytest.raises(ValueError, match="no recogniser 'tsm'; there are: .*tsn"):
        recognisers.module("tsm")


def test_flow_is_computed_from_the_frames_at_both_its_ends():
    reads = sampler().reads(40, "a/1")
    frames = sampler().frames(40, "a/1")
    ends = np.union1d(reads.flows, reads.flows + 1)
    assert np.array_equal(frames, np.union1d(reads.frames, ends))


def test_a_reading_leaves_out_what_is_stored_elsewhere():
    few, more = sampler(snippets=3), sampler(snippets=7)
    beyond = Reading(samplers=(more,), excluded=(few,)).frames(90, "a/1")
    own, all_of_them = few.frames(90, "a/1"), more.frames(90, "a/1")
    assert not np.intersect1d(beyond, own).size
    assert np.array_equal(beyond, np.setdiff1d(all_of_them, own))
    assert np.array_equal(Reading().frames(5, "a/1"), np.arange(5))


def test_neighbours_stay_within_the_clip():
    found = with_neighbours(np.array([0, 5, 9]), 1, 10)
    assert found.tolist() == [0, 1, 4, 5, 6, 8, 9]
