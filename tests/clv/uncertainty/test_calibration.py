from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.stats import nbinom

from clv.uncertainty.calibration import (
    LEAST_TAIL,
    UNCHANGED,
    Calibration,
    Ranks,
    calibration,
)

LEVELS = (0.8, 0.95)


def foreseen(true: float, told: float, customers: int = 20_000, seed: int = 1) -> Ranks:
    """Counts around a mean, ranked by a distribution that tells of another mean; most are 0."""
    rng = np.random.default_rng(seed)
    came = nbinom(0.4, 0.4 / (0.4 + true)).rvs(customers, random_state=rng)
    law = nbinom(0.4, 0.4 / (0.4 + told))
    return Ranks(law.cdf(came - 1), law.cdf(came), np.full(customers, law.cdf(0)))


def of(*seen: Ranks) -> Calibration:
    return calibration([{"purchases": one, "clv": one} for one in seen], LEVELS)


@pytest.mark.parametrize("mean", [0.1, 0.6, 5.0])
def test_ranks_are_even_where_the_model_is_right_however_many_buy_nothing(mean: float) -> None:
    ranks = foreseen(mean, mean)
    for level in (0.3, 0.5, 0.8, 0.95, 0.99):
        assert ranks.coverage(level) == pytest.approx(level, abs=0.01)


def test_a_count_across_a_bound_is_inside_by_its_share() -> None:
    one = Ranks(np.array([0.0]), np.array([0.9]), np.array([0.9]))
    assert one.inside(0.8)[0] == pytest.approx(0.8 / 0.9)


def test_a_value_without_width_is_inside_or_not() -> None:
    at = np.array([0.5, 0.99])
    assert Ranks(at, at, np.zeros(2)).inside(0.9).tolist() == [1.0, 0.0]


def test_levels_that_held_are_left_alone() -> None:
    assert of(foreseen(0.6, 0.6), foreseen(1.0, 1.0, seed=2)) == UNCHANGED


def test_what_held_too_many_is_left_alone_as_well() -> None:
    assert of(foreseen(0.3, 0.9)) == UNCHANGED


def test_nothing_is_learned_from_nobody() -> None:
    empty = Ranks(np.zeros(0), np.zeros(0), np.zeros(0))
    assert of(empty) == of() == UNCHANGED


def test_levels_that_held_too_few_are_raised_until_they_would_have_held() -> None:
    ranks = foreseen(1.2, 0.6)
    found = of(ranks)
    for level in LEVELS:
        assert ranks.coverage(level) < level - 0.02
        assert ranks.coverage(found.level("purchases", level)) == pytest.approx(level, abs=0.01)


def test_the_worst_origin_counts() -> None:
    worse = foreseen(1.2, 0.6)
    assert of(foreseen(0.6, 0.6), worse, foreseen(0.9, 0.6)) == of(worse)


def test_of_few_customers_less_is_believed() -> None:
    """The same ranks, of a few hundred customers and of all."""
    every = foreseen(1.2, 0.6)
    order = np.argsort(every.upto)
    few = [
        Ranks(*(part[order[many // 2 :: many]] for part in vars(every).values()))
        for many in (100, 40, 10, 1)
    ]
    levels = [of(one).level("clv", 0.8) for one in few]
    assert levels == sorted(levels)
    assert levels[0] < levels[-1]


def test_chance_moves_hardly_a_level() -> None:
    """A hundred shops of 400 customers whose models are right."""
    levels = [of(foreseen(0.6, 0.6, 400, seed)).level("clv", 0.8) for seed in range(100)]
    assert min(levels) == 0.8
    assert np.mean(np.array(levels) > 0.8) < 0.08
    assert np.mean(levels) < 0.803


def test_no_level_leaves_out_less_than_a_quarter_of_what_was_asked_for() -> None:
    found = of(foreseen(60.0, 0.6))
    for level in LEVELS:
        assert 1 - found.level("clv", level) == pytest.approx(LEAST_TAIL * (1 - level), rel=1e-3)


def test_levels_between_and_beside_the_known_ones_move_with_them_and_keep_their_order() -> None:
    found = Calibration(purchases=((0.8, 0.9), (0.95, 0.96)))
    levels = [0.5, 0.7, 0.8, 0.85, 0.9, 0.95, 0.99]
    taken = [found.level("purchases", level) for level in levels]
    assert taken[2] == pytest.approx(0.9)
    assert taken[5] == pytest.approx(0.96)
    assert taken == sorted(taken)
    assert all(one > level for one, level in zip(taken, levels, strict=True))
    assert [found.level("clv", level) for level in levels] == levels


@pytest.mark.parametrize("found", [UNCHANGED, Calibration(((0.8, 0.9),), ((0.8, 0.8), (0.9, 1.0)))])
def test_a_calibration_survives_json(found: Calibration) -> None:
    assert Calibration.from_dict(json.loads(json.dumps(found.as_dict()))) == found
    assert Calibration.from_dict({}) == UNCHANGED
