import numpy as np

from twinlens.networks import schedule


def test_every_epoch_goes_once_through_all_items():
    drawn = [
        each for step in range(10) for each in schedule.batch_items(step, 3, 10, seed=1)
    ]
    for epoch in range(3):
        items = [item for number, item in drawn if number == epoch]
        assert sorted(items) == list(range(10))


def test_a_step_s_items_do_not_depend_on_the_steps_before():
    late = schedule.batch_items(7, 4, 9, seed=2)
    assert (
        late
        == [each for step in range(8) for each in schedule.batch_items(step, 4, 9, 2)][
            -4:
        ]
    )
    assert late != schedule.batch_items(7, 4, 9, seed=3)


def test_the_rate_falls_to_a_tenth_at_each_milestone():
    marks = (0.25, 0.5, 0.75)
    rates = [
        schedule.rate(at, 100, 1.0, "steps", marks) for at in (0, 24, 25, 50, 75, 99)
    ]
    np.testing.assert_allclose(rates, [1, 1, 0.1, 0.01, 0.001, 0.001])


def test_a_cosine_ends_near_zero():
    rates = [schedule.rate(at, 100, 2.0, "cosine", ()) for at in (0, 50, 99)]
    np.testing.assert_allclose(rates, [2.0, 1.0, 0.0005], atol=1e-3)
