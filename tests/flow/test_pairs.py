import numpy as np

from tests.recognisers.samplers import sampler
from twinlens.flow.pairs import EDGE, compared_pairs, training_pairs


def test_pairs_are_drawn_once_each_in_order():
    found = training_pairs(300, 120, 1, "clip", 0)
    assert len(found) == 120
    assert (np.diff(found) > 0).all()
    assert found.min() >= EDGE
    assert found.max() + 1 <= 300 - EDGE - 1


def test_another_clip_or_seed_draws_others():
    one = training_pairs(300, 20, 1, "clip", 0)
    assert one.tolist() == training_pairs(300, 20, 1, "clip", 0).tolist()
    assert one.tolist() != training_pairs(300, 20, 1, "clip", 1).tolist()
    assert one.tolist() != training_pairs(300, 20, 1, "other", 0).tolist()


def test_a_short_clip_gives_what_it_has():
    assert training_pairs(14, 120, 2, "clip", 0).tolist() == [5, 6]
    assert training_pairs(6, 120, 1, "clip", 0).tolist() == [0, 1, 2, 3, 4]
    assert training_pairs(2, 120, 1, "clip", 0).tolist() == [0]
    assert training_pairs(2, 120, 2, "clip", 0).tolist() == []


def test_compared_pairs_are_spread_over_those_that_are_read():
    tsn = sampler(snippets=25, stack=5)
    read = tsn.reads(180, "clip").flows
    found = compared_pairs(read, 3)
    assert found.tolist() == [read[0, 0], read[12, 0], read[24, 0]]
    assert len(compared_pairs(tsn.reads(6, "clip").flows, 3)) == 1
