"""Hostile values in any place of a config: refused in words, or planned."""

import pytest

from tests.plan import hostile
from tests.plan.worlds import problems


@pytest.mark.parametrize("seed", range(150))
def test_a_hostile_config_is_refused_in_words_or_planned(seed):
    assert hostile.trial(seed) == ""


def test_a_number_too_large_for_a_float_is_refused_in_words():
    (found,) = problems(recognisers__st_resnet__training__motion=10**400)
    assert found.startswith("recognisers.st_resnet.training.motion: 1000")
