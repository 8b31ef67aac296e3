import pytest

from tests.training.runs import recipe
from twinlens.training.recipe import Loss


def test_the_paper_s_rate_falls_every_quarter():
    how = recipe(steps=100, lr=1e-3)
    rates = [how.rate(step) for step in (0, 25, 50, 75)]
    assert rates == pytest.approx([1e-3, 1e-4, 1e-5, 1e-6])


@pytest.mark.parametrize("steps", [1, 7, 10, 25, 100])
def test_validations_are_even_and_end_with_the_last_step(steps):
    how = recipe(steps=steps, validations=5)
    marks = [step for step in range(1, steps + 1) if how.validates(step)]
    assert marks[-1] == steps
    assert len(marks) == min(5, steps)


@pytest.mark.parametrize("wrong", [{"steps": 0}, {"batch": 0}, {"validations": 0}])
def test_a_recipe_that_would_not_train_is_refused(wrong):
    with pytest.raises(ValueError, match="greater than or equal to 1"):
        recipe(**wrong)


def test_a_loss_says_what_it_reads():
    assert Loss(kind="mse").wanted == ["high"]
    assert Loss(kind="wmse").wanted == ["high", "speed"]
    assert Loss(kind="sosr").wanted == ["high", "speed"]
    assert Loss(kind="tosr").wanted == ["high", "flow"]
    kinds = ("mse", "wmse", "sosr", "tosr")
    assert [Loss(kind=kind).needs_pairs for kind in kinds] == [None, False, False, True]
