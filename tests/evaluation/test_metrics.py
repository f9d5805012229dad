import math

import numpy as np
import pytest
import torch

from torchvin.errors import InputError
from torchvin.evaluation.metrics import RATES, Scores, Tally, margin


def bools(*values):
    return torch.tensor(values, dtype=torch.bool)


def fill(parts):
    """The scores of the same counts on maps of one state, in so many parts."""
    reached, optimal = bools(1, 1, 0, 1, 0, 1), bools(1, 0, 0, 1, 0, 0)
    extra, agree, in_set = torch.tensor([0, 4, 99, 0, 77, 2]), bools(1, 0, 0, 0, 1, 1), bools(1, 1, 0, 0, 1, 1)
    tally, everywhere = Tally(7), bools(*[1] * 6)[:, None]
    for part in torch.arange(6).chunk(parts):
        all_of = everywhere[part]
        tally.add_labels(agree=agree[part, None], in_set=in_set[part, None], shown=all_of, solvable=all_of)
        moves = torch.arange(6)[part, None]
        never = all_of & False
        tally.add_all_states(reached=optimal[part, None], optimal=never, moves=moves, solvable=all_of)
        tally.add_open_states(reached=torch.arange(6)[part], optimal=torch.ones(6)[part].long(), states=part + 7)
        tally.add_rollouts(
            reached=reached[part, None], optimal=optimal[part, None], extra_steps=extra[part, None], present=all_of
        )
    return tally.scores()


def test_rates_are_shares_of_what_was_counted():
    scores = fill(1)
    assert (scores.maps, scores.rollouts) == (6, 6)
    assert scores.success_rate == pytest.approx(4 / 6)
    assert scores.optimal_rate == pytest.approx(2 / 6)
    assert scores.prediction_loss == pytest.approx(3 / 6)
    assert scores.set_error == pytest.approx(2 / 6)
    assert scores.all_states_set_error == pytest.approx(2 / 6)
    assert scores.all_states_success_rate == pytest.approx(2 / 6)
    assert scores.all_states_optimal_rate == 0
    assert scores.open_states_success_rate == pytest.approx(sum(n / (n + 7) for n in range(6)) / 6)
    assert scores.open_states_optimal_rate == pytest.approx(sum(1 / (n + 7) for n in range(6)) / 6)


def test_the_trajectory_difference_is_the_mean_over_successes_only():
    assert fill(1).trajectory_difference == pytest.approx((0 + 4 + 0 + 2) / 4)


@pytest.mark.parametrize("parts", [2, 3, 6])
def test_the_size_of_a_batch_changes_nothing(parts):
    assert fill(parts) == fill(1)


def test_where_no_rollout_succeeds_the_trajectory_difference_is_not_a_number():
    tally, yes, no = Tally(9), bools(1)[:, None], bools(0)[:, None]
    tally.add_labels(agree=yes, in_set=yes, shown=yes, solvable=yes)
    tally.add_all_states(reached=no, optimal=no, moves=torch.tensor([[4]]), solvable=yes)
    tally.add_rollouts(reached=no, optimal=no, extra_steps=torch.tensor([[5]]), present=yes)
    scores = tally.scores()
    assert math.isnan(scores.trajectory_difference)
    assert scores.success_rate == 0


def test_states_that_are_not_counted_change_nothing():
    """Rates, and the counts by the length of the optimal path."""
    tally, flags = Tally(9), bools(1, 0, 1, 1)[None]
    solvable, moves = bools(1, 1, 0, 1)[None], torch.tensor([[2, 3, 8, 2]])
    tally.add_labels(agree=flags, in_set=~flags, shown=solvable, solvable=bools(0, 0, 0, 1)[None])
    tally.add_all_states(reached=flags, optimal=~flags, moves=moves, solvable=solvable)
    scores, lengths = tally.scores(), tally.by_length()
    assert scores.prediction_loss == pytest.approx(1 / 3)
    assert scores.set_error == pytest.approx(2 / 3)
    assert scores.all_states_set_error == 1
    assert scores.all_states_success_rate == pytest.approx(2 / 3)
    assert lengths.states.tolist() == [0, 0, 2, 1]
    assert lengths.successes.tolist() == [0, 0, 2, 0]
    assert lengths.optimal.tolist() == [0, 0, 0, 1]


def test_where_nothing_was_counted_every_rate_is_not_a_number():
    scores = Tally(9).scores()
    assert (scores.maps, scores.rollouts) == (0, 0)
    assert math.isnan(scores.success_rate)
    assert math.isnan(scores.set_error)


@pytest.mark.parametrize(("rate", "count"), [(0.0, 10), (0.5, 100), (0.993, 1000), (1.0, 1)])
def test_the_margin_is_half_a_wilson_interval(rate, count):
    """The ends of the interval are the rates p at which |rate - p| is 1.96 standard errors of p."""
    half = margin(rate, count)
    centre = (rate + 1.96**2 / (2 * count)) / (1 + 1.96**2 / count)
    for end in (centre - half, centre + half):
        assert (rate - end) ** 2 == pytest.approx(1.96**2 * end * (1 - end) / count, abs=1e-12)
    assert half > 0


def test_the_margin_of_nothing_is_not_a_number():
    assert math.isnan(margin(0.5, 0))


def scores(rate, maps, rollouts):
    return Scores(maps, rollouts, *(rate,) * 10)


@pytest.mark.parametrize("metric", RATES)
def test_the_interval_is_over_maps(metric):
    assert scores(0.9, 100, 700).interval(metric) == margin(0.9, 100)
    assert scores(0.9, 100, 700).interval() > 2 * margin(0.9, 700)


def test_a_number_that_is_no_rate_has_no_interval():
    with pytest.raises(InputError, match="'trajectory_difference' is not a rate and has no interval; choose one of"):
        scores(0.9, 100, 700).interval("trajectory_difference")


def test_the_interval_holds_the_true_rate_where_the_rollouts_of_a_map_fail_together():
    """2,000 studies of 100 maps with 7 rollouts each that share one fate: true rate 0.9."""
    random = np.random.default_rng(0)
    rates = (random.random((2000, 100)) < 0.9).mean(axis=1)

    def coverage(trials):
        halves = np.array([margin(rate, trials) for rate in rates])
        centres = (rates + 1.96**2 / (2 * trials)) / (1 + 1.96**2 / trials)
        return (abs(centres - 0.9) <= halves).mean()

    assert coverage(100) >= 0.93
    assert coverage(700) < 0.6  # what counting rollouts would give


def test_the_interval_is_wide_enough_where_the_rollouts_of_a_map_are_independent():
    random = np.random.default_rng(1)
    rates = (random.random((2000, 100, 7)) < 0.9).mean(axis=(1, 2))
    assert np.mean([abs(rate - 0.9) <= margin(rate, 100) for rate in rates]) >= 0.99
