"""Hostile values in any place of a config: refused in words, or planned."""

import pytest

from tests.plan import hostile


@pytest.mark.parametrize("seed", range(150))
def test_a_hostile_config_is_refused_in_words_or_planned(seed):
    assert hostile.trial(seed) == ""


def test_a_huge_number_in_text_is_no_crash():
    config, said = hostile.drawn(122)
    assert "recognisers.st_resnet.training.motion" in said[0]
    assert "recognisers.st_resnet.training.motion: 1000" in hostile.plan_all(config)
